// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The engine: publish once, delivered to every subscriber, nothing lost.
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
/// docs/embedding.md says when to embed, and what to think of. The values that
/// functions take and return are in the headers below, a subject each.

#include "fanfare/error.hpp"
#include "fanfare/export.hpp"
#include "fanfare/metrics.hpp"
#include "fanfare/options.hpp"
#include "fanfare/publication.hpp"
#include "fanfare/queries.hpp"
#include "fanfare/reports.hpp"
#include "fanfare/secrets.hpp"
#include "fanfare/types.hpp"
#include "fanfare/version.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

class engine_core;

/// An engine at work on its data directory.
///
/// **Threads.** All functions may be called from any number of threads until
/// the destructor begins. Those marked "memory" answer from memory and never
/// wait. Those marked "blocks" may wait for the disk: call them from a thread
/// that may wait, never from a callback of the engine (`conflict` if it is one
/// that the engine waits for). Changes and what a webhook is asked for give up
/// after a minute with `io_error`; publishes and queries wait as long as the
/// disk takes.
///
/// **Errors.** Beside those that a function names: `stopping` of all but
/// queries once the engine stops, `store_full` of what is to be stored,
/// `io_error` of what reads or writes, `store_damaged` of what reads;
/// `not_found` if an organizer or webhook does not exist or the webhook is
/// another organizer's. None throws but for want of memory.
///
/// **Callbacks** should not throw: what they throw is logged and dropped, with
/// two exceptions. If try_publish calls `done` before it returns, its caller
/// gets the exception; an edit that throws is refused (invalid_argument, field
/// "edit"). Once the engine stops, callbacks that wait are called on the thread
/// that stops it, or that found out that the engine cannot go on, and those of
/// later publishes on the publishing thread before its call returns: `done`
/// must not take a lock that its publisher holds.
///
/// **Costs** are those of a call, n being what it returns, if nothing else is
/// said. What is returned is a copy of the caller's own.
class FANFARE_API engine final {
public:
  /// Opens the store, recovers, and delivers from now on. Takes as long as
  /// reading the registry and what was logged since the last checkpoint does.
  /// Errors: those of the data directory (store_…, io_error); those of options,
  /// which have its path as their field ("retries.max_age"): invalid_argument,
  /// and io_error for a file that cannot be read; io_error if the process may
  /// not have as many threads or files.
  static result<std::unique_ptr<engine>> start(engine_options options);

  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  /// stop(0 s), if it was not stopped before.
  ~engine();

  // -- publishing -------------------------------------------------------------
  //
  // Four ways, each for one publication or a list (std::vector) of up to 1,000,
  // of which all or none is published. A publish that has ended without an
  // error is on disk: it will be delivered, whatever happens. Ids grow, and
  // those of a list follow each other. O(bytes), and the wait for the disk,
  // which publishers share that publish at the same time.
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

  /// Blocks until it is on disk, first, for up to
  /// `engine_options::publish_patience`, for room. If nothing else is being
  /// written, the calling thread writes it itself instead of waking another,
  /// and what others publish meanwhile waits for it.
  result<position> publish(organizer_id owner, publication one);
  result<std::vector<position>> publish(organizer_id owner,
                                        publication_list auto items) {
    return publish_all(owner, std::move(items));
  }

  /// While 4 MiB of publishes wait for the disk, it waits for room as `publish`
  /// does, but not in a callback of the engine, which makes it. The future
  /// becomes ready when it is on disk, and does not wait in its destructor.
  [[nodiscard]] std::future<result<position>> publish_later(organizer_id owner,
                                                            publication one);
  [[nodiscard]] std::future<result<std::vector<position>>>
  publish_later(organizer_id owner, publication_list auto items) {
    return publish_all_later(owner, std::move(items));
  }

  /// Never blocks. Without an error, `done` is called exactly once when it is
  /// on disk or the disk refused it, on the engine's committer thread (but see
  /// above for when it stops): it must not block, nor call functions marked
  /// "blocks"; it may be empty. With an error it is not called, and what is
  /// handed over is as it was: after `overloaded` (64 MiB of publishes wait for
  /// the disk, what they take besides their text included) try again in a
  /// moment, or use `publish`, which waits.
  result<void> try_publish(organizer_id owner, publication&& one,
                           std::function<void(result<position>)>&& done);
  template <publication_list List>
    requires(!std::is_lvalue_reference_v<List>)
  result<void>
  try_publish(organizer_id owner, List&& items,
              std::function<void(result<std::vector<position>>)>&& done) {
    return try_publish_all(owner, std::move(items), std::move(done));
  }

