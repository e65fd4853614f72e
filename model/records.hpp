// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Webhooks and replays as they are stored. They hold more than the public
/// values (fanfare/types.hpp) show: every version of the subscription, the
/// signing secrets, the subscription by which a replay selects.

#include "fanfare/types.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

class payload_filter; // model/payload_filter.hpp

/// A shared condition on the body of a notification. Equal if the texts are.
struct filter_ref {
  std::shared_ptr<const payload_filter> value; ///< null: everything passes
  bool operator==(const filter_ref& other) const;
  explicit operator bool() const {
    return value != nullptr;
  }
};

/// Which notifications a webhook gets. Lists are sorted and free of duplicates.
struct subscription {
  bool enabled = true;
  bool all_events = true;
  std::vector<event_id> events;
  std::vector<action_type_id> types;
  filter_ref filter = {};
  /// Actions by the beginning of their names (model/action_name.hpp), whatever
  /// type they are of. None covers another one, or one of `types`.
  std::vector<std::string> wildcards = {};
  bool operator==(const subscription&) const = default;
};

/// A subscription and the first position it holds for: an edit takes effect for
/// notifications published after it, even if the webhook is far behind.
struct subscription_version {
  position from = 0;
  timestamp since; ///< when it was made; the epoch if unknown
  subscription value;
  bool operator==(const subscription_version&) const = default;
};

/// A key that calls are signed with. `expires` is set once it was replaced:
/// until then calls carry a signature with each key.
struct signing_secret {
  std::string sealed; ///< by protocol::vault, purpose "secret"
  timestamp created;
  std::optional<timestamp> expires;
  bool operator==(const signing_secret&) const = default;
};

/// A webhook as it is stored.
struct webhook_record {
  webhook_id id = 0;
  organizer_id owner = 0;
  std::string target_url;
  std::optional<std::string> comment;
  /// As the user submitted them, sorted; duplicates are kept because the API
  /// of pretix shows them.
  std::vector<std::string> action_types;
  delivery_settings delivery;
  /// Newest first; empty until the first one is made.
  std::vector<signing_secret> secrets;
  /// When it was last unpaused. Older notifications count as published then.
  std::optional<timestamp> resumed;
  /// Never empty, oldest first; the last one is in force.
  std::vector<subscription_version> versions;

  [[nodiscard]] const subscription& current() const {
    return versions.back().value;
  }
  [[nodiscard]] subscription& current() {
    return versions.back().value;
  }
  /// What is left of a webhook whose organizer was removed: its number, which
  /// no other webhook gets.
  [[nodiscard]] bool is_removed() const {
    return target_url.empty() && !current().enabled;
  }
  bool operator==(const webhook_record&) const = default;
};

/// A call as it is logged.
struct logged_call : call {
  call_id previous = 0; ///< the webhook's call before this one; by the store
  /// It counts for nothing of the receiver's health: another entry of the same
  /// request does, or the receiver before an edit has answered.
  bool uncounted = false;
  /// The receiver wants no calls before then, whatever becomes of this one.
  timestamp held_until{};
  bool operator==(const logged_call&) const = default;
};

/// A replay and its progress. At most one per webhook runs; the last one is
/// kept.
struct replay {
  replay_request asked;
  replay_state state = replay_state::running;
  position upto = 0;         ///< the journal's end when it began
  subscription selecting;    ///< the webhook's when it began
  std::uint64_t count = 0;   ///< selected
  std::uint64_t skipped = 0; ///< not selected, because they are pending anyway
  std::uint64_t queued = 0;  ///< selected and handed over to delivery
  position cursor = 0; ///< all selected ones at or before it are handed over
  timestamp started;
  std::optional<timestamp> ended;
  bool operator==(const replay&) const = default;
};

} // namespace fanfare
