// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the REST API asks of the engine. The engine (actors/engine.hpp)
/// implements it; tests of the API may put something simpler in its place.
///
/// Functions marked "memory" answer from memory and may be called on an I/O
/// thread. Functions marked "blocks" may wait for the disk: call them from a
/// thread that may wait. All may be called from any number of threads.

#include "model/error.hpp"
#include "model/idempotency.hpp"
#include "model/types.hpp"
#include "protocol/vault.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// A notification as its publisher gives it (protocol/publication.hpp makes it
/// from JSON).
struct publication {
  std::string action;
  std::string event; ///< slug; empty: a notification of the organizer itself
  /// The request body behind `{"notification_id": N`, up to and with the
  /// closing brace.
  std::string rest;
  std::string trace = {}; ///< as in `notification`
};

/// A token and its key, which is shown this one time.
struct issued_token {
  token value;
  std::string key;
};

/// A call that was made to try a webhook out, and what was sent.
struct test_call {
  call value;
  notification_ptr what;
};

/// What a replay would send.
struct replay_preview {
  replay_request asked;
  std::size_t count = 0;
  std::size_t skipped = 0;     ///< because they wait anyway
  std::vector<position> first; ///< of those selected, at most 10
};

struct replay_progress {
  replay value;
  /// Handed over, and neither delivered nor given up so far.
  std::size_t waiting = 0;
};

/// How a webhook does, by its newest calls and what waits for it.
struct webhook_health {
  enum class verdict : std::uint8_t {
    healthy, ///< the newest call succeeded
    failing, ///< it did not
    idle,    ///< no calls lately
    disabled,
  };
  verdict status = verdict::idle;
  /// Calls looked at: the newest, at most 1,000 and at most 24 h old.
  std::size_t calls = 0;
  std::size_t successes = 0;
  std::optional<timestamp> since; ///< of the oldest of them
  double calls_per_minute = 0;
  struct durations {
    std::chrono::microseconds p50{0}, p90{0}, p99{0}, most{0};
  };
  std::optional<durations> execution_time; ///< of those that were attempts
  std::map<std::uint16_t, std::size_t> return_codes;
  std::size_t retries = 0;
  std::optional<timestamp> next_retry;
  /// Notifications that were not attempted yet.
  std::size_t backlog = 0;
  bool backlog_complete = true; ///< false: there may be more
  struct waiting {
    position subject = 0;
    timestamp published;
  };
  std::optional<waiting> oldest_waiting;
  std::optional<timestamp> last_success; ///< among the calls looked at
  std::optional<call> last_error;        ///< among the calls looked at
};

/// What holds a webhook's calls back at this moment.
enum class hold_reason : std::uint8_t {
  none,        ///< nothing but its turn
  pause,       ///< its owner paused it
  order,       ///< `ordered`: one that failed comes first
  breaker,     ///< it failed too often in a row
  retry_after, ///< its receiver asked to wait
  rate,        ///< its rate limit
  batch,       ///< a batch fills up
  concurrency, ///< as many calls as may be are under way
};

/// How a webhook's deliveries go at this moment.
struct delivery_state {
  enum class breaker_state : std::uint8_t { closed, open, half_open };
  breaker_state breaker = breaker_state::closed;
  std::uint32_t failures = 0;                  ///< in a row
  std::optional<timestamp> failing_since = {}; ///< of the first of them
  std::optional<timestamp> breaker_until = {}; ///< while it is open
  hold_reason held_by = hold_reason::none;
  std::optional<timestamp> held_until = {}; ///< if that is known
  std::size_t in_flight = 0;
  std::size_t concurrency = 0; ///< how many may be, at present
  /// Of the receiver, as seen by the last handshake.
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
    ended, ///< by a disabling, without an attempt
  };
  webhook hook;
  rule failed = rule::none; ///< the first that did not hold
  std::optional<timestamp> disabled_since;
  fate state = fate::not_matched;
  std::optional<timestamp> due;
  std::vector<call> calls;    ///< oldest first
  bool calls_complete = true; ///< false: the log was too long to be searched
  /// While it waits: what holds the webhook back.
  hold_reason held_by = hold_reason::none;
};

/// What a webhook's calls are signed with.
struct secret_view {
  signing_algorithm algorithm = signing_algorithm::hmac_sha256;
  std::string secret;     ///< "whsec_…"; empty for Ed25519
  std::string public_key; ///< "whpk_…"; empty for HMAC
  timestamp created;
  /// Until when calls also carry a signature of the one before; absent: they
  /// do not.
  std::optional<timestamp> previous_until;
};

