// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is counted of commits. The thread with the turn to write writes, any
/// thread reads.

#include "model/counter.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fanfare {

inline constexpr std::array<std::chrono::microseconds, 14> commit_bounds{
  {std::chrono::microseconds{100}, std::chrono::microseconds{250},
   std::chrono::microseconds{500}, std::chrono::milliseconds{1},
   std::chrono::microseconds{2'500}, std::chrono::milliseconds{5},
   std::chrono::milliseconds{10}, std::chrono::milliseconds{25},
   std::chrono::milliseconds{50}, std::chrono::milliseconds{100},
   std::chrono::milliseconds{250}, std::chrono::milliseconds{500},
   std::chrono::seconds{1}, std::chrono::seconds{5}}};

class commit_figures {
public:
  using duration = std::chrono::microseconds;

  /// A commit that takes as long as this is worth a line in the log.
  static constexpr std::chrono::seconds slow{1};

  // -- the thread with the turn to write --------------------------------------

  /// A group with so many operations is on disk.
  void note(duration took, std::size_t operations,
            std::chrono::steady_clock::time_point now) {
    took_.observe(took);
    operations_.add(operations);
    last_.store(took.count(), std::memory_order_relaxed);
    if (now - since_ >= std::chrono::minutes{1}) {
      since_ = now;
      before_.store(longest_.load(std::memory_order_relaxed),
                    std::memory_order_relaxed);
      longest_.store(0, std::memory_order_relaxed);
    }
    if (took.count() > longest_.load(std::memory_order_relaxed))
      longest_.store(took.count(), std::memory_order_relaxed);
  }
  /// The disk did not take a group.
  void note_failure() {
    failed_.add();
  }

  // -- any thread -------------------------------------------------------------

  /// From when the store gets a group until it is on disk.
  [[nodiscard]] const duration_histogram<commit_bounds.size()>& took() const {
    return took_;
  }
  [[nodiscard]] std::uint64_t operations() const {
    return operations_.value();
  }
  [[nodiscard]] std::uint64_t failed() const {
    return failed_.value();
  }
  [[nodiscard]] duration last() const {
    return duration{last_.load(std::memory_order_relaxed)};
  }
  /// Of the present minute of commits and the one before.
  [[nodiscard]] duration longest() const {
    return duration{std::max(longest_.load(std::memory_order_relaxed),
                             before_.load(std::memory_order_relaxed))};
  }

private:
  duration_histogram<commit_bounds.size()> took_{commit_bounds};
  counter operations_;
  counter failed_;
  std::atomic<std::int64_t> last_{0};
  std::atomic<std::int64_t> longest_{0};
  std::atomic<std::int64_t> before_{0}; ///< the longest of the minute before
  std::chrono::steady_clock::time_point since_{};
};

} // namespace fanfare
