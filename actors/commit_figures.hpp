// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is counted of commits. The thread with the turn to write writes, any
/// thread reads.

#include "model/counter.hpp"

#include <array>
#include <chrono>
#include <cstddef>

namespace fanfare {

inline constexpr std::array<std::chrono::microseconds, 14> commit_bounds{
  {std::chrono::microseconds{100}, std::chrono::microseconds{250},
   std::chrono::microseconds{500}, std::chrono::milliseconds{1},
   std::chrono::microseconds{2'500}, std::chrono::milliseconds{5},
   std::chrono::milliseconds{10}, std::chrono::milliseconds{25},
   std::chrono::milliseconds{50}, std::chrono::milliseconds{100},
   std::chrono::milliseconds{250}, std::chrono::milliseconds{500},
   std::chrono::seconds{1}, std::chrono::seconds{5}}};

struct commit_figures {
  /// From when the store got a group until it was on disk.
  duration_histogram<commit_bounds.size()> took{commit_bounds};
  counter operations; ///< in them
  counter failed;     ///< groups that the disk did not take
};

} // namespace fanfare
