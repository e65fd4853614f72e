// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Every typed handle of the engine and the messages they understand. Messages
/// stay inside the process: they carry shared pointers to immutable values.

#include "actors/webhook/attempt.hpp"
#include "actors/webhook/order.hpp"
#include "model/records.hpp"
#include "protocol/client/transport.hpp"
#include "storage/store.hpp"

#include <caf/all.hpp>

#include <memory>
#include <string>
#include <vector>

namespace fanfare {

// -- payloads -----------------------------------------------------------------

/// One commit's news, in order.
struct committed {
  position tail = 0;
  /// The new ones; none if the router is so far behind that it must read them
  /// from the journal.
  std::vector<notification_ptr> notifications;
  /// Webhooks that were added or changed; the newest version's `from` is their
  /// place among the notifications.
  std::vector<std::shared_ptr<const webhook_record>> webhooks;
};
using committed_ptr = std::shared_ptr<const committed>;

/// A piece of the journal, read from disk.
struct journal_chunk {
  result<std::vector<notification_ptr>> notifications{error{}};
};
using journal_chunk_ptr = std::shared_ptr<const journal_chunk>;

/// A piece of one webhook's backlog, read from disk.
struct backlog_chunk {
  result<storage::backlog> read{error{}};
};
using backlog_chunk_ptr = std::shared_ptr<const backlog_chunk>;

/// The notifications of retries that came due, in the order asked for; null
/// for one that is no longer kept.
struct fetched_retries {
  result<std::vector<notification_ptr>> notifications{error{}};
};
using fetched_retries_ptr = std::shared_ptr<const fetched_retries>;

using webhook_state_ptr = std::shared_ptr<const result<storage::webhook_state>>;
using webhook_ptr = std::shared_ptr<const webhook_record>;

/// Something that happened to one of an organizer's webhooks, for those that
/// are subscribed to it.
struct notice {
  organizer_id owner = 0;
  action_type_id type = 0;
  std::string action;
  std::string rest;  ///< as in storage::draft
  std::string about; ///< the webhook, as the log names it
};
using notice_ptr = std::shared_ptr<const notice>;

using selection_ptr = std::shared_ptr<const result<storage::selection>>;
using expiry_plan_ptr = std::shared_ptr<const result<storage::expiry_plan>>;

} // namespace fanfare

#define FANFARE_LOCAL_TYPE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

FANFARE_LOCAL_TYPE(fanfare::notification_ptr)
FANFARE_LOCAL_TYPE(fanfare::committed_ptr)
FANFARE_LOCAL_TYPE(fanfare::journal_chunk_ptr)
FANFARE_LOCAL_TYPE(fanfare::backlog_chunk_ptr)
FANFARE_LOCAL_TYPE(fanfare::fetched_retries_ptr)
FANFARE_LOCAL_TYPE(fanfare::webhook_state_ptr)
FANFARE_LOCAL_TYPE(fanfare::webhook_ptr)
FANFARE_LOCAL_TYPE(fanfare::attempt_result)
FANFARE_LOCAL_TYPE(fanfare::protocol::exchange_result)
FANFARE_LOCAL_TYPE(fanfare::expiry_plan_ptr)
FANFARE_LOCAL_TYPE(fanfare::webhook_order_ptr)
FANFARE_LOCAL_TYPE(fanfare::selection_ptr)
FANFARE_LOCAL_TYPE(fanfare::notice_ptr)

CAF_BEGIN_TYPE_ID_BLOCK(fanfare, caf::first_custom_type_id)

  CAF_ADD_TYPE_ID(fanfare, (fanfare::notification_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::committed_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::journal_chunk_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::backlog_chunk_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::fetched_retries_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::webhook_state_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::webhook_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::attempt_result))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::protocol::exchange_result))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::expiry_plan_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::webhook_order_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::selection_ptr))
  CAF_ADD_TYPE_ID(fanfare, (fanfare::notice_ptr))

  CAF_ADD_ATOM(fanfare, fanfare::atom, notify, "notify")
  CAF_ADD_ATOM(fanfare, fanfare::atom, nudge, "nudge")
  CAF_ADD_ATOM(fanfare, fanfare::atom, loaded, "loaded")
  CAF_ADD_ATOM(fanfare, fanfare::atom, refilled, "refilled")
  CAF_ADD_ATOM(fanfare, fanfare::atom, fetched, "fetched")
  CAF_ADD_ATOM(fanfare, fanfare::atom, finished, "finished")
  CAF_ADD_ATOM(fanfare, fanfare::atom, wake, "wake")
  CAF_ADD_ATOM(fanfare, fanfare::atom, turn, "turn")
  CAF_ADD_ATOM(fanfare, fanfare::atom, changed, "changed")
  CAF_ADD_ATOM(fanfare, fanfare::atom, writable, "writable")
  CAF_ADD_ATOM(fanfare, fanfare::atom, retire, "retire")
  CAF_ADD_ATOM(fanfare, fanfare::atom, answered, "answered")
  CAF_ADD_ATOM(fanfare, fanfare::atom, commit, "commit")
  CAF_ADD_ATOM(fanfare, fanfare::atom, route, "route")
  CAF_ADD_ATOM(fanfare, fanfare::atom, chunk, "chunk")
  CAF_ADD_ATOM(fanfare, fanfare::atom, checkpoint, "checkpoint")
  CAF_ADD_ATOM(fanfare, fanfare::atom, begin, "begin")
  CAF_ADD_ATOM(fanfare, fanfare::atom, revive, "revive")
  CAF_ADD_ATOM(fanfare, fanfare::atom, abandon, "abandon")
  CAF_ADD_ATOM(fanfare, fanfare::atom, watch, "watch")
  CAF_ADD_ATOM(fanfare, fanfare::atom, tick, "tick")
  CAF_ADD_ATOM(fanfare, fanfare::atom, planned, "planned")
  CAF_ADD_ATOM(fanfare, fanfare::atom, expired, "expired")
  CAF_ADD_ATOM(fanfare, fanfare::atom, order, "order")
  CAF_ADD_ATOM(fanfare, fanfare::atom, selected, "selected")
  CAF_ADD_ATOM(fanfare, fanfare::atom, stored, "stored")
  CAF_ADD_ATOM(fanfare, fanfare::atom, announce, "announce")
  CAF_ADD_ATOM(fanfare, fanfare::atom, rested, "rested")

