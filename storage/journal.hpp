// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads of the journal: the notifications in order of publication.

#include "fanfare/error.hpp"
#include "model/feed.hpp"
#include "model/records.hpp"
#include "model/search.hpp"

#include <cstddef>
#include <vector>

namespace fanfare::storage {

/// A piece of a webhook's backlog.
struct backlog {
  std::vector<notification_ptr> matches; ///< ascending
  /// Everything at or before it was scanned.
  position read_upto = 0;
};

/// Any thread that may block on the disk. Reads what is committed.
class journal {
public:
  virtual ~journal() = default;

  /// The newest position; 0 before the first. Does not block.
  [[nodiscard]] virtual position tail() const = 0;

  /// not_found.
  [[nodiscard]] virtual result<notification_ptr> find(position at) const = 0;

  /// In order, after `after` and at or before `upto`.
  [[nodiscard]] virtual result<std::vector<notification_ptr>>
  read(position after, position upto, std::size_t limit) const = 0;

  /// The webhook's matches after `after`, each matched with the version that
  /// applies to it. Reads at most `max_matches` of them and at most `max_scan`
  /// index entries of the organizer.
  [[nodiscard]] virtual result<backlog>
  read_backlog(const webhook_record& hook, position after, position upto,
               std::size_t max_matches, std::size_t max_scan) const = 0;

  /// The organizer's newest notifications that the subscription matches,
  /// ignoring its filter, newest first. Scans at most `max_scan` index
  /// entries.
  [[nodiscard]] virtual result<std::vector<notification_ptr>>
  newest_matches(organizer_id owner, const subscription& sub, std::size_t limit,
                 std::size_t max_scan) const = 0;

  /// The organizer's notifications, newest first.
  [[nodiscard]] virtual result<found_notifications>
  search(organizer_id owner, const notification_search& wanted) const = 0;

  /// The organizer's notifications after `after`, oldest first.
  [[nodiscard]] virtual result<newer_notifications>
  newer(organizer_id owner, position after,
        const feed_limits& within) const = 0;
  /// The last position before the first that was published at `t` or later, as
  /// far as times ascend.
  [[nodiscard]] virtual result<position> last_before(timestamp t) const = 0;
};

} // namespace fanfare::storage
