// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Where webhooks say that they have come to rest, while others wait for them
/// to. Any thread.

#include "actors/subscription_index.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace fanfare {

class rest_board {
public:
  using ref = subscription_index::ref;

  /// `changed`: called when so many are on it. Fewer are left to whoever looks
  /// at it now and then: to start webhooks one by one costs twice as much.
  rest_board(std::size_t many, std::function<void()> changed)
    : many_(many),
      changed_(std::move(changed)) {}

  /// Whether anybody waits. It is set before the slots are looked at, and
  /// looked at after a slot was set, so that one of the two sees the other.
  [[nodiscard]] bool wanted() const {
    return wanted_.load(std::memory_order_seq_cst);
  }
  void want(bool wanted) {
    wanted_.store(wanted, std::memory_order_seq_cst);
  }

  void note(ref who) {
    bool are_many = false;
    {
      const std::lock_guard guard{mutex_};
      noted_.push_back(who);
      are_many = noted_.size() == many_;
    }
    if (are_many)
      changed_();
  }
  [[nodiscard]] std::vector<ref> take() {
    const std::lock_guard guard{mutex_};
    return std::exchange(noted_, {});
  }

private:
  std::size_t many_;
  std::function<void()> changed_;
  std::atomic<bool> wanted_{false};
  std::mutex mutex_;
  std::vector<ref> noted_;
};

} // namespace fanfare
