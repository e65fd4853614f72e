// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Operations whose callers wait until they are on disk.

#include "actors/commit_queue.hpp"
#include "engine/lifecycle.hpp"
#include "engine/refusals.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace fanfare {

/// The longest a caller waits for a change or an order. A slow disk answers
/// sooner, a full one at once: beyond this, something is broken.
inline constexpr std::chrono::seconds change_patience{60};

/// Any thread.
class changes {
public:
  /// Both must outlive it.
  changes(commit_queue& commits, const lifecycle& life)
    : commits_(commits),
      life_(life) {}

  /// Blocks. Commits one operation and returns its result; conflict if the
  /// caller is a callback that the committer waits for.
  template <class Operation>
  auto commit(Operation op) -> decltype(op.done) {
    return commit(std::move(op),
                  [](Operation& what) { return std::move(what.done); });
  }

  /// Blocks. Everything before it is on disk.
  result<void> settle() {
    return commit(storage::barrier{},
                  [](storage::barrier&) { return result<void>{}; });
  }

private:
  /// `take` says what the result of the operation is.
  template <class Operation, class Take>
  auto commit(Operation op, Take take)
    -> std::invoke_result_t<Take, Operation&>;

  commit_queue& commits_;
  const lifecycle& life_;
};

template <class Operation, class Take>
auto changes::commit(Operation op, Take take)
  -> std::invoke_result_t<Take, Operation&> {
  if (!life_.running())
    return error{ec::stopping,
                 "The engine is stopping. Try again once it is back."};
  if (commits_.is_written_by_caller())
    return would_wait_for_itself();
  auto done = std::make_shared<
    std::promise<std::invoke_result_t<Take, Operation&>>>();
  auto changed = done->get_future();
  commits_.push(
    {.what = std::move(op),
     .done = [done, take](storage::operation& what, const error* failure) {
       if (failure != nullptr)
         done->set_value(*failure);
       else
         done->set_value(take(std::get<Operation>(what)));
     }});
  if (changed.wait_for(change_patience) != std::future_status::ready)
    return error{ec::io_error, "The disk did not answer in time; the change "
                               "may yet be made. Look before you try it "
                               "again."};
  return changed.get();
}

/// The program's edit of a stored value, which the committer runs while the
/// program waits. It can refer to the program's stack, so it never runs after
/// the program has its result.
template <class Value>
class lent_edit {
public:
  using function = std::function<result<void>(Value&)>;

  explicit lent_edit(function edit) : edit_(std::move(edit)) {}

  result<void> run(Value& value) {
    const std::lock_guard guard{mutex_};
    if (ended_)
      return error{ec::io_error, "The caller has given up on this change."};
    std::string thrown = "something that is no std::exception";
    try {
      return edit_(value);
    } catch (const std::exception& e) {
      thrown = e.what();
    } catch (...) { // NOLINT(bugprone-empty-catch): named above
    }
    return error{ec::invalid_argument,
                 "The edit threw, and nothing was changed: " + thrown + '.',
                 "edit"};
  }

  /// Waits for a run in progress.
  void end() {
    const std::lock_guard guard{mutex_};
    ended_ = true;
  }

private:
  std::mutex mutex_;
  function edit_;
  bool ended_ = false;
};

} // namespace fanfare
