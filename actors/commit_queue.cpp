// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/commit_queue.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace fanfare {

namespace {

/// Calls that are worth a commit of their own without waiting for more.
constexpr std::size_t full_batch = 1'000;
/// Entries that a queue may have memory for in any case.
constexpr std::size_t kept_capacity = 1'024;

/// A checkpoint of what no call or publish has changed would say the same
/// again.
bool needs_checkpoint(const storage::operation& op) {
  return !std::holds_alternative<storage::save_checkpoint>(op)
      && !std::holds_alternative<storage::barrier>(op);
}

bool is_call(const storage::operation& op) {
  return std::holds_alternative<storage::append_call>(op);
}

const error& stopping() {
  static const error why{ec::stopping,
                         "The engine is stopping, or has ended because of an "
                         "error. Try again once it is started anew."};
  return why;
}

} // namespace

thread_local const commit_queue* commit_queue::written_ = nullptr;

// -- batch --------------------------------------------------------------------

void commit_queue::batch::make_room(std::size_t count) {
  const auto grow = [count](auto& list) {
    if (list.capacity() - list.size() < count)
      list.reserve(std::max(2 * list.capacity(), list.size() + count));
  };
  grow(operations);
  grow(endings);
}

void commit_queue::batch::add(item&& one) {
  operations.push_back(std::move(one.what));
  endings.push_back({std::move(one.done), one.lasting});
}

void commit_queue::batch::append(batch&& others) {
  make_room(others.size());
  std::ranges::move(others.operations, std::back_inserter(operations));
  std::ranges::move(others.endings, std::back_inserter(endings));
}

void commit_queue::batch::move(std::size_t from, std::size_t to) {
  if (from == to)
    return;
  operations[to] = std::move(operations[from]);
  endings[to] = std::exchange(endings[from], {});
}

void commit_queue::batch::truncate(std::size_t count) {
  const auto behind = static_cast<std::ptrdiff_t>(count);
  operations.erase(operations.begin() + behind, operations.end());
  endings.erase(endings.begin() + behind, endings.end());
}

void commit_queue::batch::shrink(std::size_t count) {
  constexpr std::size_t many_times = 8;
  if (operations.capacity() > std::max(kept_capacity, many_times * count))
    *this = {};
}

void commit_queue::batch::tell(std::size_t i, const error* failure) {
  if (auto done = std::exchange(endings[i].done, nullptr))
    done(operations[i], failure);
}

void commit_queue::batch::tell_all(const error* failure) {
  for (std::size_t i = 0; i < size(); ++i)
    tell(i, failure);
}

void commit_queue::batch::give_up(const error& why) noexcept {
  for (std::size_t i = 0; i < size(); ++i) {
    try {
      tell(i, &why);
    } catch (...) { // NOLINT(bugprone-empty-catch): the others are still told
    }
  }
}

commit_queue::commit_queue() {
  (void)stopping(); // made while there is memory
}

// -- any thread ---------------------------------------------------------------

void commit_queue::add(item&& one) {
  if (is_call(one.what)) // which can linger
    calls_.fetch_add(1, std::memory_order_relaxed);
  else
    urgent_ = true;
  if (needs_checkpoint(one.what))
    dirty_.store(true, std::memory_order_relaxed);
  items_.add(std::move(one));
}

void commit_queue::announce_added(std::unique_lock<std::mutex> guard) {
  committer_actor sleeper; // set if it is to be woken
  if (!turn_taken_ && committer_) {
    turn_taken_ = true;
    sleeper = committer_;
  }
  const bool interrupt = interest_ == interest::anything
                      || (interest_ == interest::urgent
                          && (urgent_ || items_.size() >= full_batch));
  guard.unlock();
  if (interrupt)
    more_.notify_one();
  if (sleeper)
    wake(sleeper);
}

void commit_queue::add(std::span<item> items) {
  std::unique_lock guard{mutex_};
  if (closed_.load()) {
    guard.unlock();
    for (auto& one : items)
      if (one.done)
        one.done(one.what, &stopping());
    return;
  }
  items_.make_room(items.size()); // from here on nothing can fail
  for (auto& one : items)
    add(std::move(one));
  announce_added(std::move(guard));
}

void commit_queue::push(item one) {
  add({&one, 1});
}

void commit_queue::push(item first, item second) {
  std::array<item, 2> both{std::move(first), std::move(second)};
  add(both);
}

bool commit_queue::try_push(publish_request& what, patience how) {
  std::unique_lock guard{mutex_};
  if (closed_.load()) {
    guard.unlock();
    item refused{.what = std::move(what.append), .done = std::move(what.done)};
    if (refused.done)
      refused.done(refused.what, &stopping());
    return true;
  }
  if (publish_bytes_ + what.bytes > publish_bytes_limit
      || (how != patience::none && publish_bytes_ >= patient_bytes_limit))
    return false;
  items_.make_room(1); // from here on nothing can fail
  publish_bytes_ += what.bytes;
  add({.what = std::move(what.append), .done = std::move(what.done)});
  announce_added(std::move(guard));
  return true;
}

bool commit_queue::wait_for_room(std::chrono::steady_clock::time_point until) {
  std::unique_lock guard{mutex_};
  const auto seen = taken_;
  if (items_.empty() || closed_.load())
    return true;
  ++room_wanted_;
  const bool taken = room_.wait_until(
    guard, until, [&] { return taken_ != seen || closed_.load(); });
  --room_wanted_;
  return taken;
}

