// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What to look for among an organizer's notifications and calls, newest first,
/// with bounds for the work, and what was found within them.

#include "fanfare/types.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace fanfare {

struct notification_search {
  std::optional<std::vector<action_type_id>> types = {}; ///< sorted; none: any
  std::optional<event_id> event = {};
  /// Whether one that fits otherwise is wanted; empty: all are.
  std::function<bool(const notification&)> takes = {};
  position before = 0; ///< only those with a lower id; 0: from the newest
  /// Published then or later, and before then. Exact as far as the clock of
  /// this machine was not set back.
  std::optional<timestamp> since = {};
  std::optional<timestamp> until = {};
  std::size_t limit = 50; ///< at least 1, as all limits here
  /// Bytes of bodies after which it ends.
  std::size_t max_bytes = std::numeric_limits<std::size_t>::max();
  /// Of the organizer's notifications, those that are looked at in the index.
  std::size_t max_scan = std::numeric_limits<std::size_t>::max();
  /// Bytes of those that are read: the bodies, but at least `least_read` each.
  std::size_t max_read = std::numeric_limits<std::size_t>::max();
  /// The same for the time that it takes.
  std::chrono::milliseconds max_time = std::chrono::hours{1};
};

/// What reading a notification costs at least, in bytes.
inline constexpr std::size_t least_read = 1024;

struct found_notifications {
  std::vector<notification_ptr> found{};
  /// Where to go on (`before`); 0: there are no others.
  position next = 0;
  /// If it can go on: when the oldest was published that was looked at, unless
  /// that one has expired.
  std::optional<timestamp> looked_back_to{};
};

struct call_search {
  /// Only of these, of the organizer's webhooks; sorted. Empty: of all.
  std::vector<webhook_id> hooks = {};
  call_id before = 0; ///< only those with a lower id; 0: from the newest
  std::size_t limit = 100;
  /// Calls, whosever they are, that are looked at.
  std::size_t max_scan = std::numeric_limits<std::size_t>::max();
};

struct found_calls {
  std::vector<call> found{};
  std::size_t scanned = 0;
  /// Where to go on (`before`); 0: there are no others.
  call_id next = 0;
  /// If it can go on: the time of the oldest that was looked at.
  std::optional<timestamp> looked_back_to{};
};

} // namespace fanfare