  /// Blocks. As publish, but once: if the organizer has published under this
  /// key within the last 24 h, nothing is published, and the ids are those of
  /// then. The key and the notifications are written in one transaction. For
  /// programs that cannot tell whether they published before they were ended,
  /// such as the relay of an outbox. `key`: 1 to 27 bytes, else
  /// invalid_argument (field "key").
  result<position> publish_once(organizer_id owner, std::string_view key,
                                publication one);
  result<std::vector<position>> publish_once(organizer_id owner,
                                             std::string_view key,
                                             publication_list auto items) {
    return publish_all_once(owner, key, std::move(items));
  }

  /// Blocks.
  result<notification_ptr> find_notification(organizer_id owner, position id);

  // -- organizers, events, action types ---------------------------------------

  /// Memory.
  [[nodiscard]] std::optional<organizer>
  find_organizer(std::string_view slug) const;
  /// Memory. By slug.
  [[nodiscard]] std::vector<organizer> organizers() const;
  /// Blocks. already_exists, invalid_argument (field "slug": a letter or digit,
  /// then these or '-', '.', '_'; at most 50; or "name": 1 to 200 characters).
  result<organizer> add_organizer(std::string slug, std::string name);
  /// The organizer of this slug, added with the slug as its name if there is
  /// none. May block.
  result<organizer> ensure_organizer(std::string_view slug);
  /// Blocks. Applies `edit` to the stored organizer, as change_webhook does; it
  /// may change all but id and slug. Networks are as in network_options.
  /// invalid_argument (field "name", "allow_networks", "deny_networks").
  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit);

  /// Memory.
  [[nodiscard]] std::optional<event> find_event(organizer_id owner,
                                                std::string_view slug) const;
  /// Memory.
  [[nodiscard]] std::optional<event> find_event(event_id id) const;
  /// Memory. By name, then slug. O(n log n).
  [[nodiscard]] std::vector<event> events(organizer_id owner) const;
  /// Blocks. already_exists, invalid_argument (as add_organizer).
  result<event> add_event(organizer_id owner, std::string slug,
                          std::string name);

  /// Memory. The registered type of exactly this name.
  [[nodiscard]] std::optional<action_type>
  find_action_type(std::string_view name) const;
  /// Memory. By id.
  [[nodiscard]] std::vector<action_type> action_types() const;
  /// Blocks. already_exists, invalid_argument (field "name": two or more parts
  /// of a-z, 0-9, '_' and '-' with dots between them, at most 255 bytes; not
  /// those that begin with "fanfare."). A name whose last part is "*" stands
  /// for all below it.
  result<action_type> add_action_type(std::string name);
  /// The type of this name, added if there is none. May block.
  result<action_type> ensure_action_type(std::string_view name);

  // -- webhooks ---------------------------------------------------------------

  /// Blocks. Returns the stored webhook, with its id and its signing secret
  /// made. invalid_argument, with the field ("target_url", "action_types",
  /// "events", "filter", "comment", "delivery.KEY") and a sentence.
  result<webhook> add_webhook(organizer_id owner, webhook value);
  /// Blocks. Applies `edit` to the stored webhook, atomically; an error that
  /// it returns ends the change. `id` and `owner` stay. It runs on the engine's
  /// committer thread while this one waits, again if the disk refused what it
  /// made, and never after this one has returned: it must not call the engine.
  /// Errors as of add_webhook.
  result<webhook> change_webhook(organizer_id owner, webhook_id id,
                                 std::function<result<void>(webhook&)> edit);
  /// Blocks.
  result<webhook> find_webhook(organizer_id owner, webhook_id id);
  /// Blocks. None of an organizer that does not exist. O(offset + limit), or,
  /// with `enabled`, of the webhooks that it passes over.
  result<std::vector<webhook>> webhooks(organizer_id owner,
                                        const webhook_query& which = {});
  /// Blocks. With `enabled`: only those that are, or are not, in O(the
  /// organizer's webhooks). 0 of an organizer that does not exist.
  result<std::size_t> count_webhooks(organizer_id owner,
                                     std::optional<bool> enabled = {});

  /// Memory. The plain text of one of a webhook's settings; text that is not
  /// sealed is returned unchanged. invalid_argument: no key of this engine
  /// opens it.
  [[nodiscard]] result<std::string> reveal(const secret_text& text) const;
  /// Blocks. not_found also if its calls are not signed.
  result<secret_view> find_secret(organizer_id owner, webhook_id hook);
  /// Blocks. invalid_argument (field "secret", "overlap"), conflict (not
  /// signed).
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how = {});
  /// Blocks. Against the newest 100 notifications that the webhook is
  /// subscribed to, which it looks for among the newest 100,000 at most.
  /// invalid_argument (field "filter").
  result<filter_preview> preview_filter(organizer_id owner, webhook_id hook,
                                        std::string_view filter);

  // -- calls ------------------------------------------------------------------

  /// Blocks. Newest first. O(limit): page through many of them.
  result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                  const call_query& which = {});
  /// Blocks. not_found also if the webhook has no such call.
  result<call> find_call(organizer_id owner, webhook_id hook, call_id id);
  /// Blocks. By due time. All of them: O(n log n).
  result<std::vector<retry>> retries(organizer_id owner, webhook_id hook);

  /// Blocks. Sends the notification of a call to its webhook again, now, with a
  /// schedule of its own; one that waits for a retry is brought forward.
  /// Returns what is in the retry set then. not_found (also if the notification
  /// is no longer kept), conflict (the webhook is disabled, or an attempt is in
  /// flight).
  result<retry> resend(organizer_id owner, webhook_id hook, call_id id);
  /// Blocks. Makes all retries due now; returns how many were not. O(retries).
  result<std::size_t> expedite_retries(organizer_id owner, webhook_id hook);
  /// Blocks. Ends all retries, each logged as given up; returns how many. What
  /// was not attempted so far stays. O(retries).
  result<std::size_t> drop_retries(organizer_id owner, webhook_id hook);

  /// One attempt, now, of a made-up notification, even of a disabled webhook.
  /// Blocks until it is in the journal; `done` is called once with the call, or
  /// an error (not_found, those of a publish), on any thread: it must not
  /// block.
  void test_webhook(organizer_id owner, webhook_id hook,
                    std::function<void(result<test_call>)> done);

  // -- replay -----------------------------------------------------------------

  /// Blocks. O(notifications of that time). invalid_argument (field "until",
  /// "rate").
  result<replay_preview> preview_replay(organizer_id owner, webhook_id hook,
                                        const replay_request& asked);
  /// Blocks. conflict: the webhook is disabled, or a replay of it runs; else as
  /// preview_replay.
  result<replay_progress> start_replay(organizer_id owner, webhook_id hook,
                                       const replay_request& asked);
  /// Blocks. The last one, even if it has ended. not_found also if there was
  /// none. O(retries), to tell what waits.
  result<replay_progress> find_replay(organizer_id owner, webhook_id hook);
  /// Blocks. not_found also if none runs.
  result<void> cancel_replay(organizer_id owner, webhook_id hook);

  // -- how it goes, and why ---------------------------------------------------

  /// Blocks until the webhook's actor has answered, which is started for it if
  /// it was idle.
  result<delivery_state> inspect(organizer_id owner, webhook_id hook);
  /// Blocks. Looks at 1,000 calls, and at no more than 100,000 notifications to
  /// count the backlog.
  result<webhook_health> health(organizer_id owner, webhook_id hook);
  /// Blocks. One for each of the organizer's webhooks, by id. Looks through up
  /// to 20,000 calls of each.
  result<std::vector<explanation>> explain(const notification& what,
                                           const explanation_query& which = {});
  /// Blocks. For one webhook.
  result<explanation> explain(const notification& what, webhook_id hook);

  // -- state ------------------------------------------------------------------

  /// Memory. True while the engine runs and the disk takes writes. Publishes
  /// may still be `overloaded`, or `store_full` once `store.max_size` is used
  /// up.
  [[nodiscard]] bool ready() const;
  /// Reads the store's list of free pages, which is mostly in memory; waits for
  /// no commit.
  [[nodiscard]] engine_statistics statistics() const;
  /// As statistics: most of that and more, as a metrics library wants it.
  [[nodiscard]] std::vector<metric> metrics() const;
  /// Memory. Has all webhooks look at the clock again. The engine does so by
  /// itself once a minute; call it after an injected clock was set.
  void wake();

  /// Refuses publishes at once, starts no further attempts, waits up to
  /// `deadline` for those in flight, and saves where it was. Attempts that did
  /// not end are made again at the next start. Afterwards everything but
  /// queries is refused with `stopping`. Blocks, at most a few seconds longer
  /// than `deadline`, unless the disk hangs: a write that the system has begun
  /// cannot be ended. Idempotent, and a second call with an earlier end holds
  /// for the first, too; any thread, but not from a callback of the engine.
  void stop(std::chrono::milliseconds deadline);

private:
  friend engine_core& core_of(engine& of);

  explicit engine(std::unique_ptr<engine_core> core);

  result<std::vector<position>> publish_all(organizer_id owner,
                                            std::vector<publication> items);
  std::future<result<std::vector<position>>>
  publish_all_later(organizer_id owner, std::vector<publication> items);
  result<void>
  try_publish_all(organizer_id owner, std::vector<publication>&& items,
                  std::function<void(result<std::vector<position>>)>&& done);
  result<std::vector<position>>
  publish_all_once(organizer_id owner, std::string_view key,
                   std::vector<publication> items);

  std::unique_ptr<engine_core> core_;
};

} // namespace fanfare
