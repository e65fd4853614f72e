// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What survives: the journal, the call log, the progress of every webhook and
/// the registry. One thread at a time writes (`commit`), all read. Everything
/// that one `commit` is given becomes durable together or not at all.

#include "fanfare/error.hpp"
#include "fanfare/idempotency.hpp"
#include "model/records.hpp"
#include "storage/boxed.hpp"
#include "storage/position_set.hpp"
#include "storage/progress.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace fanfare::storage {

// -- operations ---------------------------------------------------------------
//
// Input of `store::commit`, executed in their order. A member named `done` is
// output: it is valid after `commit` has succeeded, and says for this operation
// alone whether it was carried out. An operation that fails changes nothing.

/// A notification before its place in the journal is known.
struct draft {
  organizer_id owner = 0;
  event_id event = 0;    ///< 0: none, or not known yet
  std::string new_event; ///< slug to look up or register when not known yet
  action_type_id type = 0;
  std::string action;
  /// The body behind `{"notification_id": N`, up to and with the closing brace.
  std::string rest;
  std::string trace = {}; ///< as in `notification`
};

/// Appends all of them or none; their texts are those of `done` then. Fails
/// with store_full while the store keeps its last room for calls and for making
/// room.
struct append_notifications {
  std::vector<draft> drafts;
  timestamp published;
  /// If given, a receipt is kept under its key in the same transaction. While
  /// there is an answer of that key nothing is appended: `earlier` is that
  /// answer.
  std::optional<publish_once> once = {};
  result<std::vector<notification_ptr>> done{error{}};
  stored_answer_ptr earlier = nullptr;
  /// Events that did not exist before.
  std::vector<event> new_events;
};

/// Appends to the call log; the store fills in `id` and `previous`.
struct append_call {
  call entry;
};

struct add_organizer {
  std::string slug;
  std::string name;
  result<organizer> done{error{}}; ///< already_exists
};

/// Changes anything of an organizer but its id and slug.
struct change_organizer {
  organizer_id id = 0;
  std::function<result<void>(organizer&)> edit;
  result<organizer> done{error{}}; ///< not_found, or what `edit` returned
};

struct add_event {
  organizer_id owner = 0;
  std::string slug;
  std::string name;
  result<event> done{error{}}; ///< already_exists
};

struct add_action_type {
  std::string name;
  result<action_type> done{error{}}; ///< already_exists
};

struct add_token {
  token value; ///< id is given by the store
  result<token> done{error{}};
};

struct revoke_token {
  organizer_id owner = 0;
  token_id id = 0;
  result<token> done{error{}}; ///< not_found: none of this organizer
};

/// Notes when tokens were last used. Unknown ones and earlier times are
/// skipped.
struct touch_tokens {
  struct use {
    token_id id = 0;
    timestamp time;
    bool operator==(const use&) const = default;
  };
  std::vector<use> uses;
};

/// Keeps the answer to a request under its idempotency key, unless one is kept
/// already. Fails with store_full like a publish.
struct remember_answer {
  idempotency_key key{};
  timestamp now;
  plain_answer answer;
  result<stored_answer> done{error{}}; ///< the one that is kept
};

/// Adds a webhook: its id and its version's `from` are given by the store.
struct add_webhook {
  boxed<webhook_record> value; ///< exactly one version, with its `since`
  boxed_result<webhook_record> done{error{}};
};

/// Changes a webhook. `edit` gets the stored one and changes anything but id,
/// owner and versions other than `current()`; what it returns as an error ends
/// the operation. If `current()` was changed the store makes it a version of
/// its own that holds from the next position on, and drops versions that no one
/// can need any more: the webhook's cursor is past them, and either the oldest
/// notification of the journal is, too, or there are more than 64. If it was
/// disabled or enabled, its retries and its replay end and its cursor moves to
/// the end of the journal (`progress::disable`).
struct change_webhook {
  organizer_id owner = 0; ///< 0: whatever organizer it belongs to (the engine's
                          ///< own changes)
  webhook_id id = 0;
  timestamp now; ///< `since` of a new version
  std::function<result<void>(webhook_record&)> edit;
  boxed_result<webhook_record> done{
    error{}}; ///< not_found, or what `edit` returned
};

/// Ends what is left of a disabled webhook's retries.
struct drop_retries {
  webhook_id hook = 0;
};