struct secret_rotation {
  std::string secret; ///< "whsec_…" or "whsk_…"; empty: a new one is made
  std::chrono::milliseconds overlap = std::chrono::hours{24};
};

/// Which of the newest notifications a filter would let pass.
struct filter_preview {
  std::size_t looked_at = 0;
  std::vector<notification_ptr> passed; ///< newest first
};

class service {
public:
  virtual ~service() = default;

  // -- publishing
  // --------------------------------------------------------------

  using published = std::function<void(result<std::vector<position>>)>;

  /// Publishes all or none. Memory; never blocks. `done` is called exactly
  /// once, once the notifications are on disk or refused, maybe before this
  /// function returns, on any thread: it must not block. Errors:
  /// invalid_argument with field "action" (unknown action type; the sentence
  /// names it) or "event" (not a slug), stopping, store_full, overloaded,
  /// too_large.
  virtual void publish(organizer_id owner, std::vector<publication> items,
                       published done) = 0;

  using answered = std::function<void(result<stored_answer>)>;

  /// The same under an idempotency key, which is kept in the same transaction:
  /// if there is an answer of that key already nothing is published. `done`
  /// gets the receipt, or that answer.
  virtual void publish_keyed(organizer_id owner, std::vector<publication> items,
                             publish_once once, answered done) = 0;
  /// Keeps an answer under its idempotency key, unless there is one already.
  /// Memory; never blocks. `done` gets the one that is kept, on any thread.
  virtual void remember_answer(const idempotency_key& key, plain_answer answer,
                               answered done) = 0;
  /// Blocks. The answer of that key, null if there is none.
  virtual result<stored_answer_ptr> find_answer(const idempotency_key& key) = 0;

  /// Blocks.
  virtual result<notification_ptr> find_notification(organizer_id owner,
                                                     position id) = 0;

  // -- organizers, events, action types
  // ------------------------------------------

