// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The tables are a little behind what was answered. Who reads them
/// waits here until they have all that was answered when they came.

#include "fanfare/error.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

namespace fanfare::storage::lmdb {

/// Any thread.
class read_gate {
public:
  /// Groups up to this one were answered, or are about to be.
  void answered(std::uint64_t upto) {
    answered_.store(upto, std::memory_order_release);
  }
  /// The tables have them.
  void reached(std::uint64_t upto);
  /// The tables cannot take them at present: nobody waits for that.
  void stall(error why);

  /// Waits. An error: it will take long, for this reason.
  result<void> pass() {
    const auto upto = answered_.load(std::memory_order_acquire);
    if (reached_.load(std::memory_order_acquire) >= upto)
      return {};
    return wait_for(upto);
  }

  /// Whether anybody waits.
  [[nodiscard]] bool has_waiting() const noexcept {
    return waiting_.load(std::memory_order_relaxed) != 0;
  }

private:
  result<void> wait_for(std::uint64_t upto);

  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> reached_{0}; ///< changed under the lock
  std::atomic<std::size_t> waiting_{0};   ///< the same
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<error> stalled_; ///< under the lock
};

} // namespace fanfare::storage::lmdb
