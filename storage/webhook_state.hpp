// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The initial state of a webhook actor.

#include "model/records.hpp"
#include "storage/progress.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace fanfare::storage {

struct webhook_state {
  webhook_record hook;
  progress upto;
  std::vector<retry> retries; ///< in any order; none if it is disabled
  std::optional<replay> running;
  /// Times of its newest requests, newest first, for a webhook with a rate
  /// limit: those within its period before the newest one, as many as the rate
  /// allows at once.
  std::vector<timestamp> recent = {};
  /// Whether there was none within that period besides.
  bool recent_complete = false;

  static constexpr std::size_t most_recent = 1'000;
  /// Calls that add_recent() looks at, so that it does not go through a whole
  /// log for a long period.
  static constexpr std::size_t most_looked_at = 4 * most_recent;
  std::size_t looked_at = 0;
  std::size_t members = 0; ///< of the oldest in `recent`, if it was a batch
};

/// Adds a call to `recent`, back from the newest; false: enough. The caller
/// says that they are complete if there is none before.
inline bool add_recent(webhook_state& state, const call& c) {
  const auto& rate = state.hook.delivery.rate_limit;
  if (!rate)
    return false;
  auto& recent = state.recent;
  if (!recent.empty() && recent.front() - c.time >= rate->period) {
    state.recent_complete = true;
    return false;
  }
  // If the newest ones have used up all that the rate allows at once, those
  // before them do not matter.
  if (recent.size()
        >= std::min<std::size_t>(rate->count, webhook_state::most_recent)
      || ++state.looked_at > webhook_state::most_looked_at)
    return false;
  if (c.unsent)
    return true;
  // The members of a batch went out in one request.
  const auto& batch = state.hook.delivery.batch;
  if (batch && !recent.empty() && recent.back() == c.time
      && state.members < batch->max_count) {
    ++state.members;
  } else {
    recent.insert(recent.end(), c.repeated ? 2 : 1, c.time);
    state.members = 1;
  }
  return true;
}

} // namespace fanfare::storage
