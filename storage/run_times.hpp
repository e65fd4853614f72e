// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// When engines ran on a store, and when none did: that time says nothing about
/// receivers.

#include "fanfare/types.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace fanfare::storage {

struct run_times {
  /// From a stop, or the last sign of life, to the next start.
  struct pause {
    timestamp since{};
    timestamp until{};
    bool operator==(const pause&) const = default;
  };

  timestamp until{};      ///< an engine was seen running; the epoch: never
  std::vector<pause> off; ///< the newest, oldest first
  bool operator==(const run_times&) const = default;

  static constexpr std::size_t most_pauses = 32;
};

/// What is known when an engine starts at `now`. If nothing was known of the
/// time before, nobody ran.
[[nodiscard]] inline run_times started_again(run_times known, timestamp now) {
  auto& off = known.off;
  if (now > known.until) // else the clock was set back
    off.push_back({std::exchange(known.until, now), now});
  if (off.size() > run_times::most_pauses) {
    off[1].since = off[0].since;
    off.erase(off.begin());
  }
  return known;
}

} // namespace fanfare::storage
