// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The feed of an organizer: what was published, what was called and how its
/// webhooks change, oldest first, from a place on.

#include "fanfare/status.hpp"
#include "fanfare/types.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

using call_ptr = std::shared_ptr<const call>;

/// Everything at or before it is known to whoever follows a feed.
struct feed_place {
  call_id call = 0;
  position notification = 0;
  /// Changes of webhooks are not stored: their numbers hold for one run of an
  /// engine.
  std::uint64_t run = 0;
  std::uint64_t change = 0;
  bool operator==(const feed_place&) const = default;
};

/// A webhook has another state.
struct webhook_change {
  enum class kind : std::uint8_t {
    created,
    changed,        ///< another setting, or another secret
    enabled,        ///< by its owner
    disabled,       ///< by its owner or the engine
    paused,         ///< by its owner
    resumed,        ///< the same
    failing,        ///< it begins to fail
    healthy,        ///< it does not fail any more
    breaker_opened, ///< it failed too often in a row
    breaker_closed, ///< it is called again
    held,           ///< its receiver asks to wait
    troubled,       ///< no change: it is in trouble now, as `trouble` says
  };
  std::uint64_t number = 0; ///< in its run; 0 for `troubled`
  organizer_id owner = 0;
  webhook_id hook = 0;
  kind what = kind::changed;
  timestamp time{};         ///< for `troubled`: since when; the epoch: unknown
  std::string target_url{}; ///< without its password and query
  std::string sentence{};   ///< about the webhook: "was paused by its owner"
  std::optional<troubled_webhook::trouble> trouble{};
};
using webhook_change_ptr = std::shared_ptr<const webhook_change>;

/// What to read of a feed at a time.
struct feed_limits {
  // Others are passed over.
  bool calls = true;
  bool notifications = true;
  bool changes = true;
  std::size_t most = std::numeric_limits<std::size_t>::max(); ///< of each kind
  /// Bytes of their texts after which it ends, of each kind.
  std::size_t max_bytes = std::numeric_limits<std::size_t>::max();
  /// Calls, whosever they are, that are looked at.
  std::size_t max_scan = std::numeric_limits<std::size_t>::max();
};

/// Calls of an organizer's webhooks, oldest first.
struct newer_calls {
  std::vector<call> found{};
  call_id upto = 0;  ///< all at or before it were looked at
  bool more = false; ///< there may be others after it
  bool lost = false; ///< some after the place may have expired
};

/// Notifications of an organizer, oldest first.
struct newer_notifications {
  std::vector<notification_ptr> found{};
  position upto = 0;
  bool more = false;
  bool lost = false;
};

/// A part of a feed. A notification comes before its calls, unless these are so
/// many that a page ends between.
struct feed_page {
  struct called {
    call_ptr what;
    notification_ptr subject; ///< null: it has to be looked up
  };
  std::vector<notification_ptr> notifications{};
  std::vector<called> calls{};
  std::vector<webhook_change_ptr> changes{};
  feed_place next{}; ///< where it goes on
  bool more = false; ///< at once; else `follow` tells when
  /// What happened after the place and cannot be known any more, or only in
  /// part.
  struct {
    bool calls = false;
    bool notifications = false;
    bool changes = false;
  } lost{};
};

/// Bytes that an entry of a feed counts for.
[[nodiscard]] inline std::size_t feed_weight(const call& c) {
  return sizeof c + c.target_url.size() + c.reason.size()
       + c.response_head.size() + c.response_body.size();
}
[[nodiscard]] inline std::size_t feed_weight(const notification& n) {
  return sizeof n + n.body.size() + n.action.size() + n.trace.size();
}

} // namespace fanfare
