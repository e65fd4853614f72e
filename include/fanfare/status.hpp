// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What an operator looks at first: how many webhooks are in trouble, which are
/// the worst, and how the engine itself is.

#include "fanfare/reports.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

/// Counts of webhooks. One can be in several of them.
struct webhook_counts {
  std::size_t registered = 0;
  std::size_t enabled = 0;
  std::size_t failing = 0; ///< enabled, and the last request failed
  /// With a notification that has waited for more than a minute and a
  /// half for its first attempt, or with more of them than fit into memory.
  std::size_t behind = 0;
  /// By what holds them: pause, order, breaker, retry_after, rate, outage.
  /// Those with nothing to send are counted, too, if a pause or the receiver
  /// holds them.
  std::map<hold_reason, std::size_t> held = {};
  std::size_t slow = 0; ///< answered after 5 s or more, within 10 minutes
  std::size_t disabled_lately = 0;       ///< within 24 h, at most 10,000
  std::size_t certificates_expiring = 0; ///< within 14 days
};

/// A webhook that needs somebody to look at it.
struct troubled_webhook {
  /// What is wrong, or the worst of it.
  enum class trouble : std::uint8_t {
    failing,     ///< its last request failed
    held,        ///< its receiver, an order or an outage of this machine
    disabled,    ///< by the engine, within 24 h
    behind,      ///< as in `webhook_counts`
    paused,      ///< by its owner
    slow,        ///< as in `webhook_counts`
    certificate, ///< the receiver's expires within 14 days
  };
  webhook_id id = 0;
  organizer_id owner = 0;
  std::string organizer;  ///< its slug
  std::string name = {};  ///< of the webhook; empty: it has none
  std::string target_url; ///< without its password and query
  trouble what = trouble::failing;
  std::optional<timestamp> since = {}; ///< if that is known
  std::uint32_t failures = 0;          ///< in a row
  hold_reason held_by = hold_reason::none;
  std::optional<timestamp> held_until = {};
  /// Published and neither delivered nor given up.
  std::optional<webhook_health::waiting> oldest_waiting = {};
  std::optional<call> last_error = {}; ///< among the last 5 calls
  /// Of the last slow call.
  std::optional<std::chrono::milliseconds> slow = {};
  std::optional<timestamp> certificate_expires = {};
};

/// A view of the whole, or of an organizer's part of it.
struct engine_status {
  timestamp at; ///< when it was taken
  webhook_counts webhooks;
  std::size_t troubled = 0; ///< webhooks that could be in `worst`
  /// The worst first: those that keep notifications waiting, by how long; then
  /// the others.
  std::vector<troubled_webhook> worst;

  // -- the engine -------------------------------------------------------------

  timestamp started;
  bool ready = false; ///< it runs, and the disk takes writes
  struct queue_figures {
    std::size_t in_flight = 0;        ///< attempts
    std::size_t active_webhooks = 0;  ///< with an actor
    std::size_t waiting_webhooks = 0; ///< for others to come to rest
    std::size_t unrouted = 0;         ///< notifications not fanned out yet
  };
  queue_figures queue;
  struct commit_figures {
    std::chrono::microseconds last{0};
    std::chrono::microseconds longest{0}; ///< of the last one or two minutes
  };
  commit_figures commits;
  struct disk_figures {
    std::size_t store_bytes = 0;
    std::size_t store_most = 0;           ///< then publishes are refused
    std::optional<std::size_t> free = {}; ///< of its file system, if known
    std::optional<std::size_t> size = {};
  };
  disk_figures disk;
  struct retention_figures {
    std::chrono::milliseconds period{0};
    std::optional<timestamp> oldest = {}; ///< publish of the oldest one kept
  };
  retention_figures retention;
};

} // namespace fanfare
