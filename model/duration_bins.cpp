// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "model/duration_bins.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fanfare {

namespace {

constexpr std::size_t per_octave = 4;
constexpr unsigned first_octave = 7; // from 128 µs
constexpr unsigned last_octave = 31;
static_assert(1 + per_octave * (last_octave + 1 - first_octave)
              == duration_bins::bins);

/// Where the second, third and fourth bin of the octave from 2^16 on begin: at
/// its fourth roots, rounded up.
constexpr std::uint64_t beginnings[] = {77'936, 92'682, 110'218};
constexpr unsigned scale = 16;

} // namespace

std::uint8_t duration_bins::bin_of(microseconds d) {
  constexpr auto least = std::int64_t{1} << first_octave;
  constexpr auto most = (std::int64_t{1} << (last_octave + 1)) - 1;
  if (d.count() < least)
    return 0;
  const auto us = static_cast<std::uint64_t>(std::min(d.count(), most));
  const auto octave = static_cast<unsigned>(std::bit_width(us)) - 1;
  const auto scaled = (us << scale) >> octave;
  const auto quarter = std::ranges::count_if(
    beginnings, [&](std::uint64_t from) { return scaled >= from; });
  return static_cast<std::uint8_t>(1 + per_octave * (octave - first_octave)
                                   + static_cast<std::size_t>(quarter));
}

duration_bins::microseconds duration_bins::middle_of(std::size_t bin) {
  if (bin == 0)
    return microseconds{std::int64_t{1} << (first_octave - 1)};
  const auto octaves = (static_cast<double>(bin - 1) + 0.5) / per_octave;
  return microseconds{std::llround(std::exp2(first_octave + octaves))};
}

void duration_bins::add(const duration_bins& other) {
  for (std::size_t i = 0; i < bins; ++i)
    counts_[i] += other.counts_[i];
  total_ += other.total_;
}

duration_bins::microseconds duration_bins::quantile(double part) const {
  if (total_ == 0)
    return microseconds{0};
  const auto rank = std::max(1.0,
                             std::ceil(part * static_cast<double>(total_)));
  double seen = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < bins; ++i) {
    if (counts_[i] == 0)
      continue;
    last = i;
    seen += static_cast<double>(counts_[i]);
    if (seen >= rank)
      break;
  }
  return middle_of(last);
}

} // namespace fanfare
