// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// When a failed notification is tried again.

#include "fanfare/types.hpp"

#include <chrono>
#include <optional>
#include <random>
#include <vector>

namespace fanfare {

struct backoff_policy {
  /// Delay after attempt 1, 2, …; after the last of them nothing is tried
  /// again.
  std::vector<std::chrono::milliseconds> schedule = default_schedule();
  /// Age since publish beyond which no attempt is made.
  std::chrono::milliseconds max_age = std::chrono::hours{72};

  /// 5 s to 24 h, 12 attempts within 60 hours.
  static std::vector<std::chrono::milliseconds> default_schedule() {
    using std::chrono::seconds;
    return {seconds{5},     seconds{30},    seconds{60},    seconds{300},
            seconds{1200},  seconds{3600},  seconds{14400}, seconds{21600},
            seconds{43200}, seconds{43200}, seconds{86400}};
  }

  /// 1.0 to 1.1 times the delay, so that those that failed together do not come
  /// back together.
  template <class Random>
  static std::chrono::milliseconds
  jittered(std::chrono::milliseconds delay, Random& random) {
    const auto most = delay.count() / 10;
    return delay
         + std::chrono::milliseconds{
           std::uniform_int_distribution<std::chrono::milliseconds::rep>{
             0, most}(random)};
  }

  /// Delay after `attempt` (from 1) failed, without jitter; none when it was
  /// the last one.
  [[nodiscard]] std::optional<std::chrono::milliseconds>
  delay_after(std::uint16_t attempt) const {
    if (attempt == 0 || attempt > schedule.size())
      return std::nullopt;
    return schedule[attempt - 1U];
  }

  /// How long after the first attempt the one after `attempt` is made, roughly.
  /// The age of a notification that is sent again: its publish may be long ago.
  [[nodiscard]] std::chrono::milliseconds
  span_after(std::uint16_t attempt) const {
    std::chrono::milliseconds sum{0};
    for (std::size_t i = 0; i < attempt && i < schedule.size(); ++i)
      sum += schedule[i];
    return sum;
  }
};

} // namespace fanfare
