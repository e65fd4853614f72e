// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The nouns of Fanfare (CONTRIBUTING.md, "Glossary") as plain values to copy,
/// compare and keep. They have no behaviour of their own.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {

// -- identifiers --------------------------------------------------------------

/// Place of a notification in the journal, from 1; also its `notification_id`.
/// 0 means "before the first".
using position = std::uint64_t;
/// Place of a call in the call log, from 1; 0 means none.
using call_id = std::uint64_t;
using webhook_id = std::uint64_t;
using organizer_id = std::uint32_t;
/// Unique over all organizers. 0 means "no event" (an organizer-level one).
using event_id = std::uint32_t;
/// A registered action type; wildcards (`a.b.*`) are registered names as well.
using action_type_id = std::uint32_t;

/// Wall time. Everything that survives a restart is measured in it.
using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

// -- registry -----------------------------------------------------------------

struct organizer {
  organizer_id id = 0;
  std::string slug;
  std::string name;
  /// Networks allowed and denied to its webhooks, in addition to the engine's.
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

// -- settings of delivery -----------------------------------------------------

enum class signing_algorithm : std::uint8_t {
  none = 0,        ///< calls are not signed
  hmac_sha256 = 1, ///< Standard Webhooks v1
  ed25519 = 2,     ///< Standard Webhooks v1a
};

/// An extra header for receivers with their own signature check.
struct legacy_signature {
  enum class hash : std::uint8_t { sha1 = 0, sha256 = 1, sha512 = 2 };
  enum class encoding : std::uint8_t { hex = 0, base64 = 1 };
  std::string header = {};
  hash digest = hash::sha256;
  encoding text = encoding::hex;
  /// In front of the signature, "sha256=".
  std::string prefix = {};
  /// The signed text: {id}, {timestamp} and {body} are replaced.
  std::string content = "{body}";
  bool operator==(const legacy_signature&) const = default;
};

/// A text that is encrypted on disk. Pass plain text; the engine returns it
/// sealed, which you can pass back unchanged, and which `engine::reveal`
/// opens.
class secret_text {
public:
  /// Its purpose; one cannot stand in for another.
  enum class use : std::uint8_t { header, client_key, proxy };

  secret_text() = default;
  secret_text(std::string plain) : bytes_(std::move(plain)) {}
  secret_text(const char* plain) : bytes_(plain) {}
  /// INTERNAL: as it is stored.
  static secret_text sealed(std::string bytes, use what) {
    secret_text made{std::move(bytes)};
    made.use_ = what;
    return made;
  }

  [[nodiscard]] bool empty() const noexcept {
    return bytes_.empty();
  }
  [[nodiscard]] bool is_sealed() const noexcept {
    return use_.has_value();
  }
  /// Set if it is sealed.
  [[nodiscard]] std::optional<use> used_for() const noexcept {
    return use_;
  }
  /// The plain text, or the sealed one if it is sealed.
  [[nodiscard]] const std::string& bytes() const noexcept {
    return bytes_;
  }
  bool operator==(const secret_text&) const = default;

private:
  std::string bytes_;
  std::optional<use> use_;
};

/// Delivery settings that a webhook can override; absent ones follow the
/// engine's options. docs/delivery.md describes each and its limits.
struct delivery_settings {
  struct timeout_settings {
    std::optional<std::chrono::milliseconds> dns = {};
    std::optional<std::chrono::milliseconds> connect = {};
    std::optional<std::chrono::milliseconds> tls = {};
    std::optional<std::chrono::milliseconds> first_byte = {};
    std::optional<std::chrono::milliseconds> total = {};
    bool operator==(const timeout_settings&) const = default;
  };
  /// Of a receiver's answer.
  struct limit_settings {
    std::optional<std::uint32_t> min_rate = {};     ///< bytes per second
    std::optional<std::uint32_t> header_bytes = {}; ///< of the head
    std::optional<std::uint32_t> body_bytes = {};
    bool operator==(const limit_settings&) const = default;
  };
  struct header {
    std::string name = {};
    secret_text value = {};
    bool operator==(const header&) const = default;
  };
  /// At most `count` requests per `period`; all can go at once.
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
    std::string ca = {};          ///< PEM; empty: the engine's authorities
    std::string certificate = {}; ///< PEM; empty: none is sent
    secret_text key = {};         ///< PEM
    bool operator==(const tls_material&) const = default;
  };

  timeout_settings timeouts = {};
  limit_settings limits = {};
  std::optional<std::uint32_t> max_in_flight = {}; ///< 1 to 64
  /// Delays after attempts 1, 2, …; an empty list means no retries.
  std::optional<std::vector<std::chrono::milliseconds>> schedule = {};
  /// Age since publish after which nothing is retried.
  std::optional<std::chrono::milliseconds> max_age = {};
  /// An answer with one of these gives the notification up at once; 300 to 599
  /// but 410, ascending.
  std::vector<std::uint16_t> final_statuses = {};
  bool put = false;  ///< the method is PUT instead of POST
  bool thin = false; ///< only the notification's identifiers are sent
  bool ordered = false;
  bool paused = false;
  std::vector<header> headers = {};
  std::string user_agent_suffix = {};
  signing_algorithm signing = signing_algorithm::hmac_sha256;
  std::optional<legacy_signature> legacy = {};
  std::optional<rate> rate_limit = {};
  /// After a pause, for notifications published before its end.
  std::optional<rate> resume_rate = {};
  std::optional<batching> batch = {};
  std::optional<tls_material> tls = {};
  secret_text proxy = {}; ///< URL; empty: the engine's
  /// Under which its owner finds it again; unique among the organizer's
  /// webhooks. A letter, then letters, digits, '-', '_', '.'; at most 64.
  /// Empty: it has none.
  std::string name = {};
  bool operator==(const delivery_settings&) const = default;
};

