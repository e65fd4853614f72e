// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The nouns of Fanfare (docs/architecture.md, "Words") as plain values. They
/// have no behaviour beyond comparing; what is done with them lives in the
/// folders that use them.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

class payload_filter; // model/payload_filter.hpp

// -- identifiers -----------------------------------------------------------

/// Place of a notification in the journal, from 1; also its `notification_id`.
/// 0 means "before the first".
using position = std::uint64_t;
/// Place of a call in the call log, from 1; 0 means none.
using call_id = std::uint64_t;
using webhook_id = std::uint64_t;
using token_id = std::uint64_t;
using organizer_id = std::uint32_t;
/// Unique over all organizers. 0 means "no event" (an organizer-level one).
using event_id = std::uint32_t;
/// A registered action type; wildcards (`a.b.*`) are registered names as well.
using action_type_id = std::uint32_t;

/// Wall time. Everything that survives a restart is measured in it.
using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

// -- registry --------------------------------------------------------------

struct organizer {
  organizer_id id = 0;
  std::string slug;
  std::string name;
  /// Networks that its webhooks may, and may not, be in, beside the engine's.
  std::vector<std::string> allow_networks = {};
  std::vector<std::string> deny_networks = {};
  bool operator==(const organizer&) const = default;
};

struct event {
  event_id id = 0;
  organizer_id owner = 0;
  std::string slug;
  std::string name;
  bool operator==(const event&) const = default;
};

struct action_type {
  action_type_id id = 0;
  std::string name; ///< "pretix.event.order.placed", "pretix.event.item.*"
  bool operator==(const action_type&) const = default;
};

/// What a token may do within its organizer; a set of bits.
enum permission : std::uint8_t {
  permission_webhooks = 1,      ///< manage webhooks, read the call log
  permission_notifications = 2, ///< publish
  permission_admin = 4, ///< manage events and tokens; implies the others
};

struct token {
  token_id id = 0;
  organizer_id owner = 0;
  std::string name;
  std::uint8_t permissions = 0; ///< bits of `permission`
  std::string hash;             ///< SHA-256 of the key, 32 bytes; never the key
  timestamp created;
  std::optional<timestamp> last_used;
  bool revoked = false;
  bool operator==(const token&) const = default;
};

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

// -- settings of delivery --------------------------------------------------

enum class signing_algorithm : std::uint8_t {
  none = 0,        ///< calls are not signed
  hmac_sha256 = 1, ///< Standard Webhooks v1
  ed25519 = 2,     ///< Standard Webhooks v1a
};

/// A further header for receivers whose check of signatures is home-made.
struct legacy_signature {
  enum class hash : std::uint8_t { sha1 = 0, sha256 = 1, sha512 = 2 };
  enum class encoding : std::uint8_t { hex = 0, base64 = 1 };
  std::string header;
  hash digest = hash::sha256;
  encoding text = encoding::hex;
  /// In front of the signature, "sha256=".
  std::string prefix;
  /// What is signed: {id}, {timestamp} and {body} are replaced.
  std::string content = "{body}";
  bool operator==(const legacy_signature&) const = default;
};

/// A key that calls are signed with. `expires` is set on those that were
/// replaced: until then calls carry a signature of both.
struct signing_secret {
  std::string sealed; ///< by protocol::vault, purpose "secret"
  timestamp created;
  std::optional<timestamp> expires;
  bool operator==(const signing_secret&) const = default;
};

/// Settings of delivery that a webhook may override; what is absent follows the
/// engine's options. "sealed" texts are opened by protocol::vault.
struct delivery_settings {
  struct timeout_settings {
    std::optional<std::chrono::milliseconds> dns;
    std::optional<std::chrono::milliseconds> connect;
    std::optional<std::chrono::milliseconds> tls;
    std::optional<std::chrono::milliseconds> first_byte;
    std::optional<std::chrono::milliseconds> total;
    bool operator==(const timeout_settings&) const = default;
  };
  /// Of what a receiver may answer.
  struct limit_settings {
    std::optional<std::uint32_t> min_rate;     ///< bytes per second
    std::optional<std::uint32_t> header_bytes; ///< of the head
    std::optional<std::uint32_t> body_bytes;
    bool operator==(const limit_settings&) const = default;
  };
  struct header {
    std::string name;
    std::string sealed; ///< purpose "header"
    bool operator==(const header&) const = default;
  };
  /// At most `count` requests per `period`; as many may go at once.
  struct rate {
    std::uint32_t count = 0;
    std::chrono::milliseconds period{1'000};
    bool operator==(const rate&) const = default;
  };
  /// Several notifications in one request, as a JSON array.
  struct batching {
    std::uint32_t max_count = 0;
    std::chrono::milliseconds max_wait{0}; ///< since the oldest was published
    bool operator==(const batching&) const = default;
  };
  struct tls_material {
    std::string ca;          ///< PEM; empty: the engine's authorities
    std::string certificate; ///< PEM; empty: none is shown
    std::string sealed_key;  ///< PEM, purpose "client key"
    bool operator==(const tls_material&) const = default;
  };

