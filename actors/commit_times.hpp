// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How long commits take, from when the store has them until they are on disk.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace fanfare {

class commit_times {
public:
  using duration = std::chrono::microseconds;

  /// A commit that takes as long as this is worth a line in the log.
  static constexpr std::chrono::seconds slow{1};

  /// By the thread with the turn to write.
  void note(duration took, std::chrono::steady_clock::time_point now) {
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

  // -- any thread -------------------------------------------------------------

  [[nodiscard]] duration last() const {
    return duration{last_.load(std::memory_order_relaxed)};
  }
  /// Of the present minute of commits and the one before.
  [[nodiscard]] duration longest() const {
    return duration{std::max(longest_.load(std::memory_order_relaxed),
                             before_.load(std::memory_order_relaxed))};
  }

private:
  std::atomic<std::int64_t> last_{0};
  std::atomic<std::int64_t> longest_{0};
  std::atomic<std::int64_t> before_{0}; ///< the longest of the minute before
  std::chrono::steady_clock::time_point since_{};
};

} // namespace fanfare
