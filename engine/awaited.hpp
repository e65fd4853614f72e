// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A result that one thread waits for and another sets, once. Unlike
/// std::promise it allocates nothing when abandoned, so running out of memory
/// neither ends the process nor leaves the thread waiting.

#include "fanfare/error.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace fanfare {

template <class T>
class awaited {
public:
  /// Sets the result. Copyable; when the last copy is destroyed, the waiting
  /// thread gets an error.
  class setter {
  public:
    void operator()(result<T> value) const {
      held_->of->set(std::move(value));
    }

  private:
    friend class awaited;
    struct last {
      std::shared_ptr<awaited> of;
      explicit last(std::shared_ptr<awaited> made) : of(std::move(made)) {}
      ~last() {
        of->give_up();
      }
      last(const last&) = delete;
      last& operator=(const last&) = delete;
    };
    std::shared_ptr<last> held_;
  };

  [[nodiscard]] static std::pair<std::shared_ptr<awaited>, setter> make() {
    auto made = std::make_shared<awaited>();
    setter sets;
    sets.held_ = std::make_shared<typename setter::last>(made);
    return {std::move(made), std::move(sets)};
  }

  /// Waits for the result and takes it. internal: no setter is left.
  result<T> get() {
    std::unique_lock guard{mutex_};
    ended_.wait(guard, [this] { return value_ || given_up_; });
    if (value_)
      return std::move(*value_);
    return error{ec::internal, "The outcome is unknown, probably for lack of "
                               "memory. Check it before you try again."};
  }

private:
  void set(result<T> value) {
    std::lock_guard guard{mutex_};
    value_.emplace(std::move(value));
    ended_.notify_one();
  }

  void give_up() {
    std::lock_guard guard{mutex_};
    given_up_ = true;
    ended_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<result<T>> value_;
  bool given_up_ = false;
};

} // namespace fanfare
