// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the REST API asks of an engine: small interfaces by role, and
/// `service`, which is all of them. engine/rest_service.hpp implements it;
/// tests put a fake in its place. Programs that embed the engine never see it.
///
/// Any thread. Functions marked "memory" answer at once; those marked "blocks"
/// may wait for the disk. `not_found` is also the answer for whatever belongs
/// to another organizer. Every function may fail with `stopping`, `store_full`,
/// `io_error` or `store_damaged`; further errors are named.

#include "fanfare/backup.hpp"
#include "fanfare/error.hpp"
#include "fanfare/metrics.hpp"
#include "fanfare/publication.hpp"
#include "fanfare/queries.hpp"
#include "fanfare/reports.hpp"
#include "fanfare/secrets.hpp"
#include "fanfare/status.hpp"
#include "fanfare/types.hpp"
#include "model/feed.hpp"
#include "model/idempotency.hpp"
#include "model/search.hpp"
#include "model/token.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol::rest {

/// Gets the answer that is stored under a key.
using answered = std::function<void(result<stored_answer>)>;

/// Publishes notifications: all of a list or none.
class publisher {
public:
  virtual ~publisher() = default;

  using published = std::function<void(result<std::vector<position>>)>;

  /// Memory. `done` gets the ids in the order of the list once they are on
  /// disk, or why they are not, on any thread; it must not block. On an error
  /// returned here, `done` is not called and both arguments are unchanged.
  /// invalid_argument (field "action", "event", "payload"), too_large,
  /// overloaded.
  virtual result<void> try_publish(organizer_id owner,
                                   std::vector<publication>&& items,
                                   published&& done) = 0;
  /// The same under an idempotency key, which is stored in the same
  /// transaction. If an answer is stored under it already, nothing is published
  /// and `done` gets that answer. `done` is always called.
  virtual void publish_keyed(organizer_id owner, std::vector<publication> items,
                             publish_once once, answered done) = 0;
};

/// Answers stored under idempotency keys.
class answer_store {
public:
  virtual ~answer_store() = default;

  /// Memory. Stores an answer unless the key has one; `done` gets the stored
  /// one, on any thread.
  virtual void remember_answer(const idempotency_key& key, plain_answer answer,
                               answered done) = 0;
  /// Blocks. Null: none.
  virtual result<stored_answer_ptr> find_answer(const idempotency_key& key) = 0;
};

/// Organizers, events and action types.
class registry {
public:
  virtual ~registry() = default;

  /// Memory.
  [[nodiscard]] virtual std::optional<organizer>
  find_organizer(std::string_view slug) const = 0;
  /// Memory. By slug.
  [[nodiscard]] virtual std::vector<organizer> organizers() const = 0;
  /// Blocks. already_exists, invalid_argument (field "slug", "name").
  virtual result<organizer> add_organizer(std::string slug,
                                          std::string name) = 0;
  /// Blocks. Applies `edit` to the stored organizer on another thread while
  /// this one waits; an error it returns cancels the change. not_found,
  /// invalid_argument (field "allow_networks", "deny_networks").
  virtual result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit) = 0;

  /// Blocks until its webhooks have ended, or a minute. not_found.
  virtual result<void> remove_organizer(organizer_id id) = 0;

  /// Memory.
  [[nodiscard]] virtual std::optional<event>
  find_event(organizer_id owner, std::string_view slug) const = 0;
  /// Memory.
  [[nodiscard]] virtual std::optional<event> find_event(event_id id) const = 0;
  /// Memory. By name, then slug.
  [[nodiscard]] virtual std::vector<event> events(organizer_id owner) const = 0;
  /// Blocks. As add_organizer.
  virtual result<event> add_event(organizer_id owner, std::string slug,
                                  std::string name) = 0;
  /// Blocks. not_found, invalid_argument (field "name").
  virtual result<event> rename_event(organizer_id owner, event_id id,
                                     std::string name) = 0;
  /// Blocks. not_found.
  virtual result<void> remove_event(organizer_id owner, event_id id) = 0;

  /// Memory. The registered type of exactly this name.
  [[nodiscard]] virtual std::optional<action_type>
  find_action_type(std::string_view name) const = 0;
  /// Memory. By id.
  [[nodiscard]] virtual std::vector<action_type> action_types() const = 0;
  /// Blocks. already_exists, invalid_argument (field "name").
  virtual result<action_type> add_action_type(std::string name) = 0;
};

