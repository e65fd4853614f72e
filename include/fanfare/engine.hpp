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
/// docs/embedding.md explains when and how to embed. The headers below, one per
/// subject, define the values that functions take and return.

#include "fanfare/backup.hpp"
#include "fanfare/error.hpp"
#include "fanfare/export.hpp"
#include "fanfare/metrics.hpp"
#include "fanfare/options.hpp"
#include "fanfare/publication.hpp"
#include "fanfare/queries.hpp"
#include "fanfare/reports.hpp"
#include "fanfare/secrets.hpp"
#include "fanfare/status.hpp"
#include "fanfare/types.hpp"
#include "fanfare/version.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
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
/// **Threads.** Any number of threads may call any function until the
/// destructor begins. Those marked "memory" answer from memory and never
/// wait. Those marked "blocks" can wait for the disk: call them from a thread
/// that may wait, never from a callback of the engine (`conflict` if the
/// engine waits for it). Changes and requests to a webhook give up after a
/// minute with `io_error`; publishes and queries wait as long as the disk
/// takes.
///
/// **Errors.** In addition to those that a function names: `stopping` from all
/// but queries once the engine stops, `store_full` from writes, `io_error` from
/// reads and writes, `store_damaged` from reads; `not_found` if an organizer or
/// webhook does not exist or the webhook is another organizer's. Nothing throws
/// except when memory runs out.
///
/// **Callbacks** should not throw: an exception is logged and dropped, but an
/// edit that throws is refused (invalid_argument, field "edit"). Once the
/// engine stops, pending callbacks run on the thread that
/// stops it, or that detected a fatal failure, and those of later publishes on
/// the publishing thread before its call returns: `done` must not take a lock
/// that its publisher holds.
///
/// **Costs** are per call, n being the size of the result, unless stated
/// otherwise. The caller owns its copy of the result.
class FANFARE_API engine final {
public:
  /// Opens the store, recovers, and starts delivery. Takes as long as it takes
  /// to read the registry and the calls since the last checkpoint. Errors:
  /// those of the data directory (store_…, io_error); those of an option, with
  /// its path as the field ("retries.max_age"): invalid_argument, and io_error
  /// for an unreadable file; io_error if the process's limits allow too few
  /// threads or files.
  static result<std::unique_ptr<engine>> start(engine_options options);

  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  /// stop(0 s), unless already stopped.
  ~engine();

  // -- publishing -------------------------------------------------------------
  //
  // Four ways, each for one publication or a list (std::vector) of up to 1,000,
  // published all or none. A publish that ended without an error is on disk: it
  // will be delivered, whatever happens. Ids grow, and those of a list are
  // consecutive. O(bytes), plus the wait for the disk, which concurrent
  // publishers share.
  //
  // Errors: invalid_argument with field "action" (unknown: register it by
  // add_action_type; the sentence names it), "event" (not a slug), "payload"
  // (not the text of a JSON object, or with a reserved member), "trace", or
  // without a field (no or more than 1,000 publications); not_found (field
  // "organizer"); too_large (a body of more than 1 MiB, field "rest" if it is
  // that, a list of more than 64 MiB, including overheads of 256 bytes per
  // publication and 512 per list); overloaded; conflict (called in a callback
  // of the engine, it would wait for itself); store_full; stopping; io_error;
  // internal. In a list of several the sentence begins with the item's place:
  // "items[2]: …".

  /// Blocks until it is on disk, after a wait for room of up to
  /// `engine_options::publish_patience`. If nothing else is being written, the
  /// calling thread writes it itself instead of waking another, and concurrent
  /// publishes of others wait for it.
  result<position> publish(organizer_id owner, publication one);
  result<std::vector<position>> publish(organizer_id owner,
                                        publication_list auto items) {
    return publish_all(owner, std::move(items));
  }

