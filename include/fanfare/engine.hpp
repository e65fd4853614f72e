// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The engine: publish once, delivered to every subscriber, nothing lost. This
/// is the one face of all that lies below it; the server uses nothing else.
///
///     auto engine = fanfare::engine::start({.data = "data"}).value();
///     auto shop = engine->ensure_organizer("shop").value();
///     engine->ensure_action_type("shop.order.*").value();
///     engine->add_webhook(shop.id, {.target_url = "https://example.com/hook",
///                                   .action_types =
///                                   {"shop.order.*"}}).value();
///     engine->publish(shop.id, {.action = "shop.order.placed",
///                               .payload = R"({"code": "A1"})"}).value();
///     engine->stop(std::chrono::seconds{10});
///
/// docs/embedding.md says when to embed, and what to think of.

#include "fanfare/clock.hpp"
#include "fanfare/error.hpp"
#include "fanfare/export.hpp"
#include "fanfare/idempotency.hpp"
#include "fanfare/metrics.hpp"
#include "fanfare/types.hpp"
#include "fanfare/version.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

enum class log_level { debug, info, warning, error };

/// Every member has the default of the server's option of that name, if there
/// is one. Durations go up to 36,500 days, which stands for "for ever"; those
/// that say nothing else, and sizes and numbers, must be greater than zero.
struct engine_options {
  /// The directory of the store; made if it does not exist.
  std::filesystem::path data = "data";
  /// I/O threads, at most 256; 0: as many as the machine has cores.
  std::size_t threads = 0;
  /// Networks ("10.0.0.0/8") that targets may be in although they are not
  /// public.
  std::vector<std::string> allow_networks = {};
  /// Networks that they may not be in, whatever else allows it.
  std::vector<std::string> deny_networks = {};
  /// "http://[USER:PASSWORD@]HOST:PORT" or "socks5://…": all calls go through
  /// it but those of webhooks with one of their own. Empty: directly.
  std::string proxy = {};
  /// "ADDRESS" or "ADDRESS:PORT"; empty: the system's.
  std::vector<std::string> dns_servers = {};
  /// What secrets are encrypted with on disk: a key per line, 32 bytes as 64
  /// hexadecimal digits or as base64, or one of 32 bytes as they are; the first
  /// one seals, all of them open. Lines that begin with '#' are comments.
  /// Empty: they are not encrypted, and the log says so. `start` erases its
  /// copy.
  std::string secret_keys = {};
  /// A file with them, in place of `secret_keys`; nobody but its owner may be
  /// allowed to use it. Empty: none.
  std::string secret_key_file = {};
  /// PEM file of the authorities that receivers are verified with; empty: the
  /// system's.
  std::string ca_file = {};

  /// Delays after the attempts 1, 2, …, at most 100, which may be 0; up to 10 %
  /// is added at random. Empty: 5 s to 24 h, 12 attempts.
  std::vector<std::chrono::milliseconds> schedule = {};
  /// Age since publish beyond which nothing is tried again.
  std::chrono::milliseconds max_age = std::chrono::hours{72};
  /// Notifications and calls older than that are removed.
  std::chrono::milliseconds retention = std::chrono::hours{24 * 30};
  /// How often that is looked after.
  std::chrono::milliseconds retention_interval = std::chrono::minutes{1};

