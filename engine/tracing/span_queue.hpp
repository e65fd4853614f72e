// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Encoded spans that wait for the collector, and what became of all spans.
/// Bounded: whoever records a span never waits, and what is new pushes out what
/// is old. Any thread.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace fanfare {

/// Since the start.
struct span_counts {
  std::atomic<std::uint64_t> exported{0}; ///< the collector has them
  std::atomic<std::uint64_t> dropped{0};  ///< there was no room
  /// The collector refused them, or did not answer for too long.
  std::atomic<std::uint64_t> failed{0};
};

class span_queue {
public:
  /// What `most` spans may have on average.
  static constexpr std::size_t bytes_per_span = 1'024;

  /// `most`: spans that wait. `batch`: so many are worth a request at once.
  span_queue(std::size_t most, std::size_t batch)
    : most_(most),
      batch_(batch) {}

  /// True if whoever empties it has to be told: it was empty before, or has
  /// just become worth a request.
  bool push(std::string span);
  /// The oldest, at most a batch.
  [[nodiscard]] std::vector<std::string> take();

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool has_batch() const {
    return size() >= batch_;
  }
  [[nodiscard]] span_counts& counts() {
    return counts_;
  }
  [[nodiscard]] const span_counts& counts() const {
    return counts_;
  }

private:
  /// With the lock held.
  void drop_oldest();

  const std::size_t most_;
  const std::size_t batch_;
  mutable std::mutex mutex_;
  std::deque<std::string> waiting_;
  std::size_t bytes_ = 0;
  span_counts counts_;
};

} // namespace fanfare
