// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_store/late_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace fanfare::test {

late_store::late_store(std::size_t ahead)
  : ahead_(ahead),
    thread_([this] { work(); }) {}

late_store::~late_store() {
  {
    std::lock_guard guard{mutex_};
    stopping_ = true;
    allowed_.reset();
  }
  changed_.notify_all();
  thread_.join();
}

void late_store::hold() {
  std::lock_guard guard{mutex_};
  allowed_ = 0;
}

void late_store::let_go(std::size_t count) {
  {
    std::lock_guard guard{mutex_};
    if (allowed_)
      *allowed_ += count;
  }
  changed_.notify_all();
}

void late_store::let_all_go() {
  {
    std::lock_guard guard{mutex_};
    allowed_.reset();
  }
  changed_.notify_all();
}

bool late_store::wait_for_given(std::size_t count,
                                std::chrono::seconds patience) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, patience, [&] { return given_ >= count; });
}

std::size_t late_store::most_in_flight() const {
  std::lock_guard guard{mutex_};
  return most_in_flight_;
}

void late_store::commit(std::span<storage::operation> operations,
                        storage::commit_listener& done,
                        storage::commit_place place) {
  {
    std::lock_guard guard{mutex_};
    EXPECT_LT(in_flight_, ahead_) << "more than it takes";
    if (place == storage::commit_place::first) {
      EXPECT_EQ(in_flight_, 0U);
    }
    waiting_.push_back({operations, &done, place});
    most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
    ++given_;
  }
  changed_.notify_all();
}

void late_store::work() {
  std::unique_lock guard{mutex_};
  for (;;) {
    changed_.wait(guard, [this] {
      return waiting_.empty() ? stopping_ : !allowed_ || *allowed_ > 0;
    });
    if (waiting_.empty())
      return;
    if (allowed_)
      --*allowed_;
    const auto next = waiting_.front();
    waiting_.pop_front();
    guard.unlock();
    auto outcome = end(next);
    guard.lock();
    --in_flight_;
    guard.unlock();
    next.done->committed(std::move(outcome));
    guard.lock();
  }
}

result<void> late_store::end(const pending& which) {
  ++ended_;
  if (which.place == storage::commit_place::first)
    failed_.reset();
  if (failed_)
    return *failed_;
  auto outcome = judge ? judge(ended_) : result<void>{};
  try {
    if (outcome)
      outcome = below_.commit(which.operations);
  } catch (...) {
    outcome = error{ec::internal, "An edit has thrown."};
  }
  if (!outcome)
    failed_ = outcome.error();
  return outcome;
}

} // namespace fanfare::test