  /// Memory.
  [[nodiscard]] virtual std::optional<organizer>
  find_organizer(std::string_view slug) const = 0;
  /// Memory. By slug.
  [[nodiscard]] virtual std::vector<organizer> organizers() const = 0;
  /// Blocks. already_exists, invalid_argument.
  virtual result<organizer> add_organizer(std::string slug,
                                          std::string name) = 0;
  /// Blocks. Applies `edit` to the stored organizer; it may change all but id
  /// and slug. Its networks must be ones that protocol::network can read.
  virtual result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit) = 0;

  /// Memory.
  [[nodiscard]] virtual std::optional<event>
  find_event(organizer_id owner, std::string_view slug) const = 0;
  /// Memory.
  [[nodiscard]] virtual std::optional<event> find_event(event_id id) const = 0;
  /// Memory. By name, then slug.
  [[nodiscard]] virtual std::vector<event> events(organizer_id owner) const = 0;
  /// Blocks. already_exists, invalid_argument.
  virtual result<event> add_event(organizer_id owner, std::string slug,
                                  std::string name) = 0;

  /// Memory. The registered type of exactly this name.
  [[nodiscard]] virtual std::optional<action_type>
  find_action_type(std::string_view name) const = 0;
  /// Memory. By id.
  [[nodiscard]] virtual std::vector<action_type> action_types() const = 0;
  /// Blocks. already_exists, invalid_argument.
  virtual result<action_type> add_action_type(std::string name) = 0;

  // -- tokens
  // ---------------------------------------------------------------------

  /// Memory. Revoked tokens are found too (and marked). Null if there is none;
  /// counts as a use of the token.
  [[nodiscard]] virtual std::shared_ptr<const token>
  find_token(std::string_view key) const = 0;
  /// Memory. By id, without the revoked ones.
  [[nodiscard]] virtual std::vector<token> tokens(organizer_id owner) const = 0;
  /// Blocks.
  virtual result<issued_token> add_token(organizer_id owner, std::string name,
                                         std::uint8_t permissions) = 0;
  /// Blocks. not_found.
  virtual result<void> revoke_token(organizer_id owner, token_id id) = 0;

  // -- webhooks
  // ---------------------------------------------------------------------

  /// Blocks. `value` has one version; id, owner and position are given by the
  /// engine.
  virtual result<webhook> add_webhook(organizer_id owner, webhook value) = 0;
  /// Blocks. Applies `edit` to the stored webhook, atomically; an error that
  /// it returns ends the change. It may change target_url, comment,
  /// action_types, delivery and current(). It runs on another thread while this
  /// one waits.
  virtual result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) = 0;
  /// Blocks. not_found also for another organizer's.
  virtual result<webhook> find_webhook(organizer_id owner, webhook_id id) = 0;
  /// Blocks. By id.
  virtual result<std::vector<webhook>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) = 0;
  /// Blocks.
  virtual result<std::size_t> count_webhooks(organizer_id owner,
                                             std::optional<bool> enabled) = 0;

  /// Memory. What seals the secrets among a webhook's settings.
  [[nodiscard]] virtual const protocol::vault& vault() const = 0;
  /// Blocks. not_found also if its calls are not signed.
  virtual result<secret_view> find_secret(organizer_id owner,
                                          webhook_id hook) = 0;
  /// Blocks. invalid_argument (field "secret"), conflict (not signed).
  virtual result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                            secret_rotation how) = 0;
  /// Blocks. Against the newest 100 notifications that the webhook is
  /// subscribed to.
  virtual result<filter_preview>
  preview_filter(organizer_id owner, webhook_id hook, filter_ref filter) = 0;

  // -- calls
  // ------------------------------------------------------------------------

  /// Blocks. Newest first, ids below `before` (0: from the newest).
  virtual result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                          call_id before,
                                          std::size_t limit) = 0;
  /// Blocks.
  virtual result<call> find_call(organizer_id owner, webhook_id hook,
                                 call_id id) = 0;
  /// Blocks. By due time.
  virtual result<std::vector<retry>> retries(organizer_id owner,
                                             webhook_id hook) = 0;

  /// Blocks. Sends the notification of a call to its webhook again, now, with a
  /// schedule of its own; one that waits for a retry is brought forward.
  /// Answers what is in the retry set then. not_found (also if the notification
  /// is no longer kept), conflict (the webhook is disabled, an attempt is under
  /// way).
  virtual result<retry> resend(organizer_id owner, webhook_id hook,
                               call_id id) = 0;
  /// Blocks. Makes all retries due now; how many.
  virtual result<std::size_t> expedite_retries(organizer_id owner,
                                               webhook_id hook) = 0;
  /// Blocks. Ends all retries, each logged as given up; how many.
  virtual result<std::size_t> drop_retries(organizer_id owner,
                                           webhook_id hook) = 0;

  using tested = std::function<void(result<test_call>)>;

  /// One attempt, now, of a made-up notification, also of a disabled webhook.
  /// Blocks until it is in the journal; `done` is called once with the call, or
  /// an error, on any thread: it must not block.
  virtual void test_webhook(const organizer& owner, webhook_id hook,
                            tested done) = 0;

  // -- replay
  // -----------------------------------------------------------------------

  /// Blocks.
  virtual result<replay_preview>
  preview_replay(organizer_id owner, webhook_id hook, replay_request asked) = 0;
  /// Blocks. conflict: the webhook is disabled, or a replay of it runs.
  virtual result<replay_progress>
  start_replay(organizer_id owner, webhook_id hook, replay_request asked) = 0;
  /// Blocks. The last one, also if it has ended. not_found.
  virtual result<replay_progress> find_replay(organizer_id owner,
                                              webhook_id hook) = 0;
  /// Blocks. not_found: none runs.
  virtual result<void> cancel_replay(organizer_id owner, webhook_id hook) = 0;

  // -- looking into it
  // --------------------------------------------------------------

  /// Blocks until the webhook's actor has answered.
  virtual result<delivery_state> inspect(organizer_id owner,
                                         webhook_id hook) = 0;
  /// Blocks.
  virtual result<webhook_health> health(organizer_id owner,
                                        webhook_id hook) = 0;
  /// Blocks. One for each of the organizer's webhooks, by id.
  virtual result<std::vector<explanation>>
  explain(const notification& what, std::size_t offset, std::size_t limit) = 0;
  /// Blocks. For one webhook. not_found.
  virtual result<explanation> explain(const notification& what,
                                      webhook_id hook) = 0;

  // -- state
  // ------------------------------------------------------------------------

  /// Memory. True while publishes are accepted.
  [[nodiscard]] virtual bool ready() const = 0;
};

} // namespace fanfare
