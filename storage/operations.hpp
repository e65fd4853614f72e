// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The changes that a store supports. A commit executes a list of operations in
/// order. A member named `done` is output: it is valid once the commit has
/// succeeded and says, for this operation alone, whether it was executed. An
/// operation that fails changes nothing.
///
/// Slugs and names that must be unique are keys: an empty one is refused with
/// invalid_argument, one too long for the store with too_large. Every store
/// takes 500 bytes.

#include "fanfare/error.hpp"
#include "model/idempotency.hpp"
#include "model/records.hpp"
#include "model/token.hpp"
#include "storage/boxed.hpp"
#include "storage/run_times.hpp"
#include "storage/webhook_state.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fanfare::storage {

// -- journal ------------------------------------------------------------------

/// A notification without a position in the journal yet.
struct draft {
  organizer_id owner = 0;
  event_id event = 0;    ///< 0: none, or not known yet
  std::string new_event; ///< slug to look up or register when not known yet
  action_type_id type = 0;
  std::string action;
  /// The body after `{"notification_id": N`, including the closing brace.
  std::string rest;
  std::string trace = {}; ///< as in `notification`
};

/// Appends all drafts or none and moves their texts to `done`. Fails with
/// store_full once only the room for calls and deletions is left.
struct append_notifications {
  std::vector<draft> drafts;
  timestamp published;
  /// Keeps a receipt under this key in the same transaction. If the key already
  /// has an answer, nothing is appended and `earlier` is that answer.
  std::optional<publish_once> once = {};
  result<std::vector<notification_ptr>> done{error{}};
  stored_answer_ptr earlier = nullptr;
  /// Events that did not exist before.
  std::vector<event> new_events;
};

// -- call log -----------------------------------------------------------------

/// Appends to the call log; the store fills in `id` and `previous`.
struct append_call {
  logged_call entry;
  /// Of a notification's first attempt: when it was published. For observers;
  /// it is not stored.
  timestamp published{};
};

// -- registry -----------------------------------------------------------------

struct add_organizer {
  std::string slug;
  std::string name;
  result<organizer> done{error{}}; ///< already_exists
};

/// Changes anything in an organizer except its id and slug. not_found also for
/// one that was removed, as of all operations that add to an organizer or
/// change what it has.
struct change_organizer {
  organizer_id id = 0;
  std::function<result<void>(organizer&)> edit;
  result<organizer> done{error{}}; ///< not_found, or what `edit` returned
};

/// Ends an organizer: its slug is free. Its record stays, without a slug, so
/// that its id is never given out again; what it has is to be cleared by
/// `clear_organizer`.
struct remove_organizer {
  organizer_id id = 0;
  result<organizer> done{error{}}; ///< as it was; not_found
};

/// Clears the newest webhooks of an organizer that was removed, at most
/// `most`: they are disabled, as `change_webhook` does, and lose their target,
/// settings and secrets. Their ids stay taken.
struct clear_organizer {
  organizer_id id = 0;
  webhook_id before = 0; ///< only older ones; 0: all
  std::size_t most = 256;
  timestamp now;
  std::vector<webhook_record> cleared; ///< by descending id
  result<bool> done{error{}};          ///< whether there are more
};

struct add_event {
  organizer_id owner = 0;
  std::string slug;
  std::string name;
  result<event> done{error{}}; ///< already_exists
};

/// Gives an event another name.
struct rename_event {
  organizer_id owner = 0;
  event_id id = 0;
  std::string name;
  result<event> done{error{}}; ///< not_found
};

/// Ends an event: its slug is free, and the next event of this slug is another
/// one. Its record stays, without a slug, as that of an organizer.
struct remove_event {
  organizer_id owner = 0;
  event_id id = 0;
  result<event> done{error{}}; ///< as it was; not_found
};

struct add_action_type {
  std::string name;
  result<action_type> done{error{}}; ///< already_exists
};

struct add_token {
  token value; ///< the store gives the id
  result<token> done{error{}};
};

struct revoke_token {
  organizer_id owner = 0;
  token_id id = 0;
  result<token> done{error{}}; ///< not_found: the organizer has no such token
};

/// Records the last use of tokens. Skips unknown tokens and earlier times.
struct touch_tokens {
  struct use {
    token_id id = 0;
    timestamp time;
    bool operator==(const use&) const = default;
  };
  std::vector<use> uses;
};

