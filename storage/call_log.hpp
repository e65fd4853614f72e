// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads of the call log: every attempt and its outcome.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "model/call_tally.hpp"
#include "model/feed.hpp"
#include "model/search.hpp"

#include <cstddef>
#include <vector>

namespace fanfare::storage {

/// Any thread that may block on the disk. Reads what is committed.
class call_log {
public:
  virtual ~call_log() = default;

  /// The webhook's newest calls with ids below `before` (0: any), newest first.
  /// Follows the webhook's own chain: other webhooks' calls cost nothing.
  [[nodiscard]] virtual result<std::vector<call>>
  newest(webhook_id hook, call_id before, std::size_t limit) const = 0;

  /// Calls of the organizer's webhooks, newest first. Walks through those of
  /// other organizers, too.
  [[nodiscard]] virtual result<found_calls>
  search(organizer_id owner, const call_search& wanted) const = 0;

  /// Counts the calls that were ever committed, those that have expired
  /// included, one tally for each step. What is older than the `tally_times`
  /// may be missing or counted at the beginning of its hour.
  [[nodiscard]] virtual result<std::vector<call_tally>>
  count(const tally_query& which) const = 0;

  /// Calls of the organizer's webhooks after `after`, oldest first. Walks
  /// through those of other organizers, too.
  [[nodiscard]] virtual result<newer_calls>
  newer(organizer_id owner, call_id after, const feed_limits& within) const = 0;
  /// The newest id, whether or not that call has expired; 0 before the first.
  /// Does not block.
  [[nodiscard]] virtual call_id last() const = 0;
  /// The last one before the first that began at `t` or later, as far as calls
  /// end in the order in which they began.
  [[nodiscard]] virtual result<call_id> last_before(timestamp t) const = 0;

  /// not_found: the webhook has no such call.
  [[nodiscard]] virtual result<call> find(webhook_id hook,
                                          call_id id) const = 0;
};

} // namespace fanfare::storage
