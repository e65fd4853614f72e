// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the store keeps of a webhook and of a replay, beyond what the public
/// values (fanfare/types.hpp) show of them: every version of the subscription,
/// the signing secrets, what a replay selected by.

#include "fanfare/types.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

class payload_filter; // model/payload_filter.hpp

/// A shared condition on what a notification says; equal if its text is.
struct filter_ref {
  std::shared_ptr<const payload_filter> value; ///< null: everything passes
  bool operator==(const filter_ref& other) const;
  explicit operator bool() const {
    return value != nullptr;
  }
};

/// Which notifications a webhook gets. Lists are sorted and without repeats.
struct subscription {
  bool enabled = true;
  bool all_events = true;
  std::vector<event_id> events;
  std::vector<action_type_id> types;
  filter_ref filter = {};
  bool operator==(const subscription&) const = default;
};

/// A subscription and the first position it holds for: an edit takes effect for
/// what is published after it, also for a webhook that is far behind.
struct subscription_version {
  position from = 0;
  timestamp since; ///< when it was made; the epoch if that is not known
  subscription value;
  bool operator==(const subscription_version&) const = default;
};

/// A key that calls are signed with. `expires` is set on those that were
/// replaced: until then calls carry a signature of both.
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
  /// As its user submitted them, sorted; repeats are kept because the API of
  /// pretix shows them.
  std::vector<std::string> action_types;
  delivery_settings delivery;
  /// Newest first; none before the first one was made.
  std::vector<signing_secret> secrets;
  /// When it was last unpaused: what was published before is as old as that.
  std::optional<timestamp> resumed;
  /// Never empty, oldest first; the last one is in force for what comes next.
  std::vector<subscription_version> versions;

  [[nodiscard]] const subscription& current() const {
    return versions.back().value;
  }
  [[nodiscard]] subscription& current() {
    return versions.back().value;
  }
  bool operator==(const webhook_record&) const = default;
};

/// A replay and how far it has come. A webhook has at most one that runs; the
/// last one is kept.
struct replay {
  replay_request asked;
  replay_state state = replay_state::running;
  position upto = 0;         ///< the journal's end when it began
  subscription selecting;    ///< the webhook's when it began
  std::uint64_t count = 0;   ///< selected
  std::uint64_t skipped = 0; ///< not selected, because they wait anyway
  std::uint64_t queued = 0;  ///< of those selected, handed over to delivery
  position cursor = 0; ///< all selected ones at or before it are handed over
  timestamp started;
  std::optional<timestamp> ended;
  bool operator==(const replay&) const = default;
};

} // namespace fanfare