/// Adds to a webhook's retry set what no call has put there, replacing entries
/// of the same notifications, and notes how far its replay has come. Does
/// nothing for a webhook that is disabled or gone.
struct enqueue {
  webhook_id hook = 0;
  std::vector<retry> entries;
  std::optional<replay> progress;
};

/// Notes that a replay begins.
struct start_replay {
  organizer_id owner = 0;
  webhook_id hook = 0;
  boxed<replay> value;
  /// not_found; conflict: the webhook is disabled, or a replay of it runs.
  boxed_result<replay> done{error{}};
};

/// Reads what a webhook actor starts from, as of this place in the order of
/// operations.
struct load_webhook {
  struct state {
    webhook_record hook;
    progress upto;
    std::vector<retry> retries; ///< any order; none if it is disabled
    std::optional<replay> running;
  };
  webhook_id id = 0;
  boxed_result<state> done{error{}}; ///< not_found
};

/// Makes recovery start here. All calls that come before it in the order of
/// operations are reflected in it. At this point every webhook that is not
/// named had settled all its matching notifications at or before `routed_upto`.
/// One whose `routed_upto` is less than that of the last one is ignored.
struct save_checkpoint {
  struct unsettled {
    webhook_id hook = 0;
    position cursor = 0;
    bool operator==(const unsettled&) const = default;
  };
  position routed_upto = 0;
  std::vector<unsettled> behind;
  bool operator==(const save_checkpoint&) const = default;
};

/// Removes old entries. Absent ones are skipped, and so are calls after the
/// last checkpoint, which recovery needs.
struct expire {
  std::vector<position> notifications;
  call_id calls_upto = 0; ///< all at or before, at most `max_calls` of them
  std::size_t max_calls = 500;
  /// Answers kept under idempotency keys since before that, at most
  /// `max_answers` of them.
  timestamp answers_before{};
  std::size_t max_answers = 500;
};

using operation = std::variant<
  append_notifications, append_call, add_organizer, change_organizer, add_event,
  add_action_type, add_token, revoke_token, touch_tokens, remember_answer,
  add_webhook, change_webhook, drop_retries, enqueue, start_replay,
  load_webhook, save_checkpoint, expire>;

// -- reading ------------------------------------------------------------------

/// Where routing and delivery go on after a start.
struct recovery {
  struct unsettled {
    webhook_id hook = 0;
    position cursor = 0; ///< valid if behind
    bool
      behind = false; ///< it has notifications at or before routed_upto to send
    bool has_retries = false; ///< or a replay that runs
  };
  /// Notifications after it are to be routed (again).
  position routed_upto = 0;
  /// Enabled webhooks that have something to do apart from those.
  std::vector<unsettled> webhooks;
  std::size_t calls_replayed = 0;
};

/// A piece of a webhook's backlog.
struct backlog {
  std::vector<notification_ptr> matches; ///< ascending
  /// Everything at or before it has been looked at.
  position read_upto = 0;
};

struct backlog_size {
  std::size_t count = 0;
  position first = 0;   ///< the oldest, 0 if there is none
  bool complete = true; ///< false: there may be more
};

/// Which notifications a replay sends.
struct selection {
  position_set chosen;
  std::size_t count = 0;
  std::size_t skipped = 0; ///< would be, if they did not wait anyway
};

/// Where a webhook stands with one notification.
struct standing {
  bool settled = false; ///< as in `progress`
  std::optional<retry> waiting;
};

/// What retention may remove now.
struct expiry_plan {
  std::vector<position> notifications;
  call_id calls_upto = 0; ///< 0: none
  bool answers = false;   ///< of idempotency keys
  bool more = false;      ///< the limit was reached
};

struct store_statistics {
  std::size_t bytes_used = 0; ///< pages in use, not the size of the file
  std::size_t bytes_max = 0;
  position first = 0; ///< oldest notification kept, 0 if none
  position tail = 0;
  call_id last_call = 0;
};

class store {
public:
  virtual ~store() = default;

  // -- one thread at a time ---------------------------------------------------

  /// Carries out the operations in one transaction and returns once they are on
  /// disk. An error (store_full, io_error) means that nothing was done, also in
  /// memory, and that the same operations may be tried again later.
  /// A batch that only reads does not touch the disk.
  virtual result<void> commit(std::span<operation> operations) = 0;