/// Adds a webhook; the store gives its id and its version's `from`.
/// invalid_argument (field "delivery.name"): another one of the organizer has
/// its name.
struct add_webhook {
  boxed<webhook_record> value; ///< exactly one version, with its `since`
  boxed_result<webhook_record> done{error{}};
};

/// Changes a webhook. `edit` gets the stored record and may change anything
/// except id, owner and the versions before `current()`; an error from it ends
/// the operation. If it changes `current()`, the store makes that a new
/// version that applies from the next position on, and drops versions that are
/// no longer needed: those the webhook's cursor had passed at the last
/// checkpoint, and which are either older than the journal or beyond the
/// newest 64. If it disables or enables the webhook, the webhook's retries and
/// replay end and its cursor moves to the end of the journal
/// (`progress::disable`). invalid_argument as `add_webhook`.
struct change_webhook {
  organizer_id owner = 0; ///< 0: any (the engine's own changes)
  webhook_id id = 0;
  timestamp now; ///< `since` of a new version
  std::function<result<void>(webhook_record&)> edit;
  boxed_result<webhook_record> done{
    error{}}; ///< not_found, or what `edit` returned
};

// -- deliveries ---------------------------------------------------------------

/// Ends the remaining retries of a disabled webhook.
struct drop_retries {
  webhook_id hook = 0;
};

/// Corrects a webhook's progress by what no call says.
struct amend_progress {
  webhook_id hook = 0;
  /// Nothing was attempted in this time because the engine was off.
  timestamp off_since{};
  timestamp off_until{};
  /// Its owner wants its calls in spite of what the receiver has asked for.
  bool lift_hold = false;
  /// Another receiver is called: nothing that was logged so far is about it.
  bool forget_failures = false;
};

/// Adds entries to a webhook's retry set that no call has put there, replacing
/// entries of the same notifications, and notes how far its replay has come.
/// Does nothing for a webhook that is disabled or gone.
struct enqueue {
  webhook_id hook = 0;
  std::vector<retry> entries;
  std::optional<replay> progress;
};

/// Records the start of a replay.
struct start_replay {
  organizer_id owner = 0;
  webhook_id hook = 0;
  boxed<replay> value;
  /// not_found; conflict: the webhook is disabled, or has a replay running.
  boxed_result<replay> done{error{}};
};

/// Changes nothing. It marks a place in the order of operations: once it is
/// done, everything before it is on disk. It can also read a webhook as of this
/// place, which no reader of the committed state can.
struct barrier {
  webhook_id load = 0;                       ///< 0: reads nothing
  boxed_result<webhook_state> done{error{}}; ///< of `load`; not_found
};

/// Makes recovery start here. It reflects every call before it in the order of
/// operations. Every webhook it does not name has settled all matching
/// notifications at or before `routed_upto`. Ignored if its `routed_upto` is
/// less than the last one's.
struct save_checkpoint {
  struct unsettled {
    webhook_id hook = 0;
    position cursor = 0;
    bool operator==(const unsettled&) const = default;
  };
  position routed_upto = 0;
  std::vector<unsettled> behind;
  /// Kept for the next start, also if all else has been saved already.
  std::optional<run_times> runs = {};
  bool operator==(const save_checkpoint&) const = default;
};

// -- answers and retention ----------------------------------------------------

/// Keeps the answer to a request under its idempotency key, unless the key
/// already has one. Fails with store_full like a publish.
struct remember_answer {
  idempotency_key key{};
  timestamp now;
  plain_answer answer;
  result<stored_answer> done{error{}}; ///< the one kept
};

/// Removes old entries. Skips absent ones, and the calls after the last
/// checkpoint, which recovery needs.
struct expire {
  std::vector<position> notifications;
  call_id calls_upto = 0; ///< all at or before it, at most `max_calls`
  std::size_t max_calls = 500;
  /// Answers kept under idempotency keys since before this, at most
  /// `max_answers`.
  timestamp answers_before{};
  std::size_t max_answers = 500;
};

using operation = std::variant<
  append_notifications, append_call, add_organizer, change_organizer,
  remove_organizer, clear_organizer, add_event, rename_event, remove_event,
  add_action_type, add_token, revoke_token, touch_tokens, add_webhook,
  change_webhook, drop_retries, amend_progress, enqueue, start_replay, barrier,
  save_checkpoint, remember_answer, expire>;

} // namespace fanfare::storage