CAF_END_TYPE_ID_BLOCK(fanfare)

namespace fanfare {

// -- handles ------------------------------------------------------------------

/// One subscriber: its window, cursor, retry set and timer. Lives on one lane.
using webhook_actor = caf::typed_actor<
  // Router: a committed notification that matches, and the last position before
  // it that was not sent for want of room.
  caf::reacts_to<atom::notify, notification_ptr, position>,
  // Router: there are notifications that were not sent for want of room.
  caf::reacts_to<atom::nudge>,
  // Router: the registered webhook is now this.
  caf::reacts_to<atom::changed, webhook_ptr>,
  // Router: idle and settled; end.
  caf::reacts_to<atom::retire>,
  // Router: an order to carry out.
  caf::reacts_to<atom::order, webhook_order_ptr>,
  // Committer: the webhook as the store knows it.
  caf::reacts_to<atom::loaded, webhook_state_ptr>,
  // Committer: the disk takes calls again.
  caf::reacts_to<atom::writable>,
  // Journal reader: answers.
  caf::reacts_to<atom::refilled, backlog_chunk_ptr>,
  caf::reacts_to<atom::fetched, fetched_retries_ptr>,
  caf::reacts_to<atom::selected, selection_ptr>,
  // Committer: the replay's entries are on disk.
  caf::reacts_to<atom::stored>,
  // Delivery: the attempt has ended.
  caf::reacts_to<atom::finished, attempt_result>,
  // Admission: it is this webhook's turn to start an attempt.
  caf::reacts_to<atom::turn>,
  // Backoff timer: a retry may be due.
  caf::reacts_to<atom::wake>>;

/// One attempt.
using delivery_actor = caf::typed_actor<
  // Transport: the exchange has ended.
  caf::reacts_to<atom::answered, protocol::exchange_result>>;

/// Fans committed notifications out to webhook actors.
using router_actor = caf::typed_actor<
  // Engine: index the registry, take up unfinished work and route from here on.
  caf::reacts_to<atom::begin>,
  // Committer: made durable, in order.
  caf::reacts_to<atom::route, committed_ptr>,
  // Journal reader: the piece of the journal asked for.
  caf::reacts_to<atom::chunk, journal_chunk_ptr>,
  // Timer, and the engine when it stops: save progress, end idle webhook
  // actors.
  caf::reacts_to<atom::checkpoint>,
  // Supervisor: a webhook's actor crashed; restart it.
  caf::reacts_to<atom::revive, webhook_id>,
  // Supervisor: a webhook's actor crashes again and again; leave it alone.
  caf::reacts_to<atom::abandon, webhook_id>,
  // Engine: an order for a webhook.
  caf::reacts_to<atom::order, webhook_id, webhook_order_ptr>,
  // Engine: a notice to publish.
  caf::reacts_to<atom::announce, notice_ptr>,
  // Rest board: webhooks have come to rest.
  caf::reacts_to<atom::rested>,
  // Engine: the clock was set; all webhooks are to look at it again.
  caf::reacts_to<atom::wake>>;

/// Writes what waits for the disk, on a thread of its own.
using committer_actor = caf::typed_actor<
  // Commit queue: there is something to commit.
  caf::reacts_to<atom::commit>>;

/// Removes what is older than the retention.
using janitor_actor = caf::typed_actor<
  // Timer: look for old entries.
  caf::reacts_to<atom::tick>,
  // Journal reader: what may be removed.
  caf::reacts_to<atom::planned, expiry_plan_ptr>,
  // Committer: a piece was removed (or the disk refused).
  caf::reacts_to<atom::expired, bool>>;

/// Watches all others.
using supervisor_actor = caf::typed_actor<
  // Router: watch this webhook's actor.
  caf::reacts_to<atom::watch, webhook_id, caf::strong_actor_ptr>,
  // Timer: restart what has waited for long enough.
  caf::reacts_to<atom::tick>>;

} // namespace fanfare
