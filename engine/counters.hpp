// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What an engine counts while it runs, and the figures that come of it.

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
  /// A committed operation. By whoever writes.
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

  /// Of one thread: it needs no locked instruction.
  static void add(counter& to, std::uint64_t n) {
    to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::array<counter, 4> calls_{}; ///< by outcome
  counter call_microseconds_{0};
  counter notifications_{0};
  counter refused_{0};
};

} // namespace fanfare
