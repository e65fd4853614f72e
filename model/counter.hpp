// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Counters that cost who counts next to nothing: one thread at a time writes,
/// without locked instructions, and any thread reads.

#include "fanfare/metrics.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fanfare {

/// Written by one thread at a time. As a gauge it can be counted down again.
class counter {
public:
  void add(std::uint64_t n = 1) {
    value_.store(value() + n, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t n = 1) {
    value_.store(value() - n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) {
    value_.store(n, std::memory_order_relaxed);
  }
  /// Any thread.
  [[nodiscard]] std::uint64_t value() const {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// Durations, counted by size. The bounds are constants of the program, in
/// ascending order.
template <std::size_t Size>
class duration_histogram {
public:
  using bounds = std::array<std::chrono::microseconds, Size>;

  explicit duration_histogram(const bounds& upto) : upto_(upto) {}

  /// Below zero, as after a clock was set back, it counts as zero.
  void observe(std::chrono::microseconds took) {
    std::size_t i = 0;
    while (i < Size && took > upto_[i])
      ++i;
    counts_[i].add();
    if (took.count() > 0)
      sum_.add(static_cast<std::uint64_t>(took.count()));
  }

  /// Fills in value, buckets and sum, in seconds. Any thread.
  void read(metric& into) const {
    constexpr double second = 1e6;
    into.type = metric::kind::histogram;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < Size; ++i) {
      count += counts_[i].value();
      into.buckets.push_back(
        {static_cast<double>(upto_[i].count()) / second, count});
    }
    // By the same reading: the last bucket is not larger than all of them.
    into.value = static_cast<double>(count + counts_[Size].value());
    into.sum = static_cast<double>(sum_.value()) / second;
  }

private:
  const bounds& upto_;
  std::array<counter, Size + 1> counts_;
  counter sum_; ///< microseconds
};

} // namespace fanfare
