// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Calls counted: what statistics keep of a stretch of time.

#include "fanfare/types.hpp"
#include "model/duration_bins.hpp"
#include "model/failure_kind.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fanfare {

/// What a call counts as.
struct call_class {
  static constexpr std::uint8_t none = 0xff;

  std::uint8_t kind = none; ///< place in failure_kinds; none: a success
  std::uint8_t bin = none;  ///< of the histogram; none: no answer
  bool is_retry = false;    ///< a second or later attempt
  bool gives_up = false;    ///< nothing is tried again after it
};

[[nodiscard]] call_class classify(const call& entry);

struct call_tally {
  std::array<std::uint64_t, failure_kinds.size()> failures{}; ///< by kind
  std::uint64_t retries = 0;
  std::uint64_t given_up = 0;
  duration_bins answers; ///< successes, and failures that are answers

  void add(const call_class& one);
  void add(const call_tally& other);

  [[nodiscard]] std::uint64_t all_failures() const;
  [[nodiscard]] std::uint64_t successes() const;
  [[nodiscard]] std::uint64_t calls() const {
    return successes() + all_failures();
  }

  bool operator==(const call_tally&) const = default;
};

/// How statistics are kept: by 5 minutes at first, by the hour later on.
namespace tally_times {
inline constexpr std::chrono::seconds fine{300};
inline constexpr std::chrono::seconds coarse{3600};
inline constexpr std::chrono::hours fine_kept{48};
inline constexpr std::chrono::hours coarse_kept{30 * 24};
} // namespace tally_times

/// Which calls to count: by the time at which they began.
struct tally_query {
  organizer_id owner = 0; ///< all of its webhooks, if `hook` is 0
  webhook_id hook = 0;
  timestamp since{}; ///< a multiple of `step` after the epoch
  std::chrono::seconds step = tally_times::fine; ///< a multiple of that
  std::size_t steps = 0;

  /// The step that a time falls into; `steps` if it is outside.
  [[nodiscard]] std::size_t place_of(timestamp time) const {
    const auto place = time < since ? -1 : (time - since) / step;
    return place < 0 || static_cast<std::size_t>(place) >= steps
           ? steps
           : static_cast<std::size_t>(place);
  }
};

} // namespace fanfare