/// API tokens of organizers.
class token_registry {
public:
  virtual ~token_registry() = default;

  /// Memory. Also finds revoked tokens, which are marked; null: unknown. Counts
  /// as a use of the token.
  [[nodiscard]] virtual std::shared_ptr<const token>
  find_token(std::string_view key) const = 0;
  /// Memory. By id, without revoked ones.
  [[nodiscard]] virtual std::vector<token> tokens(organizer_id owner) const = 0;
  /// Blocks. invalid_argument (field "name", "permissions").
  virtual result<issued_token> add_token(organizer_id owner, std::string name,
                                         std::uint8_t permissions) = 0;
  /// Blocks. not_found.
  virtual result<void> revoke_token(organizer_id owner, token_id id) = 0;
};

/// Opens the sealed texts among a webhook's settings.
class secret_opener {
public:
  virtual ~secret_opener() = default;

  /// Memory. The plain text; text that is not sealed is returned unchanged.
  /// invalid_argument: no key of this engine opens it.
  [[nodiscard]] virtual result<std::string>
  reveal(const secret_text& text) const = 0;
};

/// Webhooks and their signing secrets.
class webhook_registry : public secret_opener {
public:
  /// Blocks. Returns the stored webhook. invalid_argument (the field at fault).
  virtual result<webhook> add_webhook(organizer_id owner, webhook value) = 0;
  /// Blocks. Applies `edit` as change_organizer does. not_found,
  /// invalid_argument.
  virtual result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) = 0;
  /// Blocks. not_found.
  virtual result<webhook> find_webhook(organizer_id owner, webhook_id id) = 0;
  /// Blocks. By id.
  virtual result<std::vector<webhook>> webhooks(organizer_id owner,
                                                const webhook_query& which) = 0;
  /// Blocks. With `enabled`: only those that are, or are not.
  virtual result<std::size_t> count_webhooks(organizer_id owner,
                                             std::optional<bool> enabled) = 0;

  /// Blocks. not_found: no such webhook, or its calls are not signed.
  virtual result<secret_view> find_secret(organizer_id owner,
                                          webhook_id hook) = 0;
  /// Blocks. not_found, invalid_argument (field "secret", "overlap"), conflict:
  /// its calls are not signed.
  virtual result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                            secret_rotation how) = 0;
};

/// Notifications, calls and retries.
class delivery_log {
public:
  virtual ~delivery_log() = default;

  /// Blocks. not_found.
  virtual result<notification_ptr> find_notification(organizer_id owner,
                                                     position id) = 0;
  /// Blocks. Newest first.
  virtual result<found_notifications>
  search(organizer_id owner, const notification_search& wanted) = 0;
  /// Blocks. Of all the organizer's webhooks, newest first.
  virtual result<found_calls> search(organizer_id owner,
                                     const call_search& wanted) = 0;
  /// Blocks. Newest first. not_found.
  virtual result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                          const call_query& which) = 0;
  /// Blocks. not_found: no such webhook or call.
  virtual result<call> find_call(organizer_id owner, webhook_id hook,
                                 call_id id) = 0;
  /// Blocks. By due time. not_found.
  virtual result<std::vector<retry>> retries(organizer_id owner,
                                             webhook_id hook) = 0;
};

/// What happens in an organizer, for those who follow it.
class feed_source {
public:
  virtual ~feed_source() = default;

  /// Memory. Where that begins what happens from now on.
  [[nodiscard]] virtual feed_place feed_end() const = 0;
  /// Blocks. Where that begins what happened since then, and maybe a little
  /// more.
  virtual result<feed_place> feed_at(timestamp since) = 0;
  /// Blocks. What happened after the place.
  virtual result<feed_page> read_feed(organizer_id owner,
                                      const feed_place& after,
                                      const feed_limits& within) = 0;
  /// Memory. `news` is called when there is something to read, once until the
  /// organizer's feed is read again, on any thread, as long as what is returned
  /// exists. It must not block, nor call back.
  [[nodiscard]] virtual std::shared_ptr<void>
  follow_feed(organizer_id owner, std::function<void()> news) = 0;
};