  /// While 4 MiB of publishes wait for the disk, it blocks and waits for room
  /// like `publish`, except in a callback of the engine, which makes the room;
  /// in vain, the future holds `overloaded`. The future becomes ready when it
  /// is on disk, and its destructor does not wait.
  [[nodiscard]] std::future<result<position>> publish_later(organizer_id owner,
                                                            publication one);
  [[nodiscard]] std::future<result<std::vector<position>>>
  publish_later(organizer_id owner, publication_list auto items) {
    return publish_all_later(owner, std::move(items));
  }

  /// Never blocks. Without an error, `done` is called exactly once, when it is
  /// on disk or the disk refused it, on the engine's committer thread (but see
  /// above for when it stops): it must not block, nor call functions marked
  /// "blocks"; it may be empty. With an error it is not called, and the
  /// arguments, if they are objects of the caller's that were moved, are
  /// unchanged: after `overloaded` (64 MiB of publishes,
  /// overheads included, wait for the disk) try again in a moment, or use
  /// `publish`, which waits. Some 20,000 in flight are as fast as any number:
  /// what waits longer is out of the processor's cache when its turn comes.
  result<void> try_publish(organizer_id owner, publication&& one,
                           std::function<void(result<position>)>&& done);
  template <publication_list List>
    requires(!std::is_lvalue_reference_v<List>)
  result<void>
  try_publish(organizer_id owner, List&& items,
              std::function<void(result<std::vector<position>>)>&& done) {
    return try_publish_all(owner, std::forward<List>(items), std::move(done));
  }

