// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads of each webhook's progress: its backlog, its retry set, and its
/// replay. All of it follows from the last checkpoint and the calls
/// since.

#include "fanfare/error.hpp"
#include "model/action_name.hpp"
#include "model/records.hpp"
#include "storage/position_set.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::storage {

struct backlog_size {
  std::size_t count = 0;
  position first = 0;   ///< the oldest, 0 if there is none
  bool complete = true; ///< false: there may be more
};

/// The notifications that a replay sends.
struct selection {
  position_set chosen;
  std::size_t count = 0;
  std::size_t skipped = 0; ///< not chosen because they wait anyway
};

/// Notifications by what happened.
struct action_choice {
  action_type_id type = 0;   ///< the registered type; 0: any
  std::string action = {};   ///< the concrete action; empty: any
  std::string wildcard = {}; ///< covers the action; empty: any

  [[nodiscard]] bool takes(action_type_id of_type,
                           std::string_view of_action) const {
    return (type == 0 || of_type == type)
        && (action.empty() || of_action == action)
        && (wildcard.empty() || covers(wildcard, of_action));
  }
};

/// A webhook's state for one notification.
struct standing {
  bool settled = false; ///< as in `progress`
  std::optional<retry> waiting;
};

/// Any thread that may block on the disk. Reads what is committed.
class deliveries {
public:
  virtual ~deliveries() = default;

  /// The webhook's retry set by due time; none if it is disabled. not_found.
  [[nodiscard]] virtual result<std::vector<retry>>
  retries(webhook_id hook) const = 0;

  /// The same of `which` only. Looks at the notification of each retry, but not
  /// at its body.
  [[nodiscard]] virtual result<std::vector<retry>>
  retries(webhook_id hook, const action_choice& which) const = 0;

  /// not_found: there is no such webhook.
  [[nodiscard]] virtual result<standing> find_standing(webhook_id hook,
                                                       position at) const = 0;

  /// Notifications the webhook has not attempted yet. Scans at most `max_scan`
  /// index entries of the organizer.
  [[nodiscard]] virtual result<backlog_size>
  count_backlog(const webhook_record& hook, std::size_t max_scan) const = 0;

  /// The webhook's last replay. not_found.
  [[nodiscard]] virtual result<replay> find_replay(webhook_id hook) const = 0;

  /// The current selection of `wanted` after `wanted.cursor`: matches of
  /// `wanted.selecting` that are settled and not in the retry set. Scans every
  /// notification of the organizer in that range and, with `only_failed`, the
  /// webhook's calls since then.
  [[nodiscard]] virtual result<selection>
  select(const webhook_record& hook, const replay& wanted) const = 0;
};

} // namespace fanfare::storage