  timeout_settings timeouts;
  limit_settings limits;
  std::optional<std::uint32_t> max_in_flight; ///< 1 to 64
  /// Delays after the attempts 1, 2, …; an empty list means "never again".
  std::optional<std::vector<std::chrono::milliseconds>> schedule;
  /// Age since publish after which nothing is tried again.
  std::optional<std::chrono::milliseconds> max_age;
  bool put = false;  ///< the method is PUT instead of POST
  bool thin = false; ///< only what names the notification is sent
  bool ordered = false;
  bool paused = false;
  std::vector<header> headers;
  std::string user_agent_suffix;
  signing_algorithm signing = signing_algorithm::hmac_sha256;
  std::optional<legacy_signature> legacy;
  std::optional<rate> rate_limit;
  /// After a pause, for what was published before its end.
  std::optional<rate> resume_rate;
  std::optional<batching> batch;
  std::optional<tls_material> tls;
  std::string sealed_proxy; ///< URL, purpose "proxy"; empty: the engine's way
  bool operator==(const delivery_settings&) const = default;
};

struct webhook {
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
  bool operator==(const webhook&) const = default;
};

// -- journal ---------------------------------------------------------------

/// One thing that happened, as it stands in the journal.
struct notification {
  position id = 0;
  timestamp published;
  organizer_id owner = 0;
  event_id event = 0;
  action_type_id type = 0; ///< the registered type, maybe a wildcard
  std::string action;      ///< the concrete action
  std::string body;        ///< the bytes of every request, complete
  /// "TRACEPARENT" or "TRACEPARENT\nTRACESTATE" (W3C Trace Context), as given
  /// at publish; empty: none was.
  std::string trace = {};
  bool operator==(const notification&) const = default;
};

/// Notifications are immutable from the commit on and shared between threads.
using notification_ptr = std::shared_ptr<const notification>;

// -- call log --------------------------------------------------------------

/// What became of a notification by one entry of the call log.
enum class outcome : std::uint8_t {
  delivered = 0, ///< 200–299
  retried = 1,   ///< failed, due again at `call::retry_due`
  given_up = 2,  ///< failed or too old, and nothing will be tried again
  /// 410, or it has only failed for days: the webhook is disabled in the same
  /// commit, unless its target was changed meanwhile: then due again at
  /// `retry_due`.
  gone = 3,
};

/// Durations of the phases of one attempt; zero for a phase that did not happen
/// (a pooled connection has no dns, connect and tls).
struct call_timings {
  std::chrono::microseconds dns{0};
  std::chrono::microseconds connect{0};
  std::chrono::microseconds tls{0};
  std::chrono::microseconds first_byte{0};
  std::chrono::microseconds total{0};
  bool operator==(const call_timings&) const = default;
};

/// One entry of the call log: an attempt and its outcome.
struct call {
  call_id id = 0;       ///< given by the store
  call_id previous = 0; ///< the webhook's call before this one; by the store
  webhook_id hook = 0;
  position subject = 0; ///< the notification
  /// Every matching notification of the webhook at or before this position is
  /// settled once this entry is applied: the cursor.
  position settled_upto = 0;
  timestamp time{};      ///< start of the attempt
  timestamp retry_due{}; ///< for `retried` and `gone`
  outcome result = outcome::delivered;
  std::uint16_t attempt = 1; ///< 1 is the first
  /// Sent again on request, by a replay or a resend, with attempts of its own.
  bool replay = false;
  bool fed = false;         ///< of these, by a replay
  bool unsent = false;      ///< given up without an attempt
  bool thin = false;        ///< with a body that only names the notification
  std::uint16_t status = 0; ///< 0: no answer, `reason` says why
  call_timings timings{};
  std::string target_url{}; ///< as used, password masked
  std::string reason{};     ///< one plain line; empty for a success
  std::string
    response_head{}; ///< "Name: value\r\n"…, cut at a documented limit
  std::string response_body{}; ///< cut at a documented limit
  bool operator==(const call&) const = default;
};

/// A notification that failed for a webhook, or that is to be sent again on
/// request, and when it is due.
struct retry {
  position subject = 0;
  timestamp due;
  std::uint16_t attempt = 2; ///< the number of the attempt to come
  bool replay = false;       ///< as in `call`
  bool fed = false;          ///< as in `call`
  bool operator==(const retry&) const = default;
};

// -- replay
// --------------------------------------------------------------------

/// Which notifications of a webhook are to be sent again.
struct replay_request {
  timestamp since;          ///< published then or later
  timestamp until;          ///< and before that
  bool only_failed = false; ///< only what was not delivered so far
  /// Notifications per second; 0: as quickly as the webhook takes them.
  double rate = 0;
  bool operator==(const replay_request&) const = default;
};

enum class replay_state : std::uint8_t {
  running = 0,
  done = 1, ///< each was attempted; those that failed are ordinary retries
  cancelled = 2,
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