void commit_queue::notify_when_writable(const webhook_actor& who) {
  {
    std::lock_guard guard{mutex_};
    if (closed_.load())
      return;
    if (congested()) {
      held_.push_back(who);
      return;
    }
  }
  caf::anon_send(who, atom::writable_v);
}

// -- a thread that waits ------------------------------------------------------

bool commit_queue::take_turn() {
  std::lock_guard guard{mutex_};
  if (turn_taken_ || !items_.empty() || closed_.load())
    return false;
  turn_taken_ = true;
  ++others_;
  dirty_.store(true, std::memory_order_relaxed);
  return true;
}

void commit_queue::end_turn(batch&& rest, std::size_t bytes) {
  committer_actor successor; // set if there is something to write
  {
    std::lock_guard guard{mutex_};
    if (!rest.empty() && !closed_.load()) {
      rest.append(std::move(items_));
      items_ = std::exchange(rest, {});
      publish_bytes_ += bytes;
      urgent_ = true;
    }
    turn_taken_ = !items_.empty();
    if (turn_taken_)
      successor = committer_;
  }
  rest.give_up(stopping());
  if (successor)
    wake(successor);
  leave();
}

void commit_queue::fail_turn(std::exception_ptr why) noexcept {
  committer_actor heir;
  {
    std::lock_guard guard{mutex_};
    broken_ = std::move(why);
    heir = committer_;
  }
  if (heir)
    wake(heir);
  leave();
}

void commit_queue::wake(const committer_actor& committer) noexcept {
  try {
    caf::anon_send(committer, atom::commit_v);
  } catch (...) {
    // For want of memory: whoever comes next tries again.
    std::lock_guard guard{mutex_};
    turn_taken_ = false;
  }
}

void commit_queue::leave() noexcept {
  // Who waits for this may destroy the queue next.
  std::lock_guard guard{mutex_};
  --others_;
  others_left_.notify_all();
}

void commit_queue::wait_for_others() {
  std::unique_lock guard{mutex_};
  others_left_.wait(guard, [this] { return others_ == 0; });
}

// -- committer ----------------------------------------------------------------

void commit_queue::attach(committer_actor committer) {
  std::lock_guard guard{mutex_};
  committer_ = std::move(committer);
}

bool commit_queue::take(batch& into, std::chrono::microseconds linger) {
  std::unique_lock guard{mutex_};
  if (broken_)
    std::rethrow_exception(broken_);
  if (!items_.empty() && !urgent_ && items_.size() < full_batch
      && linger.count() > 0) {
    interest_ = interest::urgent;
    more_.wait_for(guard, linger, [this] {
      return urgent_ || items_.size() >= full_batch || closed_.load();
    });
    interest_ = interest::nothing;
  }
  if (items_.empty()) {
    items_.shrink(0);
    into.shrink(0);
    turn_taken_ = false;
    return false;
  }
  swap_out(into, std::move(guard));
  return true;
}

void commit_queue::take_more(batch& into) {
  swap_out(into, std::unique_lock{mutex_});
}

bool commit_queue::take_behind(batch& into, std::chrono::microseconds linger,
                               const bool& written) {
  std::unique_lock guard{mutex_};
  interest_ = interest::anything;
  more_.wait(guard,
             [&] { return written || !items_.empty() || closed_.load(); });
  interest_ = interest::urgent;
  if (linger.count() > 0)
    more_.wait_for(guard, linger, [&] {
      return written || urgent_ || items_.size() >= full_batch
          || closed_.load();
    });
  interest_ = interest::nothing;
  if (written || items_.empty())
    return false;
  swap_out(into, std::move(guard));
  return true;
}

void commit_queue::wait_until_written(const bool& written) {
  std::unique_lock guard{mutex_};
  more_.wait(guard, [&] { return written; });
}

void commit_queue::note_written(bool& written) {
  // Who waits for this may destroy both as soon as the lock is given up.
  std::lock_guard guard{mutex_};
  written = true;
  more_.notify_one();
}

void commit_queue::swap_out(batch& into, std::unique_lock<std::mutex> guard) {
  urgent_ = false;
  publish_bytes_ = 0;
  ++taken_;
  if (room_wanted_ != 0)
    room_.notify_all();
  calls_.store(0, std::memory_order_relaxed);
  // The other one's memory is used again while there is as much to do.
  std::swap(items_, into);
  items_.shrink(into.size());
  // At once: after the commit there may be as many calls again.
  announce_writable(std::move(guard));
}

void commit_queue::wait_for_more(std::chrono::milliseconds patience) {
  std::unique_lock guard{mutex_};
  interest_ = interest::urgent;
  more_.wait_for(guard, patience, [this] { return urgent_ || closed_.load(); });
  interest_ = interest::nothing;
}

void commit_queue::set_failing(bool failing) {
  failing_.store(failing);
}

void commit_queue::announce_writable() {
  announce_writable(std::unique_lock{mutex_});
}

void commit_queue::announce_writable(std::unique_lock<std::mutex> guard) {
  if (held_.empty() || congested())
    return;
  const auto held = std::exchange(held_, {});
  guard.unlock();
  for (const auto& who : held)
    caf::anon_send(who, atom::writable_v);
}

void commit_queue::close() {
  batch rest;
  std::vector<webhook_actor> held; // must not outlive their lanes
  {
    std::lock_guard guard{mutex_};
    closed_.store(true);
    std::swap(rest, items_);
    held.swap(held_);
  }
  more_.notify_all();
  room_.notify_all();
  rest.tell_all(&stopping());
}

} // namespace fanfare
