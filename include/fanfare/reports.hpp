// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reports of an engine: its state, its webhooks' state, and the fate of
/// notifications.

#include "fanfare/types.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

// -- the engine ---------------------------------------------------------------

/// Figures of a running engine.
struct engine_statistics {
  std::size_t registered_webhooks = 0;
  std::size_t active_webhooks = 0; ///< with an actor
  std::size_t in_flight = 0;       ///< attempts in flight
  position tail = 0;               ///< newest notification
  position routed_upto = 0;        ///< newest that was fanned out
  call_id last_call = 0;
  std::size_t calls_replayed = 0; ///< at the start
  std::size_t store_bytes = 0;
};

// -- webhooks -----------------------------------------------------------------

/// What holds a webhook's attempts now.
enum class hold_reason : std::uint8_t {
  none,        ///< only its turn, or the disk, which takes no calls
  pause,       ///< its owner paused it
  order,       ///< `ordered`: one that failed comes first
  breaker,     ///< it failed too often in a row
  retry_after, ///< its receiver requested a wait
  rate,        ///< its rate limit
  batch,       ///< a batch fills up
  outage,      ///< this machine reaches no one, or lacks what the call needs
  concurrency, ///< the most attempts allowed are in flight
};

/// A test call of a webhook, and what was sent.
struct test_call {
  call value;
  notification_ptr what;
  /// What held notifications meanwhile, which a test bypasses, and until when.
  hold_reason held_by = hold_reason::none;
  std::optional<timestamp> held_until = {};
};

/// The selection of a replay.
struct replay_preview {
  replay_request asked;
  std::size_t count = 0;
  std::size_t skipped = 0;     ///< because they wait anyway
  std::vector<position> first; ///< of those selected, at most 10
};

/// A replay and its progress. A webhook runs at most one at a time; the last
/// one is kept.
struct replay_progress {
  replay_request asked;
  replay_state state = replay_state::running;
  std::uint64_t count = 0;   ///< selected
  std::uint64_t skipped = 0; ///< not selected, because they wait anyway
  std::uint64_t queued = 0;  ///< of those selected, handed over to delivery
  /// Handed over, and neither delivered nor given up yet.
  std::size_t waiting = 0;
  timestamp started;
  std::optional<timestamp> ended;
};

/// A webhook's state, judged by its newest calls and what is pending.
struct webhook_health {
  enum class verdict : std::uint8_t {
    healthy, ///< the newest call that shows something (`evidence`) succeeded
    failing, ///< it did not
    idle,    ///< no such calls lately
    disabled,
  };
  verdict status = verdict::idle;
  /// Calls examined: the newest, at most 1,000 and at most 24 h old.
  std::size_t calls = 0;
  std::size_t successes = 0;
  /// Those that show neither success nor failure: answered with one of the
  /// `final_statuses`, or batches sent again in parts.
  std::size_t unclear = 0;
  std::optional<timestamp> since; ///< of the oldest of them
  double calls_per_minute = 0;
  struct durations {
    std::chrono::microseconds p50{0}, p90{0}, p99{0}, most{0};
  };
  std::optional<durations> execution_time; ///< of those that were attempts
  std::map<std::uint16_t, std::size_t> return_codes;
  std::size_t retries = 0;
  std::optional<timestamp> next_retry;
  /// Notifications not yet attempted.
  std::size_t backlog = 0;
  bool backlog_complete = true; ///< false: there may be more
  struct waiting {
    position subject = 0;
    timestamp published;
  };
  std::optional<waiting> oldest_waiting;
  std::optional<timestamp> last_success; ///< among the calls examined
  std::optional<call> last_error;        ///< among the calls examined
};

/// How the calls of a webhook went, or those of all webhooks of an organizer,
/// by steps of time. Each call that was ever committed counts once.
struct call_statistics {
  /// How long receivers took to answer, each within 10 %.
  struct durations {
    std::chrono::microseconds p50{0}, p90{0}, p99{0};
    bool operator==(const durations&) const = default;
  };
  struct counts {
    std::uint64_t calls = 0;     ///< entries of the call log
    std::uint64_t successes = 0; ///< answered with a status 2xx
    std::uint64_t failures = 0;  ///< the others
    /// By kind, as the metric fanfare_call_failures_total names them; without
    /// those that did not happen.
    std::map<std::string, std::uint64_t> failures_by_kind = {};
    std::uint64_t retries = 0;  ///< second and later attempts
    std::uint64_t given_up = 0; ///< after which nothing was tried again
    /// Of those that were answered, with whatever status.
    std::optional<durations> answer_time = {};
    bool operator==(const counts&) const = default;
  };
  /// Calls that began at or after `since` and before that plus `step`.
  struct bucket {
    timestamp since{};
    counts counted = {};
    bool operator==(const bucket&) const = default;
  };
  /// What was asked for, in whole steps: these begin at multiples of `step`
  /// after the epoch (UTC).
  timestamp since{};
  timestamp until{};
  std::chrono::seconds step{0};
  std::vector<bucket> buckets; ///< by time, also those without calls
  counts total = {};
};

/// The current state of a webhook's deliveries.
struct delivery_state {
  enum class breaker_state : std::uint8_t { closed, open, half_open };
  breaker_state breaker = breaker_state::closed;
  std::uint32_t failures = 0;                  ///< in a row
  std::optional<timestamp> failing_since = {}; ///< of the first of them
  std::optional<timestamp> breaker_until = {}; ///< while it is open
  hold_reason held_by = hold_reason::none;
  std::optional<timestamp> held_until = {}; ///< if that is known
  std::size_t in_flight = 0;
  std::size_t concurrency = 0; ///< the current maximum
  /// The oldest notification that is neither delivered nor given up, of those
  /// in memory.
  std::optional<position> oldest_waiting = {};
  /// The receiver's, as of the last handshake.
  std::optional<timestamp> certificate_expires = {};
};

/// Why a webhook got a notification or did not, and what became of it.
struct explanation {
  enum class rule : std::uint8_t {
    none, ///< it matched
    created_later,
    disabled,
    action_type,
    event,
    filter,
  };
  enum class fate : std::uint8_t {
    not_matched,
    waiting,  ///< not attempted yet
    retrying, ///< failed, due again
    delivered,
    given_up,
    ended, ///< without a last call: the webhook was disabled first
  };
  webhook hook;
  rule failed = rule::none; ///< the first that failed
  std::optional<timestamp> disabled_since;
  fate state = fate::not_matched;
  std::optional<timestamp> due;
  std::vector<call> calls;    ///< oldest first
  bool calls_complete = true; ///< false: the log was too long to search
  /// While it waits: what holds the webhook back.
  hold_reason held_by = hold_reason::none;
  std::optional<timestamp> held_until = {}; ///< if that is known
};

/// The newest notifications that would pass a filter.
struct filter_preview {
  std::size_t looked_at = 0;
  std::vector<notification_ptr> passed; ///< newest first
};

} // namespace fanfare