/// Requests that a webhook carries out. Each may answer not_found.
class orders {
public:
  virtual ~orders() = default;

  /// Blocks. Sends the notification of a call again, now. conflict: the webhook
  /// is disabled, or an attempt is in flight.
  virtual result<retry> resend(organizer_id owner, webhook_id hook,
                               call_id id) = 0;
  /// Blocks. Makes all retries due now; returns how many were not.
  virtual result<std::size_t> expedite_retries(organizer_id owner,
                                               webhook_id hook) = 0;
  /// Blocks. Gives up all retries, or those of an action type only; returns how
  /// many. invalid_argument (field "action_type"): there is no such type.
  virtual result<std::size_t>
  drop_retries(organizer_id owner, webhook_id hook,
               std::optional<std::string_view> action_type) = 0;

  using tested = std::function<void(result<test_call>)>;

  /// Sends a made-up notification once, now, even to a disabled webhook. Blocks
  /// until it is on disk; `done` is called once, on any thread.
  virtual void test_webhook(const organizer& owner, webhook_id hook,
                            tested done) = 0;

  /// Blocks. invalid_argument (field "until", "rate").
  virtual result<replay_preview>
  preview_replay(organizer_id owner, webhook_id hook, replay_request asked) = 0;
  /// Blocks. As preview_replay; conflict: the webhook is disabled, or a replay
  /// is running.
  virtual result<replay_progress>
  start_replay(organizer_id owner, webhook_id hook, replay_request asked) = 0;
  /// Blocks. The last replay, even if it has ended.
  virtual result<replay_progress> find_replay(organizer_id owner,
                                              webhook_id hook) = 0;
  /// Blocks. not_found: none is running.
  virtual result<void> cancel_replay(organizer_id owner, webhook_id hook) = 0;
};

/// How deliveries are going, and why they went as they did. Each blocks and may
/// answer not_found.
class inspection {
public:
  virtual ~inspection() = default;

  /// invalid_argument (field "filter").
  virtual result<filter_preview>
  preview_filter(organizer_id owner, webhook_id hook, std::string filter) = 0;
  /// The state of its deliveries at this moment.
  virtual result<delivery_state> inspect(organizer_id owner,
                                         webhook_id hook) = 0;
  virtual result<webhook_health> health(organizer_id owner,
                                        webhook_id hook) = 0;
  /// The calls of a webhook counted, or of all the organizer's if `hook` is 0.
  /// invalid_argument (field "since", "until", "step").
  virtual result<call_statistics>
  call_counts(organizer_id owner, webhook_id hook,
              const statistics_query& which) = 0;
  /// One for each of the organizer's webhooks, by id.
  virtual result<std::vector<explanation>>
  explain(const notification& what, std::size_t offset, std::size_t limit) = 0;
  virtual result<explanation> explain(const notification& what,
                                      webhook_id hook) = 0;
};

/// Figures for monitoring.
class figures {
public:
  virtual ~figures() = default;

  /// Blocks for a moment. Of the whole engine.
  [[nodiscard]] virtual std::vector<metric> metrics() const = 0;
  /// Blocks. Of an organizer's webhooks, the first 1,000 by id. not_found.
  virtual result<std::vector<metric>> metrics(organizer_id owner) const = 0;
};

/// The state of the whole.
class overview {
public:
  virtual ~overview() = default;

  /// Blocks for a second at most. Of an organizer, or of all if `owner` is 0;
  /// with the `worst` webhooks.
  virtual engine_status status(organizer_id owner, std::size_t worst) = 0;
  /// Memory. A wrong key came from this address: the operator may want to know.
  virtual void note_failed_login(std::string_view address) = 0;
};

/// All of it.
class service : public publisher,
                public answer_store,
                public registry,
                public token_registry,
                public webhook_registry,
                public delivery_log,
                public feed_source,
                public orders,
                public inspection,
                public figures,
                public overview {
public:
  service() = default;
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// Memory. True while the engine runs and the disk takes writes.
  [[nodiscard]] virtual bool ready() const = 0;
  /// Blocks until the backup is made. conflict: another one is.
  virtual result<void> back_up(backup_sink& to,
                               const backup_options& options) = 0;
};

} // namespace fanfare::protocol::rest