  /// What open() found. Constant.
  [[nodiscard]] virtual const recovery& recovered() const = 0;

  // -- any thread that may block on the disk ----------------------------------
  // All read only what is committed.

  [[nodiscard]] virtual position tail() const = 0;
  [[nodiscard]] virtual store_statistics statistics() const = 0;

  virtual result<notification_ptr> find_notification(position at) const = 0;
  /// In order, after `after` and at or before `upto`.
  virtual result<std::vector<notification_ptr>>
  notifications(position after, position upto, std::size_t limit) const = 0;
  /// The webhook's matching notifications after `after`, each matched with the
  /// version that holds for it. Reads at most `max_matches` of them and at
  /// most `max_scan` index entries of the organizer.
  virtual result<backlog>
  read_backlog(const webhook_record& hook, position after, position upto,
               std::size_t max_matches, std::size_t max_scan) const = 0;

  /// Newest first, only ids below `before` (0: from the newest). Follows the
  /// webhook's own chain: other webhooks' calls cost nothing.
  virtual result<std::vector<call>> calls(webhook_id hook, call_id before,
                                          std::size_t limit) const = 0;
  virtual result<call> find_call(webhook_id hook, call_id id) const = 0;
  /// The committed retry set of the last checkpoint and the calls after it, by
  /// due time.
  virtual result<std::vector<retry>> retries(webhook_id hook) const = 0;

  /// The newest notifications of the organizer that the subscription matches
  /// but for its filter, newest first; looks at no more than `max_scan` index
  /// entries.
  virtual result<std::vector<notification_ptr>>
  newest_matches(organizer_id owner, const subscription& sub, std::size_t limit,
                 std::size_t max_scan) const = 0;

  virtual result<standing> find_standing(webhook_id hook,
                                         position at) const = 0;
  /// What the webhook has not attempted yet, looking at no more than `max_scan`
  /// index entries of the organizer.
  virtual result<backlog_size> count_backlog(const webhook_record& hook,
                                             std::size_t max_scan) const = 0;
  /// The last one of the webhook. not_found.
  virtual result<replay> find_replay(webhook_id hook) const = 0;
  /// What `wanted` selects behind `wanted.cursor`, as of now: matches of
  /// `wanted.selecting` that are settled and in no retry set. Looks at every
  /// notification of the organizer in that range, and with `only_failed` at the
  /// webhook's calls since then.
  virtual result<selection> select(const webhook_record& hook,
                                   const replay& wanted) const = 0;

  virtual result<std::vector<organizer>> organizers() const = 0;
  virtual result<std::vector<event>> events() const = 0;
  virtual result<std::vector<token>> tokens() const = 0;
  virtual result<std::vector<action_type>> action_types() const = 0;
  virtual result<webhook_record> find_webhook(webhook_id id) const = 0;
  /// By ascending id; `enabled` filters.
  virtual result<std::vector<webhook_record>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) const = 0;
  virtual result<std::size_t>
  count_webhooks(organizer_id owner, std::optional<bool> enabled) const = 0;
  /// By ascending id, without holding all of them in memory, until `visit`
  /// returns false.
  virtual result<void> for_each_webhook(
    const std::function<bool(const webhook_record&)>& visit) const = 0;

  /// The answer kept under the key, null if there is none or it is too old at
  /// `now`.
  virtual result<stored_answer_ptr> find_answer(const idempotency_key& key,
                                                timestamp now) const = 0;

  /// What is older than `cutoff` and no longer needed: neither by a retry, nor
  /// by a webhook that is behind, nor by recovery; and whether there are
  /// answers of idempotency keys from before `answers_cutoff`.
  virtual result<expiry_plan> plan_expiry(timestamp cutoff, std::size_t limit,
                                          timestamp answers_cutoff) const = 0;
};

struct store_options {
  /// Most bytes the store may grow to. Part of it is kept back for calls and
  /// for removing old entries; publishes get store_full before that.
  std::size_t max_size = std::size_t{64} << 30;
};

/// Opens or makes the embedded store in `directory` and recovers it. Errors:
/// store_locked, store_foreign, store_newer, store_damaged, io_error.
result<std::unique_ptr<store>>
open_embedded(const std::filesystem::path& directory,
              const store_options& options = {});

} // namespace fanfare::storage
