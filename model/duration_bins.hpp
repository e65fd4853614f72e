// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Durations counted in bins whose widths grow with them: four to the octave,
/// so that the middle of a bin is within 10 % of whatever is in it.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fanfare {

class duration_bins {
public:
  using microseconds = std::chrono::microseconds;

  /// The first one has all below 128 µs, the last one all above an hour.
  /// Statistics on disk hold their places.
  static constexpr std::size_t bins = 101;

  [[nodiscard]] static std::uint8_t bin_of(microseconds d);
  /// Its geometric middle; of the first one half of its width.
  [[nodiscard]] static microseconds middle_of(std::size_t bin);

  void add(std::size_t bin, std::uint64_t count = 1) {
    counts_[bin] += count;
    total_ += count;
  }
  void add(const duration_bins& other);

  [[nodiscard]] std::uint64_t total() const noexcept {
    return total_;
  }
  [[nodiscard]] std::uint64_t operator[](std::size_t bin) const {
    return counts_[bin];
  }
  /// The least duration that is not exceeded by this part of them, as the
  /// middle of its bin. Zero if there are none.
  [[nodiscard]] microseconds quantile(double part) const;

  bool operator==(const duration_bins&) const = default;

private:
  std::array<std::uint64_t, bins> counts_{};
  std::uint64_t total_ = 0;
};

} // namespace fanfare