  /// Attempts of one webhook at the same time; at most 1,000,000.
  std::size_t max_in_flight = 8;
  /// Quick attempts of one destination, and of one organizer, at the same time.
  /// Each I/O thread has its share of them, but lets every webhook have
  /// `max_in_flight` and an organizer no more than 1,024: with many threads it
  /// may be more of a destination, or less of an organizer.
  std::size_t max_per_destination = 128;
  std::size_t max_per_organizer = 1'024;
  /// Failures of a webhook in a row after which nothing is attempted for a
  /// pause, which doubles up to `breaker_longest`, if that is longer; 0: never.
  std::uint32_t breaker_failures = 50;
  std::chrono::milliseconds breaker_pause{2'000};
  std::chrono::milliseconds breaker_longest{60'000};
  /// A webhook that has only failed for that long is disabled; 0: never.
  std::chrono::milliseconds disable_after = std::chrono::days{5};
  /// Notifications of one webhook that wait in memory; at most 1,000,000.
  std::size_t window = 256;
  /// Of one attempt: the look-up of the host, the connection, the handshake,
  /// from the request to the first byte of the answer, and all of it.
  std::chrono::milliseconds dns_timeout{5'000};
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds tls_timeout{5'000};
  std::chrono::milliseconds first_byte_timeout{30'000};
  std::chrono::milliseconds total_timeout{30'000};

  /// How often progress is saved: bounds the calls that are replayed at a
  /// start.
  std::chrono::milliseconds checkpoint_interval{2'000};
  /// How long finished calls wait for others to share a commit with; 0: not at
  /// all.
  std::chrono::microseconds commit_linger{2'000};
  /// Checkpoints after which an idle webhook's actor is ended; 0: at the next
  /// one.
  std::size_t idle_checkpoints = 15;
  /// Most bytes the store may take, 1 MiB (less means that) to 64 TiB;
  /// publishes are refused before it is full.
  std::size_t max_store_size = std::size_t{64} << 30;

  /// How long `publish` waits for room before it is `overloaded`; 0: not at
  /// all.
  std::chrono::milliseconds publish_patience{30'000};

  // -- lent by the program ----------------------------------------------------
  //
  // What these refer to must live until the engine's destructor has returned.

  /// What an operator should know, one line each; without it nothing is logged.
  /// Any thread, several at once; must not block, and must not call the engine.
  std::function<void(log_level, const std::string&)> log = {};
  /// The engine cannot go on and wants to be stopped; the sentence says why.
  /// From then on publishes and changes are refused and nothing is attempted.
  /// Any thread; it must not stop the engine itself, but have somebody do it.
  std::function<void(const std::string&)> on_fatal = {};
  /// Called with each finished call once it is on disk, in the order of the log
  /// and one at a time, on the engine's committer thread: what an observer
  /// takes, every commit waits for. It may publish by `try_publish`; calls that
  /// block would wait for themselves. The call is valid until it returns.
  /// Calls that are tests, and those that a stop cut short, are among them;
  /// what had been logged before a start is not told again.
  std::vector<std::function<void(const call&)>> call_observers = {};
  /// The time of day; null: the machine's. After it was set, call
  /// `engine::wake`. Asked on any thread; it must not throw.
  std::shared_ptr<const wall_clock> clock = {};
  /// Where the engine's figures go; null: only `engine::metrics` has them.
  std::shared_ptr<metrics_registry> metrics = {};
};

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

/// A notification to be published.
struct publication {
  /// A registered action type, or a name under a registered wildcard:
  /// "shop.order.placed" if "shop.order.*" is registered.
  std::string action;
  /// Slug; one that is not known is registered. Empty: about the organizer
  /// itself.
  std::string event = {};
  /// The text of a JSON object. Its members become those of the request body,
  /// behind `notification_id`, `organizer` and `event` and before `action`.
  /// These names, and "payload", are not for it: `notification_id` is left out,
  /// `event` and `action` must say the same as the publication. At most 32
  /// levels deep. Empty: no further members.
  std::string payload = {};
  /// W3C Trace Context, passed on to receivers: "TRACEPARENT" or
  /// "TRACEPARENT\nTRACESTATE"; empty: none.
  std::string trace = {};
  /// In place of `payload`, for those who render themselves: the request body
  /// behind `{"notification_id": N`, up to and with the closing brace. It is
  /// sent as it is, and not looked at, nor is `payload`. At most 1 MiB.
  std::string rest = {};
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

/// A replay and how far it has come. A webhook has at most one that runs; the
/// last one is kept.
struct replay_progress {
  replay_request asked;
  replay_state state = replay_state::running;
  std::uint64_t count = 0;   ///< selected
  std::uint64_t skipped = 0; ///< not selected, because they wait anyway
  std::uint64_t queued = 0;  ///< of those selected, handed over to delivery
  /// Handed over, and neither delivered nor given up so far.
  std::size_t waiting = 0;
  timestamp started;
  std::optional<timestamp> ended;
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
  none,        ///< nothing but its turn, or the disk, which takes no calls
  pause,       ///< its owner paused it
  order,       ///< `ordered`: one that failed comes first
  breaker,     ///< it failed too often in a row
  retry_after, ///< its receiver asked to wait
  rate,        ///< its rate limit
  batch,       ///< a batch fills up
  concurrency, ///< as many calls as may be are in flight
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
    ended, ///< without a last call: by a disabling, before it was delivered
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
  static constexpr std::chrono::days longest_overlap{30};
  /// "whsec_…" or "whsk_…"; empty: a new one is made.
  std::string secret = {};
  /// How long calls also carry a signature by the secret before.
  std::chrono::milliseconds overlap = std::chrono::hours{24};
};

/// Which of the newest notifications a filter would let pass.
struct filter_preview {
  std::size_t looked_at = 0;
  std::vector<notification_ptr> passed; ///< newest first
};

/// Functions marked "memory" answer from memory and never wait. Functions
/// marked "blocks" may wait for the disk: call them from a thread that may
/// wait, never from a callback of the engine (`conflict` if it is one that the
/// engine waits for). Changes and what a webhook is
/// asked for give up after a minute with `io_error`; publishes and queries wait
/// as long as the disk takes. All may be called from any number of threads,
/// until the destructor begins. None throws but for want of memory.
///
/// What the program hands over to be called should not throw: what it throws is
/// logged and dropped, but where a function of publishing calls `done` before
/// it returns, whose exceptions its caller gets, and in an edit, which then is
/// refused (invalid_argument, field "edit"). Once the engine stops, callbacks
/// that wait are called on the thread that stops it, or that has found out that
/// the engine cannot go on, and those of publishes that come later on the
/// thread that publishes, before its call returns: so `done` must not take a
/// lock that its publisher holds.
///
/// What is returned is a copy of the caller's own. Errors that a function does
/// not name: `stopping` of all but queries once the engine stops, `store_full`
/// of what is to be stored, `io_error` of what reads or writes, `store_damaged`
/// of what reads. Costs are those of a call, n being what it returns, if
/// nothing else is said.
///
/// It is an interface: a program's tests may put something simpler in its
/// place.
class FANFARE_API engine {
public:
  /// Opens the store, recovers, and delivers from now on. Takes as long as
  /// reading the registry and what was logged since the last checkpoint does.
  /// Errors: those of the data directory (store_…, io_error), those of options,
  /// which have its name as their field: invalid_argument, and io_error for a
  /// file that cannot be read, and io_error if the process may not have as many
  /// threads or files.
  static result<std::unique_ptr<engine>> start(engine_options options);

  engine() = default;
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  /// stop(0 s), if it was not stopped before.
  virtual ~engine();

  // -- publishing -------------------------------------------------------------
  //
  // O(bytes), and the wait for the disk, which publishers share that publish at
  // the same time.
  //
  // All or none of a list is published. A publish that has ended without an
  // error is on disk: it will be delivered, whatever happens. Ids grow, and
  // those of a list follow each other.
  //
  // Errors: invalid_argument with field "action" (unknown: register it by
  // add_action_type; the sentence names it), "event" (not a slug), "payload"
  // (not the text of a JSON object), "trace", or empty (no or more than 1,000
  // publications); not_found (field "organizer"); too_large (a body of more
  // than 1 MiB, a list of more than 64 MiB, what each publication and the list
  // take besides, 256 and 512 bytes, included); overloaded; conflict (it is a
  // callback of the engine, and would wait for itself); store_full;
  // stopping; io_error; internal. In a list of several the sentence begins with
  // the place of the item: "items[2]: …".

  /// Gets the ids, in the order of the list; may be empty.
  using published = std::function<void(result<std::vector<position>>)>;

  /// Never blocks. Without an error, `done` is called exactly once when the
  /// notifications are on disk or the disk refused them, on the engine's
  /// committer thread (but see above for when it stops): it must not block, nor
  /// call functions marked "blocks".
  /// With an error it is not called, and `items` and `done` are as they were:
  /// after `overloaded` (64 MiB of publishes wait for the disk, what they take
  /// besides their text included) try again in a moment, or use `publish`,
  /// which waits.
  virtual result<void> try_publish(organizer_id owner,
                                   std::vector<publication>&& items,
                                   published&& done) = 0;

  /// The same, but while 4 MiB of publishes wait for the disk it waits for
  /// room, for up to `engine_options::publish_patience`, and is then treated as
  /// by try_publish. An engine that never waits need not override it.
  virtual result<void> publish_waiting(organizer_id owner,
                                       std::vector<publication>&& items,
                                       published&& done);

  /// Blocks until it is on disk, first, for up to
  /// `engine_options::publish_patience`, for room. If nothing else is being
  /// written, the calling thread writes it itself instead of waking another,
  /// and what others publish meanwhile waits for it.
  result<position> publish(organizer_id owner, publication one);
  /// Waits for room, but not in a callback of the engine, which makes it;
  /// `done` is called in any case, maybe before this returns, else as for
  /// try_publish.
  void publish(organizer_id owner, publication one,
               std::function<void(result<position>)> done);
  /// Waits for room; the future becomes ready when it is on disk. It does not
  /// wait in its destructor.
  [[nodiscard]] std::future<result<position>> publish_later(organizer_id owner,
                                                            publication one);

  /// The same for lists.
  result<std::vector<position>> publish_all(organizer_id owner,
                                            std::vector<publication> items);
  void publish_all(organizer_id owner, std::vector<publication> items,
                   published done);
  [[nodiscard]] std::future<result<std::vector<position>>>
  publish_all_later(organizer_id owner, std::vector<publication> items);

  /// What `publish` and `publish_all` are made of. An engine whose threads need
  /// not know that they wait need not override it.
  virtual result<std::vector<position>>
  publish_and_wait(organizer_id owner, std::vector<publication> items);

  /// Blocks. As publish, but once: if the organizer has published under this
  /// key within the last 24 h, nothing is published, and the id is that of
  /// then. The key and the notification are written in one transaction. For
  /// programs that cannot tell whether they published before they were ended,
  /// such as the relay of an outbox. `key`: 1 to 27 bytes, else
  /// invalid_argument (field "key"); conflict (field "key"): what is kept under
  /// it is no publish.
  result<position> publish_idempotent(organizer_id owner, publication one,
                                      std::string_view key);

  using answered = std::function<void(result<stored_answer>)>;

  /// As try_publish, under an idempotency key, which is kept in the same
  /// transaction: if there is an answer of that key already, nothing is
  /// published. `done` gets the receipt, or that answer; it is called in any
  /// case, maybe before this returns, else as for try_publish.
  virtual void publish_keyed(organizer_id owner, std::vector<publication> items,
                             publish_once once, answered done) = 0;
  /// Blocks. The same, after it has waited for room as `publish` does.
  virtual result<stored_answer>
  publish_keyed_and_wait(organizer_id owner, std::vector<publication> items,
                         publish_once once);
  /// Keeps an answer under its idempotency key, unless there is one already.
  /// Memory; never blocks, and has no bound: not for more than the program has
  /// requests in flight. `done` gets the one that is kept, on any thread, or
  /// store_full, stopping, io_error.
  virtual void remember_answer(const idempotency_key& key, plain_answer answer,
                               answered done) = 0;
  /// Blocks. The answer of that key, null if there is none.
  virtual result<stored_answer_ptr> find_answer(const idempotency_key& key) = 0;

  /// Blocks. not_found also for another organizer's.
  virtual result<notification_ptr> find_notification(organizer_id owner,
                                                     position id) = 0;

  // -- organizers, events, action types ---------------------------------------

  /// Memory.
  [[nodiscard]] virtual std::optional<organizer>
  find_organizer(std::string_view slug) const = 0;
  /// Memory. By slug.
  [[nodiscard]] virtual std::vector<organizer> organizers() const = 0;
  /// Blocks. already_exists, invalid_argument (field "slug": a letter or digit,
  /// then these or '-', '.', '_'; at most 50; or "name": 1 to 200 characters).
  virtual result<organizer> add_organizer(std::string slug,
                                          std::string name) = 0;
  /// The organizer of this slug, added with the slug as its name if there is
  /// none. May block.
  result<organizer> ensure_organizer(std::string_view slug);
  /// Blocks. Applies `edit` to the stored organizer, as change_webhook does; it
  /// may change all but id and slug. Networks are as in engine_options.
  /// not_found, invalid_argument (field "name", "allow_networks",
  /// "deny_networks").
  virtual result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit) = 0;

  /// Memory.
  [[nodiscard]] virtual std::optional<event>
  find_event(organizer_id owner, std::string_view slug) const = 0;
  /// Memory.
  [[nodiscard]] virtual std::optional<event> find_event(event_id id) const = 0;
  /// Memory. By name, then slug. O(n log n).
  [[nodiscard]] virtual std::vector<event> events(organizer_id owner) const = 0;
  /// Blocks. already_exists, invalid_argument (as add_organizer), not_found (no
  /// such organizer).
  virtual result<event> add_event(organizer_id owner, std::string slug,
                                  std::string name) = 0;

  /// Memory. The registered type of exactly this name.
  [[nodiscard]] virtual std::optional<action_type>
  find_action_type(std::string_view name) const = 0;
  /// Memory. By id.
  [[nodiscard]] virtual std::vector<action_type> action_types() const = 0;
  /// Blocks. already_exists, invalid_argument (field "name": two or more parts
  /// of a-z, 0-9, '_' and '-' with dots between them, at most 255 bytes; not
  /// those that begin with "fanfare."). A name whose last part is "*" stands
  /// for all below it.
  virtual result<action_type> add_action_type(std::string name) = 0;
  /// The type of this name, added if there is none. May block.
  result<action_type> ensure_action_type(std::string_view name);

  // -- tokens -----------------------------------------------------------------

  /// Memory. Revoked tokens are found too (and marked). Null if there is none;
  /// counts as a use of the token.
  [[nodiscard]] virtual std::shared_ptr<const token>
  find_token(std::string_view key) const = 0;
  /// Memory. By id, without the revoked ones. O(all tokens).
  [[nodiscard]] virtual std::vector<token> tokens(organizer_id owner) const = 0;
  /// Blocks. not_found (no such organizer), invalid_argument (field "name": 1
  /// to 200 characters, or "permissions").
  virtual result<issued_token> add_token(organizer_id owner, std::string name,
                                         std::uint8_t permissions) = 0;
  /// Blocks. not_found.
  virtual result<void> revoke_token(organizer_id owner, token_id id) = 0;

  // -- webhooks ---------------------------------------------------------------

  /// Blocks. Answers what was stored, with its id and its signing secret made.
  /// invalid_argument, with the field ("target_url", "action_types", "events",
  /// "filter", "comment", "delivery.KEY") and a sentence; not_found (no such
  /// organizer).
  virtual result<webhook> add_webhook(organizer_id owner, webhook value) = 0;
  /// Blocks. Applies `edit` to the stored webhook, atomically; an error that
  /// it returns ends the change. `id` and `owner` stay. It runs on the engine's
  /// committer thread while this one waits, again if the disk refused what it
  /// made, and never after this one has returned: it must not call the engine.
  /// Errors as of add_webhook, not_found.
  virtual result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) = 0;
  /// Blocks. not_found also for another organizer's.
  virtual result<webhook> find_webhook(organizer_id owner, webhook_id id) = 0;
  /// Blocks. By id; none of an organizer that does not exist. O(offset +
  /// limit), or, with `enabled`, of the webhooks that it passes over.
  virtual result<std::vector<webhook>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) = 0;
  /// Blocks. 0 of an organizer that does not exist. O(the organizer's webhooks)
  /// with `enabled`.
  virtual result<std::size_t> count_webhooks(organizer_id owner,
                                             std::optional<bool> enabled) = 0;

  /// Memory. The plain text of one of a webhook's settings; one that was not
  /// sealed is returned as it is. invalid_argument: no key of this engine opens
  /// it.
  [[nodiscard]] virtual result<std::string>
  reveal(const secret_text& text) const = 0;
  /// Blocks. not_found also if its calls are not signed.
  virtual result<secret_view> find_secret(organizer_id owner,
                                          webhook_id hook) = 0;
  /// Blocks. not_found, invalid_argument (field "secret", "overlap"), conflict
  /// (not signed).
  virtual result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                            secret_rotation how) = 0;
  /// Blocks. Against the newest 100 notifications that the webhook is
  /// subscribed to, which it looks for among the newest 100,000 at most.
  /// invalid_argument (field "filter"), not_found.
  virtual result<filter_preview>
  preview_filter(organizer_id owner, webhook_id hook, std::string filter) = 0;

  // -- calls ------------------------------------------------------------------

  // not_found: no such webhook, or no such call of it.

  /// Blocks. Newest first, ids below `before` (0: from the newest). O(limit):
  /// page through many of them.
  virtual result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                          call_id before,
                                          std::size_t limit) = 0;
  /// Blocks.
  virtual result<call> find_call(organizer_id owner, webhook_id hook,
                                 call_id id) = 0;
  /// Blocks. By due time. All of them: O(n log n).
  virtual result<std::vector<retry>> retries(organizer_id owner,
                                             webhook_id hook) = 0;

  /// Blocks. Sends the notification of a call to its webhook again, now, with a
  /// schedule of its own; one that waits for a retry is brought forward.
  /// Answers what is in the retry set then. not_found (also if the notification
  /// is no longer kept), conflict (the webhook is disabled, an attempt is under
  /// way).
  virtual result<retry> resend(organizer_id owner, webhook_id hook,
                               call_id id) = 0;
  /// Blocks. Makes all retries due now that are not; how many. O(retries), as
  /// dropping them.
  virtual result<std::size_t> expedite_retries(organizer_id owner,
                                               webhook_id hook) = 0;
  /// Blocks. Ends all retries, each logged as given up; how many. What was not
  /// attempted so far stays.
  virtual result<std::size_t> drop_retries(organizer_id owner,
                                           webhook_id hook) = 0;

  using tested = std::function<void(result<test_call>)>;

  /// One attempt, now, of a made-up notification, also of a disabled webhook.
  /// Blocks until it is in the journal; `done` is called once with the call, or
  /// an error (not_found, those of a publish), on any thread: it must not
  /// block.
  virtual void test_webhook(const organizer& owner, webhook_id hook,
                            tested done) = 0;

  // -- replay -----------------------------------------------------------------

  /// Blocks. O(notifications of that time). invalid_argument (field "until",
  /// "rate"), not_found.
  virtual result<replay_preview>
  preview_replay(organizer_id owner, webhook_id hook, replay_request asked) = 0;
  /// Blocks. conflict: the webhook is disabled, or a replay of it runs; else as
  /// preview_replay.
  virtual result<replay_progress>
  start_replay(organizer_id owner, webhook_id hook, replay_request asked) = 0;
  /// Blocks. The last one, also if it has ended. not_found. O(retries), to tell
  /// what waits.
  virtual result<replay_progress> find_replay(organizer_id owner,
                                              webhook_id hook) = 0;
  /// Blocks. not_found: none runs.
  virtual result<void> cancel_replay(organizer_id owner, webhook_id hook) = 0;

  // -- looking into it --------------------------------------------------------

  /// Blocks until the webhook's actor has answered, which is started for it if
  /// it was idle. not_found.
  virtual result<delivery_state> inspect(organizer_id owner,
                                         webhook_id hook) = 0;
  /// Blocks. Looks at 1,000 calls, and at no more than 100,000 notifications to
  /// count the backlog. not_found.
  virtual result<webhook_health> health(organizer_id owner,
                                        webhook_id hook) = 0;
  /// Blocks. One for each of the organizer's webhooks, by id. Looks through up
  /// to 20,000 calls of each.
  virtual result<std::vector<explanation>>
  explain(const notification& what, std::size_t offset, std::size_t limit) = 0;
  /// Blocks. For one webhook, as above. not_found.
  virtual result<explanation> explain(const notification& what,
                                      webhook_id hook) = 0;

  // -- state ------------------------------------------------------------------

  /// Memory. True while the engine runs and the disk takes writes. Publishes
  /// may still be `overloaded`, or `store_full` once `max_store_size` is used
  /// up.
  [[nodiscard]] virtual bool ready() const = 0;
  /// Reads the store's list of free pages, which is mostly in memory; waits for
  /// no commit.
  [[nodiscard]] virtual engine_statistics statistics() const = 0;
  /// As statistics: most of that and more, as a metrics library wants it.
  [[nodiscard]] virtual std::vector<metric> metrics() const = 0;
  /// Memory. Has all webhooks look at the clock again. The engine does so by
  /// itself once a minute; call it after an injected clock was set.
  virtual void wake() = 0;

  /// Refuses publishes at once, starts no further attempts, waits up to
  /// `deadline` for those in flight, and saves where it was. Attempts that did
  /// not end are made again at the next start. Afterwards everything but
  /// queries is refused with `stopping`. Blocks, at most a few seconds longer
  /// than `deadline`, unless the disk hangs: a write that the system has begun
  /// cannot be ended. Idempotent, and a second call with an earlier end holds
  /// for the first, too; any thread, but not from a callback of the engine.
  virtual void stop(std::chrono::milliseconds deadline) = 0;
};

} // namespace fanfare
