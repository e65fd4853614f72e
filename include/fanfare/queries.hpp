// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which part of a list to return.

#include "fanfare/types.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace fanfare {

/// Some of an organizer's webhooks, by id.
struct webhook_query {
  std::optional<bool> enabled = {}; ///< only those that are, or are not
  std::size_t offset = 0;
  std::size_t limit = 100;
  std::string name = {}; ///< only the one with this name; empty: any
};

/// Some of a webhook's calls, newest first.
struct call_query {
  call_id before = 0; ///< only those with a lower id; 0: from the newest
  std::size_t limit = 100;
};

/// Which calls to count, and by which steps of time. What is older than 2 days
/// is kept by the hour, and that for 30 days.
struct statistics_query {
  /// None: 24 h before `until`; earlier than what is kept: the first of that.
  std::optional<timestamp> since = {};
  std::optional<timestamp> until = {}; ///< none, or later: now
  /// A multiple of 5 minutes below an hour, if `since` is not more than 2 days
  /// ago; or whole hours up to a day. None: 5 minutes if possible, or an hour.
  std::optional<std::chrono::seconds> step = {};
};

/// The organizer's webhooks, by id, for which to explain a notification.
struct explanation_query {
  std::size_t offset = 0;
  std::size_t limit = 100;
};

} // namespace fanfare
