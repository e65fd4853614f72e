// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The counters of a running engine. docs/metrics.md says what each figure made
/// of them means; engine/figures.hpp makes them.

#include "engine/engine_figures.hpp"
#include "model/counter.hpp"
#include "model/failure_kind.hpp"
#include "storage/operations.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fanfare {

inline constexpr std::array<std::chrono::microseconds, 14> call_bounds{
  {std::chrono::milliseconds{1}, std::chrono::microseconds{2'500},
   std::chrono::milliseconds{5}, std::chrono::milliseconds{10},
   std::chrono::milliseconds{25}, std::chrono::milliseconds{50},
   std::chrono::milliseconds{100}, std::chrono::milliseconds{250},
   std::chrono::milliseconds{500}, std::chrono::seconds{1},
   std::chrono::milliseconds{2'500}, std::chrono::seconds{5},
   std::chrono::seconds{10}, std::chrono::seconds{30}}};

inline constexpr std::array<std::chrono::microseconds, 16> wait_bounds{
  {std::chrono::milliseconds{1}, std::chrono::microseconds{2'500},
   std::chrono::milliseconds{5}, std::chrono::milliseconds{10},
   std::chrono::milliseconds{25}, std::chrono::milliseconds{50},
   std::chrono::milliseconds{100}, std::chrono::milliseconds{250},
   std::chrono::milliseconds{500}, std::chrono::seconds{1},
   std::chrono::seconds{5}, std::chrono::seconds{30}, std::chrono::minutes{1},
   std::chrono::minutes{5}, std::chrono::minutes{30}, std::chrono::hours{1}}};

class engine_counters {
public:
  /// What operations that were committed amount to: the thread with the turn to
  /// write counts, any thread reads.
  struct committed {
    std::array<counter, 4> calls; ///< by outcome
    std::array<counter, failure_kinds.size()> failures;
    counter call_microseconds;
    duration_histogram<call_bounds.size()> call_duration{call_bounds};
    /// From publish to the start of the first attempt.
    duration_histogram<wait_bounds.size()> wait{wait_bounds};
    counter notifications;
    counter bytes; ///< of their bodies
  };

  explicit engine_counters(std::size_t lanes) : where_it_happens_(lanes) {}

  /// A committed operation. By the thread with the turn to write.
  void observe(const storage::operation& op);
  /// A publish found no room. Any thread.
  void refused() {
    refused_.fetch_add(1, std::memory_order_relaxed);
  }
  /// What actors and lanes count themselves.
  [[nodiscard]] engine_figures& figures() {
    return where_it_happens_;
  }

  // -- any thread -------------------------------------------------------------

  [[nodiscard]] const engine_figures& figures() const {
    return where_it_happens_;
  }
  [[nodiscard]] const committed& of_commits() const {
    return committed_;
  }
  [[nodiscard]] std::uint64_t publishes_refused() const {
    return refused_.load(std::memory_order_relaxed);
  }

private:
  void note(const storage::append_call& made);
  void note(const storage::append_notifications& added);

  engine_figures where_it_happens_;
  committed committed_;
  std::atomic<std::uint64_t> refused_{0};
};

} // namespace fanfare