/// A subscription: which notifications of its organizer are sent where, and
/// how. A change of its subscription (`action_types` to `filter`) applies to
/// notifications published after it; all else to the next attempt.
struct webhook {
  webhook_id id = 0;      ///< given by the engine
  organizer_id owner = 0; ///< given by the engine
  /// http or https, at most 1,024 characters; user info becomes Basic
  /// authentication.
  std::string target_url;
  /// Registered names ("shop.order.placed", "shop.order.*"); any of them
  /// matches. Kept sorted.
  std::vector<std::string> action_types;
  /// A disabled webhook gets nothing, and nothing is queued for it.
  bool enabled = true;
  /// Of all events and of none, or only of `events` and of none.
  bool all_events = true;
  std::vector<std::string> events = {}; ///< slugs; needs `all_events` false
  /// Condition on a notification's body, as the text of a JSON object
  /// (docs/delivery.md, "Filters"); empty: everything passes.
  std::string filter = {};
  std::optional<std::string> comment = {}; ///< at most 255 characters
  delivery_settings delivery = {};
  bool operator==(const webhook&) const = default;
};

// -- journal ------------------------------------------------------------------

/// One thing that happened, as stored in the journal.
struct notification {
  position id = 0;
  timestamp published;
  organizer_id owner = 0;
  event_id event = 0;
  action_type_id type = 0; ///< the registered type, possibly a wildcard
  std::string action;      ///< the concrete action
  std::string body;        ///< the bytes of every request, complete
  /// "TRACEPARENT" or "TRACEPARENT\nTRACESTATE" (W3C Trace Context), as given
  /// at publish, or begun by an engine that traces; empty: none.
  std::string trace = {};
  bool operator==(const notification&) const = default;
};

/// Notifications are immutable once committed and shared between threads.
using notification_ptr = std::shared_ptr<const notification>;

// -- call log -----------------------------------------------------------------

/// The fate of a notification in one entry of the call log.
enum class outcome : std::uint8_t {
  delivered = 0, ///< 200–299
  retried = 1,   ///< failed, due again at `call::retry_due`
  given_up = 2,  ///< failed or too old, and will not be retried
  /// 410, or only failures for days: the webhook is disabled in the same
  /// commit, unless its target changed meanwhile: then due again at
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

/// What a call shows about its receiver.
enum class evidence : std::uint8_t {
  ordinary = 0, ///< that it has succeeded, or failed
  busy = 1,     ///< that it wants no calls before `retry_due`
  none = 2,     ///< nothing: a test, or ended by a stop, or for lack of
                ///< a local resource (name server, route, port, file)
  unclear = 3,  ///< nothing of its health: it refuses one of the batch, but not
                ///< which, or this notification for good (`final_statuses`)
};

/// One entry of the call log: an attempt and its outcome.
struct call {
  call_id id = 0; ///< given by the store
  webhook_id hook = 0;
  position subject = 0; ///< the notification
  /// The cursor: every matching notification of the webhook at or before this
  /// position is settled once this entry is applied.
  position settled_upto = 0;
  timestamp time{};      ///< start of the attempt
  timestamp retry_due{}; ///< for `retried` and `gone`
  outcome result = outcome::delivered;
  std::uint16_t attempt = 1; ///< 1 is the first
  /// Sent again on request, by a replay or a resend, with its own attempts.
  bool resent = false;
  bool by_replay = false; ///< of these, by a replay
  bool unsent = false;    ///< given up without an attempt
  bool thin = false;      ///< with a body that only names the notification
  /// The request went out a second time at once: its first connection ended as
  /// if the receiver had not read it.
  bool repeated = false;
  evidence shows = evidence::ordinary;
  std::uint16_t status = 0; ///< 0: no answer, `reason` says why
  call_timings timings{};
  std::string target_url{}; ///< as used, password masked
  std::string reason{};     ///< one plain line; empty for a success
  /// "Name: value\r\n"… as received, possibly not UTF-8; fields beyond 8 KiB
  /// are left out.
  std::string response_head{};
  std::string response_body{}; ///< the first 16 KiB
  bool operator==(const call&) const = default;
};

/// A notification that failed for a webhook, or is to be sent again on request,
/// and when it is due.
struct retry {
  position subject = 0;
  timestamp due;
  std::uint16_t attempt = 2; ///< the number of the attempt to come
  bool resent = false;       ///< as in `call`
  bool by_replay = false;    ///< as in `call`
  /// It was attempted, although the attempt to come has the number 1.
  bool tried = false;
  bool operator==(const retry&) const = default;
};

// -- replay -------------------------------------------------------------------

/// The notifications of a webhook to send again.
struct replay_request {
  timestamp since;          ///< published then or later
  timestamp until;          ///< and before that
  bool only_failed = false; ///< only those not delivered yet
  static constexpr double least_rate = 0.001;
  static constexpr double most_rate = 10'000;
  /// Notifications per second, least_rate to most_rate; 0: as quickly as the
  /// webhook takes them.
  double rate = 0;
  bool operator==(const replay_request&) const = default;
};

enum class replay_state : std::uint8_t {
  running = 0,
  done = 1, ///< each was attempted; those that failed are ordinary retries
  cancelled = 2,
};

} // namespace fanfare
