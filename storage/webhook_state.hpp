// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The initial state of a webhook actor.

#include "model/records.hpp"
#include "storage/progress.hpp"

#include <optional>
#include <vector>

namespace fanfare::storage {

struct webhook_state {
  webhook_record hook;
  progress upto;
  std::vector<retry> retries; ///< in any order; none if it is disabled
  std::optional<replay> running;
  /// Times of its newest requests, newest first, for a webhook with a rate
  /// limit: those within its period before the newest one, at most
  /// `most_recent`.
  std::vector<timestamp> recent = {};

  static constexpr std::size_t most_recent = 1'000;

  /// Calls that add_recent() has looked at, so that it does not go through a
  /// whole log for a long period.
  std::size_t looked_at = 0;
};

/// Adds a call to `recent`, back from the newest; false: enough.
inline bool add_recent(webhook_state& state, const call& c) {
  const auto& rate = state.hook.delivery.rate_limit;
  auto& recent = state.recent;
  if (!rate || recent.size() >= webhook_state::most_recent
      || ++state.looked_at > 4 * webhook_state::most_recent
      || (!recent.empty() && recent.front() - c.time >= rate->period))
    return false;
  // The members of a batch went out in one request.
  const bool same = state.hook.delivery.batch && !recent.empty()
                 && recent.back() == c.time;
  if (!c.unsent && !same)
    recent.push_back(c.time);
  return true;
}

} // namespace fanfare::storage
