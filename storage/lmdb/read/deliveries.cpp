// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/read/deliveries.hpp"

#include "model/subscription.hpp"
#include "storage/lmdb/read/journal.hpp"
#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/tables/refusals.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace fanfare::storage::lmdb {

namespace {

/// The webhook's progress in `txn`, with what `live` has of it.
progress read_current(transaction& txn, const std::optional<change>& live,
                      const webhook_record& hook) {
  auto upto = live
              ? live->upto
              : read_progress(txn, hook.id, read_checkpoint(txn).routed_upto);
  upto.advance(before_first(hook));
  return upto;
}

} // namespace

// -- retries ------------------------------------------------------------------

namespace {

/// Whether the notification at `at` is one of `which`.
bool is_of(transaction& txn, const action_choice& which, position at) {
  notification_head head;
  return find_record(txn, table::journal, as_key(at), head, "notification", at)
      && which.takes(head.type, head.action);
}

} // namespace

result<std::vector<retry>> deliveries::retries(webhook_id hook) const {
  return read_set(hook, nullptr);
}

result<std::vector<retry>>
deliveries::retries(webhook_id hook, const action_choice& which) const {
  return read_set(hook, &which);
}

result<std::vector<retry>>
deliveries::read_set(webhook_id hook, const action_choice* which) const {
  std::optional<read_transaction> txn;
  const auto live = live_.begin_and_find(txn, hook);
  webhook_record owner;
  owner.id = hook;
  const bool found = find_record(*txn, table::webhooks, as_key(hook), owner,
                                 "webhook", hook);
  std::vector<retry> set;
  if (found && owner.current().enabled) {
    set = read_retries(*txn, hook);
    if (live)
      live->retries.apply_to(set);
  }
  if (which != nullptr)
    std::erase_if(
      set, [&](const retry& r) { return !is_of(*txn, *which, r.subject); });
  if (!txn->ok())
    return txn->failure();
  if (!found)
    return not_found("webhook");
  std::ranges::stable_sort(set, {}, &retry::due);
  return set;
}

result<standing> deliveries::find_standing(webhook_id hook, position at) const {
  std::optional<read_transaction> txn;
  const auto live = live_.begin_and_find(txn, hook);
  webhook_record owner;
  owner.id = hook;
  const bool known = find_record(*txn, table::webhooks, as_key(hook), owner,
                                 "webhook", hook);
  standing found;
  if (known) {
    found.settled = read_current(*txn, live, owner).settled(at);
    std::vector<retry> set;
    retry stored{.subject = at};
    if (find_record(*txn, table::retries, retry_key{hook, at}.view(), stored,
                    "a retry of webhook", hook))
      set.push_back(stored);
    if (live)
      live->retries.apply_to(set);
    if (auto i = std::ranges::find(set, at, &retry::subject);
        i != set.end() && owner.current().enabled)
      found.waiting = *i;
  }
  if (!txn->ok())
    return txn->failure();
  if (!known)
    return not_found("webhook");
  return found;
}

// -- backlog ------------------------------------------------------------------

result<backlog_size> deliveries::count_backlog(const webhook_record& hook,
                                               std::size_t max_scan) const {
  std::optional<read_transaction> txn;
  const auto live = live_.begin_and_find(txn, hook.id);
  const auto upto = read_current(*txn, live, hook);
  backlog_size found;
  index_cursor at{*txn, hook.owner};
  for (auto more = at.seek_after(upto.cursor); more; more = at.next()) {
    if (max_scan-- == 0) {
      found.complete = false;
      break;
    }
    const auto* version = version_at(hook, at.id());
    if (!version || !at.matches(*version) || upto.settled(at.id())
        || !passes_at(*txn, *version, at.id()))
      continue;
    if (found.count++ == 0)
      found.first = at.id();
  }
  if (!txn->ok())
    return txn->failure();
  return found;
}

// -- replay -------------------------------------------------------------------

result<replay> deliveries::find_replay(webhook_id hook) const {
  read_transaction txn{live_.env()};
  const auto found = lmdb::find_replay(txn, hook);
  if (!txn.ok())
    return txn.failure();
  if (!found)
    return not_found("replay");
  return *found;
}

namespace {

/// Of the webhook's calls from `newest` backwards: notes what they were about,
/// and takes those that were delivered out of `chosen`.
void drop_delivered(transaction& txn, call_id newest, const replay& wanted,
                    position_set& chosen, position_set& called) {
  // Calls are in the order in which they ended, so that times are only roughly
  // in order.
  constexpr auto longest_attempt = std::chrono::hours{1};
  logged_call c;
  for (auto next = newest; next != 0 && txn.ok(); next = c.previous) {
    const auto record = txn.get(table::calls, as_key(next));
    if (!record)
      break; // expired, and so is all before it
    c.id = next;
    if (!decode_facts(*record, c)) {
      txn.damaged("call", next);
      break;
    }
    if (c.time < wanted.asked.since - longest_attempt)
      break;
    called.insert(c.subject);
    if (c.result == outcome::delivered)
      chosen.erase(c.subject);
  }
}

} // namespace

result<selection> deliveries::select(const webhook_record& hook,
                                     const replay& wanted) const {
  std::optional<read_transaction> txn;
  const auto live = live_.begin_and_find(txn, hook.id);
  const auto upto = read_current(*txn, live, hook);
  const auto after = std::max(wanted.cursor,
                              first_since(*txn, wanted.asked.since) - 1);
  const auto end = std::min(wanted.upto,
                            first_since(*txn, wanted.asked.until) - 1);
  selection found{.chosen = {after, end}};
  position_set matched_then{after, wanted.asked.only_failed ? end : after};
  index_cursor at{*txn, hook.owner};
  for (auto more = after < end && at.seek_after(after); more && at.id() <= end;
       more = at.next()) {
    if (!at.matches(wanted.selecting)
        || !passes_at(*txn, wanted.selecting, at.id()))
      continue;
    const auto* then = version_at(hook, at.id());
    const bool was_for_it = then && at.asked_for_by(*then)
                         && passes_at(*txn, *then, at.id());
    // What is not settled yet waits, unless it was never to be sent.
    if (was_for_it && then->enabled && !upto.settled(at.id())) {
      ++found.skipped;
      continue;
    }
    found.chosen.insert(at.id());
    if (was_for_it)
      matched_then.insert(at.id());
  }
  auto waiting = read_retries(*txn, hook.id);
  if (live)
    live->retries.apply_to(waiting);
  for (const auto& r : waiting)
    if (found.chosen.contains(r.subject)) {
      found.chosen.erase(r.subject);
      ++found.skipped;
    }
  if (wanted.asked.only_failed) {
    // Left are those with a failed call, and those that were never sent because
    // the webhook was disabled, then or before they could be.
    position_set called{after, end};
    drop_delivered(*txn, upto.last_call, wanted, found.chosen, called);
    for (auto p = found.chosen.next_after(after); p;
         p = found.chosen.next_after(*p))
      if (!called.contains(*p) && !matched_then.contains(*p))
        found.chosen.erase(*p);
  }
  if (!txn->ok())
    return txn->failure();
  found.count = found.chosen.count();
  return found;
}

} // namespace fanfare::storage::lmdb
