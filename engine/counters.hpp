// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The counters of a running engine, and the figures derived from them.

#include "fanfare/metrics.hpp"
#include "fanfare/reports.hpp"
#include "storage/operations.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace fanfare {

class engine_counters {
public:
  /// A committed operation. By the thread with the turn to write.
  void observe(const storage::operation& op);
  /// A publish found no room. Any thread.
  void refused() {
    refused_.fetch_add(1, std::memory_order_relaxed);
  }

  /// Any thread.
  [[nodiscard]] std::vector<metric> figures(const engine_statistics& now,
                                            bool ready) const;

private:
  using counter = std::atomic<std::uint64_t>;

  /// Of one thread: needs no locked instruction.
  static void add(counter& to, std::uint64_t n) {
    to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::array<counter, 4> calls_{}; ///< by outcome
  counter call_microseconds_{0};
  counter notifications_{0};
  counter refused_{0};
};

} // namespace fanfare