  /// Blocks. Like publish, but once: if the organizer published under this key
  /// within the last 24 h, nothing is published, and the original ids are
  /// returned. One transaction writes the key and the notifications. For
  /// programs that cannot tell whether they published before they ended, such
  /// as an outbox relay. `key`: 1 to 27 bytes, else invalid_argument (field
  /// "key"). Keys belong to an organizer, and have nothing to do with those of
  /// the REST API. conflict (field "key"): other publications were published
  /// under it.
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
  /// The organizer with this slug, added under the slug as its name if missing.
  /// Can block.
  result<organizer> ensure_organizer(std::string_view slug);
  /// Blocks. Applies `edit` to the stored organizer, as change_webhook does; it
  /// may change all but id and slug. Networks as in network_options.
  /// invalid_argument (field "name", "allow_networks", "deny_networks").
  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit);
  /// Blocks. Ends an organizer and all it has: nothing is published or called
  /// for it any more, its tokens are unknown, its slug is free, and whoever
  /// gets the slug gets nothing of it. Returns once its webhooks have ended, in
  /// O(webhooks); if that takes more than a minute, or the engine stops, the
  /// rest ends later. Journal and calls go with the retention. not_found.
  result<void> remove_organizer(organizer_id id);

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
  /// Blocks. not_found, invalid_argument (field "name").
  result<event> rename_event(organizer_id owner, event_id id, std::string name);
  /// Blocks. Ends an event: webhooks that are limited to it get nothing of it
  /// any more. A publish that names its slug registers another event.
  /// not_found.
  result<void> remove_event(organizer_id owner, event_id id);

  /// Memory. The registered type with exactly this name.
  [[nodiscard]] std::optional<action_type>
  find_action_type(std::string_view name) const;
  /// Memory. By id.
  [[nodiscard]] std::vector<action_type> action_types() const;
  /// Blocks. already_exists, invalid_argument (field "name": labels of A-Z,
  /// a-z, 0-9, '_' and '-' with '.' or '/' between them, at most 255 bytes;
  /// none that begin with "fanfare."). One that ends in ".*" or "/*", or is
  /// "*", covers what begins so and has no type of its own.
  result<action_type> add_action_type(std::string name);
  /// The type with this name, added if missing. Can block.
  result<action_type> ensure_action_type(std::string_view name);

  // -- webhooks ---------------------------------------------------------------

  /// Blocks. Returns the stored webhook, with a new id and signing secret. Its
  /// action types are registered names, and wildcards: "order.*", "orders/*",
  /// or "*" for all but the engine's own, later ones included.
  /// invalid_argument, with the field ("target_url", "action_types", "events",
  /// "filter", "comment", "delivery.KEY") and a sentence; of "delivery.name"
  /// also if another webhook of the organizer has it.
  result<webhook> add_webhook(organizer_id owner, const webhook& value);
  /// Blocks. Applies `edit` to the stored webhook, atomically; an error from it
  /// aborts the change. `id` and `owner` stay. It runs on the engine's
  /// committer thread while this one waits, again if the disk refused the
  /// result, and never after this one has returned: it must not call the
  /// engine. Errors as for add_webhook.
  result<webhook> change_webhook(organizer_id owner, webhook_id id,
                                 std::function<result<void>(webhook&)> edit);
  /// Blocks.
  result<webhook> find_webhook(organizer_id owner, webhook_id id);
  /// Blocks. Empty for an organizer that does not exist. O(offset + limit), or,
  /// with `enabled`, O(webhooks that it scans).
  result<std::vector<webhook>> webhooks(organizer_id owner,
                                        const webhook_query& which = {});
  /// Blocks. With `enabled`: only those that are, or are not, in O(the
  /// organizer's webhooks). 0 for an organizer that does not exist.
  result<std::size_t> count_webhooks(organizer_id owner,
                                     std::optional<bool> enabled = {});

  /// Memory. The plain text of one of a webhook's settings; unsealed text
  /// is returned unchanged. invalid_argument: no key of this engine opens
  /// it.
  [[nodiscard]] result<std::string> reveal(const secret_text& text) const;
  /// Blocks. not_found also if its calls are not signed.
  result<secret_view> find_secret(organizer_id owner, webhook_id hook);
  /// Blocks. invalid_argument (field "secret", "overlap"), conflict (not
  /// signed).
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how = {});
  /// Blocks. Tests the newest 100 notifications that the webhook is subscribed
  /// to, found among at most the newest 100,000. invalid_argument (field
  /// "filter").
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

  /// Blocks. Sends the notification of a call to its webhook again, now, with
  /// its own schedule; one that waits for a retry is brought forward. Returns
  /// the resulting entry of the retry set. not_found (also if the notification
  /// is no longer kept), conflict (the webhook is disabled, or an attempt is in
  /// flight).
  result<retry> resend(organizer_id owner, webhook_id hook, call_id id);
  /// Blocks. Makes all retries due now; returns how many were not. O(retries).
  result<std::size_t> expedite_retries(organizer_id owner, webhook_id hook);
  /// Blocks. Ends all retries, each logged as given up; returns how many.
  /// Notifications not yet attempted stay. O(retries). With `action_type`, only
  /// those of this action, or, if it is a wildcard, of all that a webhook
  /// subscribed to it gets. invalid_argument (field "action_type": no type is
  /// registered for it).
  result<std::size_t>
  drop_retries(organizer_id owner, webhook_id hook,
               std::optional<std::string_view> action_type = {});

  /// One attempt, now, with a made-up notification, even for a disabled
  /// webhook. Blocks until it is in the journal; `done` is called once with the
  /// call, or an error (not_found, those of a publish), on any thread: it must
  /// not block.
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
  /// none. O(retries), to count those waiting.
  result<replay_progress> find_replay(organizer_id owner, webhook_id hook);
  /// Blocks. not_found also if none runs.
  result<void> cancel_replay(organizer_id owner, webhook_id hook);

  // -- how it goes, and why ---------------------------------------------------

  /// Blocks until the webhook's actor has answered; an idle webhook's actor is
  /// started first.
  result<delivery_state> inspect(organizer_id owner, webhook_id hook);
  /// Blocks. Reads 1,000 calls, and at most 100,000 notifications to count the
  /// backlog.
  result<webhook_health> health(organizer_id owner, webhook_id hook);
  /// Blocks. How its calls went over time, as of now: also right after a kill.
  /// Costs as many reads as there are hours in the time, and at most a look at
  /// the calls of the last minutes. invalid_argument (field "since", "until",
  /// "step"): no such time, not kept so long, or more than 1,000 steps.
  result<call_statistics> call_counts(organizer_id owner, webhook_id hook,
                                      const statistics_query& which = {});
  /// The same for all webhooks of the organizer, however many they are.
  result<call_statistics> call_counts(organizer_id owner,
                                      const statistics_query& which = {});
  /// Blocks. One for each of the organizer's webhooks that are asked for, by
  /// id. Searches up to 20,000 calls of each.
  result<std::vector<explanation>> explain(const notification& what,
                                           const explanation_query& which = {});
  /// Blocks. For one webhook.
  result<explanation> explain(const notification& what, webhook_id hook);

  // -- state ------------------------------------------------------------------

  /// Memory. True while the engine runs and the disk takes writes. Publishes
  /// can still be `overloaded`, or `store_full` once `store.max_size` is used
  /// up.
  [[nodiscard]] bool ready() const;
  /// Blocks. Whether it works: each of its I/O threads, and the one that
  /// commits, answers within `patience`. A disk that refuses writes is no
  /// reason not to, one that never answers is. False once it stops. For
  /// watchdogs; a restart is what may help.
  [[nodiscard]] bool responds(std::chrono::milliseconds patience);
  /// Reads the store's list of free pages, which is mostly in memory. May wait
  /// some milliseconds, until the tables have what was answered.
  [[nodiscard]] engine_statistics statistics() const;
  /// What an operator looks at first: how many webhooks are in trouble, the
  /// `worst` of them, at most 100, and how the engine is; of an organizer, or
  /// of all if it is 0. Blocks for some milliseconds: the counts are kept, and
  /// the actors of the worst are asked, for a second at most.
  [[nodiscard]] engine_status status(organizer_id owner = 0,
                                     std::size_t worst = 10) const;
  /// As statistics: most of that and more, in the form of a metrics library.
  [[nodiscard]] std::vector<metric> metrics() const;
  /// Blocks. Those of an organizer's webhooks, of the first 1,000 by id, whose
  /// settings it reads from the store. not_found.
  result<std::vector<metric>> metrics(organizer_id owner) const;
  /// Memory. Makes all webhooks re-read the clock. The engine does so itself
  /// once a minute; call it after setting an injected clock.
  void wake();
  /// Applies those of the options that can change while the engine runs, for
  /// whatever starts from now on: `retries`, `timeouts`,
  /// `concurrency.max_in_flight`, `network.allow` and `network.deny`,
  /// `store.retention` and `store.retention_interval`. The others are not
  /// looked at. Memory; all of it or, with invalid_argument and the option's
  /// path as the field, nothing.
  result<void> change_options(const engine_options& wanted);

  // -- backup -----------------------------------------------------------------

  /// Writes a backup with all that was answered before the call, while the
  /// engine goes on. Blocks as long as that takes. conflict: another one runs;
  /// store_full: the store has grown too much meanwhile; io_error: it took
  /// longer than `longest`; stopping: `progress` gave it up, or the engine
  /// stops; store_damaged; those of the sink.
  result<void> back_up(backup_sink& to, const backup_options& options = {});
  /// The same into a file, as `backup_file` does: also its errors.
  result<void> back_up(const std::filesystem::path& target,
                       const backup_options& options = {});

  /// Refuses publishes at once, starts no further attempts, waits up to
  /// `deadline` for those in flight, and saves its progress. Unfinished
  /// attempts are made again at the next start. Afterwards everything but
  /// queries is refused with `stopping`. Blocks, at most a few seconds longer
  /// than `deadline`, unless the disk hangs: a write that the system has begun
  /// cannot be aborted. Idempotent, and a second call with an earlier end also
  /// shortens the first; any thread, but not from a callback of the engine.
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
