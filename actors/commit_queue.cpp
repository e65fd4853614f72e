// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/commit_queue.hpp"

#include <utility>

namespace fanfare {

namespace {

/// Calls that are worth a commit of their own without waiting for more.
constexpr std::size_t full_batch = 1'000;

bool can_linger(const storage::operation& op) {
  return std::holds_alternative<storage::append_call>(op);
}

} // namespace

void commit_queue::push_locked(item&& one) {
  if (!can_linger(one.what))
    urgent_ = true;
  items_.push_back(std::move(one));
}

void commit_queue::wake(bool first) {
  dirty_.store(true, std::memory_order_relaxed);
  if (first)
    caf::anon_send(committer_, atom::commit_v);
}

void commit_queue::push(item one) {
  bool first = false;
  bool interrupt = false;
  {
    std::lock_guard guard{mutex_};
    first = items_.empty();
    push_locked(std::move(one));
    waiting_.store(items_.size(), std::memory_order_relaxed);
    interrupt = lingering_ && (urgent_ || items_.size() >= full_batch);
  }
  if (interrupt)
    more_.notify_one();
  wake(first);
}

void commit_queue::push(item first_item, item second_item) {
  bool first = false;
  bool interrupt = false;
  {
    std::lock_guard guard{mutex_};
    first = items_.empty();
    push_locked(std::move(first_item));
    push_locked(std::move(second_item));
    waiting_.store(items_.size(), std::memory_order_relaxed);
    interrupt = lingering_;
  }
  if (interrupt)
    more_.notify_one();
  wake(first);
}

bool commit_queue::try_push_publish(item& one, std::size_t bytes) {
  bool first = false;
  bool interrupt = false;
  {
    std::lock_guard guard{mutex_};
    if (publish_bytes_ + bytes > publish_bytes_limit || items_.size() > 2 * congestion_limit)
      return false;
    first = items_.empty();
    publish_bytes_ += bytes;
    push_locked(std::move(one));
    waiting_.store(items_.size(), std::memory_order_relaxed);
    interrupt = lingering_;
  }
  if (interrupt)
    more_.notify_one();
  wake(first);
  return true;
}

void commit_queue::notify_when_writable(const webhook_actor& who) {
  {
    std::lock_guard guard{mutex_};
    if (congested()) {
      held_.push_back(who);
      return;
    }
  }
  caf::anon_send(who, atom::writable_v);
}

void commit_queue::attach(committer_actor committer) {
  std::lock_guard guard{mutex_};
  committer_ = std::move(committer);
}

std::vector<commit_queue::item> commit_queue::take(std::chrono::microseconds linger) {
  std::unique_lock guard{mutex_};
  if (!items_.empty() && !urgent_ && items_.size() < full_batch && linger.count() > 0) {
    lingering_ = true;
    more_.wait_for(guard, linger,
                   [this] { return urgent_ || items_.size() >= full_batch || closed_.load(); });
    lingering_ = false;
  }
  urgent_ = false;
  publish_bytes_ = 0;
  waiting_.store(0, std::memory_order_relaxed);
  return std::exchange(items_, {});
}

void commit_queue::wait_for_more(std::chrono::milliseconds patience) {
  std::unique_lock guard{mutex_};
  lingering_ = true;
  more_.wait_for(guard, patience, [this] { return urgent_ || closed_.load(); });
  lingering_ = false;
}

void commit_queue::set_failing(bool failing) {
  failing_.store(failing);
}

void commit_queue::announce_writable() {
  std::vector<webhook_actor> held;
  {
    std::lock_guard guard{mutex_};
    if (held_.empty() || congested())
      return;
    held.swap(held_);
  }
  for (auto& who : held)
    caf::anon_send(who, atom::writable_v);
}

void commit_queue::close() {
  {
    std::lock_guard guard{mutex_};
    closed_.store(true);
  }
  more_.notify_all();
}

} // namespace fanfare
