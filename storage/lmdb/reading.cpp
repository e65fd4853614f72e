// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "model/subscription.hpp"
#include "storage/lmdb/store.hpp"

#include <algorithm>
#include <string>
#include <utility>

// The reading half of embedded_store. No transaction outlives its function, nor
// runs while somebody else's code does.

namespace fanfare::storage::lmdb {

namespace {

error not_found(std::string_view what) {
  return {ec::not_found, "There is no such " + std::string{what} + "."};
}

/// Null if the transaction has failed.
notification_ptr to_notification(transaction& txn, position id, bytes record) {
  auto n = std::make_shared<notification>();
  n->id = id;
  if (!decode(record, *n)) {
    txn.damaged("notification " + std::to_string(id));
    return nullptr;
  }
  return n;
}

/// Whether the transaction is still fine.
template <class T>
bool read_record(transaction& txn, bytes record, T& to, std::string_view what) {
  if (!decode(record, to))
    txn.damaged(std::string{what} + " " + std::to_string(to.id));
  return txn.ok();
}

/// At an organizer's first webhook, if it has any.
bool seek_owner(cursor& at, organizer_id owner) {
  return at.seek(as_key(owner), webhook_entry{0, 0U}.view());
}

bool is_wanted(bytes entry, std::optional<bool> enabled, webhook_id& id) {
  std::uint32_t flag = 0;
  return webhook_entry::read(entry, id, flag)
      && (!enabled || *enabled == (flag != 0));
}

/// Drops the positions that are in some webhook's retry set. `candidates`
/// ascend.
void drop_retried(transaction& txn, table retries,
                  std::vector<position>& candidates) {
  std::vector<position> kept;
  cursor at{txn, retries};
  auto more = at.move(MDB_FIRST);
  while (more) {
    webhook_id hook = 0;
    position subject = 0;
    if (!retry_key::read(at.key(), hook, subject)) {
      txn.damaged("a retry");
      return;
    }
    // Of each webhook only the part that matters is looked at.
    if (subject < candidates.front()) {
      more = at.seek(retry_key{hook, candidates.front()}.view());
    } else if (subject > candidates.back()) {
      more = seek_next_webhook(at, hook);
    } else {
      kept.push_back(subject);
      more = at.move(MDB_NEXT);
    }
  }
  if (kept.empty())
    return;
  std::ranges::sort(kept);
  std::erase_if(candidates, [&](position p) {
    return std::ranges::binary_search(kept, p);
  });
}

} // namespace

template <class Look>
void embedded_store::begin(std::optional<read_transaction>& txn,
                           Look&& look) const {
  std::unique_lock lock{mutex_};
  for (;;) {
    txn.emplace(*env_);
    if (!txn->ok())
      return;
    auto seen = txn->number();
    if (seen == merged_)
      break;
    // Between a commit and its taking over there is an instant in which the two
    // do not belong together.
    txn.reset();
    has_merged_.wait(lock, [&] { return merged_ >= seen || incomplete_; });
    if (incomplete_) {
      txn.emplace(*env_);
      txn->fail(error{ec::internal, "There was not enough memory to take over "
                                    "what was written. Start anew."});
      return;
    }
  }
  look(changes_);
}

store_statistics embedded_store::statistics() const {
  store_statistics s{.bytes_used = env_->pages_in_use() * env_->page_size(),
                     .bytes_max = max_size_,
                     .tail = tail(),
                     .last_call = last_call_.load(std::memory_order_acquire)};
  read_transaction txn{*env_};
  cursor at{txn, tables_.journal};
  if (at.move(MDB_FIRST))
    s.first = to_number<position>(at.key()).value_or(0);
  return s;
}

// -- journal ------------------------------------------------------------------

result<notification_ptr> embedded_store::find(position at) const {
  read_transaction txn{*env_};
  notification_ptr found;
  if (auto record = txn.get(tables_.journal, as_key(at)))
    found = to_notification(txn, at, *record);
  if (!txn.ok())
    return txn.failure();
  if (!found)
    return not_found("notification");
  return found;
}

result<std::vector<notification_ptr>>
embedded_store::read(position after, position upto, std::size_t limit) const {
  std::vector<notification_ptr> found;
  if (after >= upto)
    return found;
  read_transaction txn{*env_};
  cursor at{txn, tables_.journal};
  auto first = after + 1;
  auto more = limit > 0 && at.seek(as_key(first));
  while (more) {
    auto id = to_number<position>(at.key()).value_or(0);
    if (id > upto)
      break;
    auto n = to_notification(txn, id, at.value());
    if (!n)
      break;
    found.push_back(std::move(n));
    more = found.size() < limit && at.move(MDB_NEXT);
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<backlog> embedded_store::read_backlog(const webhook_record& hook,
                                             position after, position upto,
                                             std::size_t max_matches,
                                             std::size_t max_scan) const {
  upto = std::min(upto, tail());
  backlog found{.matches = {}, .read_upto = std::max(after, upto)};
  if (after >= upto)
    return found;
  read_transaction txn{*env_};
  cursor at{txn, tables_.journal_index};
  std::size_t scanned = 0;
  auto last = after;
  for (auto more =
         at.seek(as_key(hook.owner), index_entry{after + 1, 0U, 0U}.view());
       more; more = at.move(MDB_NEXT_DUP)) {
    position id = 0;
    action_type_id type = 0;
    event_id about = 0;
    if (!index_entry::read(at.value(), id, type, about)) {
      txn.damaged("the index of organizer " + std::to_string(hook.owner));
      break;
    }
    if (id > upto)
      break;
    if (scanned == max_scan || found.matches.size() == max_matches) {
      found.read_upto = last;
      break;
    }
    ++scanned;
    last = id;
    const auto* version = version_at(hook, id);
    if (!version || !matches(*version, type, about))
      continue;
    if (auto record = txn.get(tables_.journal, as_key(id)))
      if (auto n = to_notification(txn, id, *record); n && passes(*version, *n))
        found.matches.push_back(std::move(n));
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

// -- call log -----------------------------------------------------------------

result<std::vector<call>> embedded_store::newest(webhook_id hook,
                                                 call_id before,
                                                 std::size_t limit) const {
  std::optional<read_transaction> txn;
  call_id next = 0;
  begin(txn, [&](const changes& in) {
    if (auto i = in.find(hook); i != in.end())
      next = i->second.upto.last_call;
  });
  std::vector<call> found;
  progress stored;
  if (next == 0)
    if (auto record = txn->get(tables_.progress, as_key(hook))) {
      if (!decode(*record, stored))
        txn->damaged("the progress of webhook " + std::to_string(hook));
      next = stored.last_call;
    }
  // A page goes on where the one before it ended, without walking there again.
  if (before != 0 && before <= next) {
    call c;
    c.id = before;
    auto record = txn->get(tables_.calls, as_key(before));
    if (record && decode_facts(*record, c) && c.hook == hook)
      next = c.previous;
  }
  while (next != 0 && found.size() < limit) {
    auto record = txn->get(tables_.calls, as_key(next));
    if (!record)
      break; // expired, and so is all before it
    call c;
    c.id = next;
    if (before != 0 && next >= before) {
      if (!decode_facts(*record, c)) {
        txn->damaged("call " + std::to_string(next));
        break;
      }
      next = c.previous;
      continue;
    }
    if (!read_record(*txn, *record, c, "call"))
      break;
    next = c.previous;
    found.push_back(std::move(c));
  }
  if (!txn->ok())
    return txn->failure();
  return found;
}

result<call> embedded_store::find(webhook_id hook, call_id id) const {
  read_transaction txn{*env_};
  call c;
  c.id = id;
  auto record = txn.get(tables_.calls, as_key(id));
  if (record)
    read_record(txn, *record, c, "call");
  if (!txn.ok())
    return txn.failure();
  if (!record || c.hook != hook)
    return not_found("call");
  return c;
}

result<std::vector<retry>> embedded_store::retries(webhook_id hook) const {
  std::optional<read_transaction> txn;
  retry_changes edits;
  begin(txn, [&](const changes& in) {
    if (auto i = in.find(hook); i != in.end())
      edits = i->second.retries;
  });
  webhook_record owner;
  owner.id = hook;
  auto record = txn->get(tables_.webhooks, as_key(hook));
  std::vector<retry> set;
  if (record && read_record(*txn, *record, owner, "webhook")
      && owner.current().enabled) {
    set = read_retries(*txn, tables_, hook);
    edits.apply_to(set);
  }
  if (!txn->ok())
    return txn->failure();
  if (!record)
    return not_found("webhook");
  std::ranges::stable_sort(set, {}, &retry::due);
  return set;
}

// -- one webhook's progress ---------------------------------------------------

progress embedded_store::read_current(transaction& txn, const change* in,
                                      const webhook_record& hook) const {
  progress upto;
  if (in != nullptr) {
    upto = in->upto;
  } else {
    checkpoint last;
    if (auto record = txn.get(tables_.meta, meta_key::checkpoint))
      if (!decode(*record, last))
        txn.damaged("the checkpoint");
    upto = read_progress(txn, tables_, hook.id, last.routed_upto);
  }
  upto.advance(before_first(hook));
  return upto;
}

result<standing> embedded_store::find_standing(webhook_id hook,
                                               position at) const {
  std::optional<read_transaction> txn;
  std::optional<change> live;
  begin(txn, [&](const changes& in) {
    if (auto i = in.find(hook); i != in.end())
      live = i->second;
  });
  webhook_record owner;
  owner.id = hook;
  auto record = txn->get(tables_.webhooks, as_key(hook));
  standing found;
  if (record && read_record(*txn, *record, owner, "webhook")) {
    found.settled = read_current(*txn, live ? &*live : nullptr, owner)
                      .settled(at);
    std::vector<retry> set;
    retry stored{.subject = at};
    if (auto entry = txn->get(tables_.retries, retry_key{hook, at}.view())) {
      if (decode(*entry, stored))
        set.push_back(stored);
      else
        txn->damaged("a retry of webhook " + std::to_string(hook));
    }
    if (live)
      live->retries.apply_to(set);
    if (auto i = std::ranges::find(set, at, &retry::subject);
        i != set.end() && owner.current().enabled)
      found.waiting = *i;
  }
  if (!txn->ok())
    return txn->failure();
  if (!record)
    return not_found("webhook");
  return found;
}

result<backlog_size> embedded_store::count_backlog(const webhook_record& hook,
                                                   std::size_t max_scan) const {
  std::optional<read_transaction> txn;
  std::optional<change> live;
  begin(txn, [&](const changes& in) {
    if (auto i = in.find(hook.id); i != in.end())
      live = i->second;
  });
  const auto upto = read_current(*txn, live ? &*live : nullptr, hook);
  backlog_size found;
  cursor at{*txn, tables_.journal_index};
  for (auto more = at.seek(as_key(hook.owner),
                           index_entry{upto.cursor + 1, 0U, 0U}.view());
       more; more = at.move(MDB_NEXT_DUP)) {
    position id = 0;
    action_type_id type = 0;
    event_id about = 0;
    if (!index_entry::read(at.value(), id, type, about)) {
      txn->damaged("the index of organizer " + std::to_string(hook.owner));
      break;
    }
    if (max_scan-- == 0) {
      found.complete = false;
      break;
    }
    const auto* version = version_at(hook, id);
    if (!version || !matches(*version, type, about) || upto.settled(id)
        || !passes_at(*txn, *version, id))
      continue;
    if (found.count++ == 0)
      found.first = id;
  }
  if (!txn->ok())
    return txn->failure();
  return found;
}

bool embedded_store::passes_at(transaction& txn, const subscription& sub,
                               position at) const {
  if (!sub.filter)
    return true;
  const auto record = txn.get(tables_.journal, as_key(at));
  const auto n = record ? to_notification(txn, at, *record) : nullptr;
  return n && passes(sub, *n);
}

result<std::vector<notification_ptr>>
embedded_store::newest_matches(organizer_id owner, const subscription& sub,
                               std::size_t limit, std::size_t max_scan) const {
  std::vector<notification_ptr> found;
  read_transaction txn{*env_};
  cursor at{txn, tables_.journal_index};
  for (auto more = at.seek(as_key(owner), index_entry{0, 0U, 0U}.view())
                && at.move(MDB_LAST_DUP);
       more && found.size() < limit && max_scan-- > 0;
       more = at.move(MDB_PREV_DUP)) {
    position id = 0;
    action_type_id type = 0;
    event_id about = 0;
    if (!index_entry::read(at.value(), id, type, about)) {
      txn.damaged("the index of organizer " + std::to_string(owner));
      break;
    }
    if (!matches(sub, type, about))
      continue;
    if (auto record = txn.get(tables_.journal, as_key(id)))
      if (auto n = to_notification(txn, id, *record))
        found.push_back(std::move(n));
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

// -- replay -------------------------------------------------------------------

result<replay> embedded_store::find_replay(webhook_id hook) const {
  read_transaction txn{*env_};
  replay found;
  auto record = txn.get(tables_.replays, as_key(hook));
  if (record && !decode(*record, found))
    txn.damaged("the replay of webhook " + std::to_string(hook));
  if (!txn.ok())
    return txn.failure();
  if (!record)
    return not_found("replay");
  return found;
}

position embedded_store::first_since(transaction& txn, timestamp t) const {
  auto low = first_key<position>(txn, tables_.journal);
  auto high = last_key<position>(txn, tables_.journal) + 1;
  if (low == 0)
    return high;
  cursor at{txn, tables_.journal};
  while (low < high && txn.ok()) {
    auto middle = low + (high - low) / 2;
    if (!at.seek(as_key(middle)))
      break;
    notification_head head;
    if (!decode(at.value(), head)) {
      txn.damaged("notification " + std::to_string(middle));
      break;
    }
    if (head.published >= t)
      high = middle;
    else
      low = to_number<position>(at.key()).value_or(middle) + 1;
  }
  return low;
}

result<selection> embedded_store::select(const webhook_record& hook,
                                         const replay& wanted) const {
  std::optional<read_transaction> txn;
  std::optional<change> live;
  begin(txn, [&](const changes& in) {
    if (auto i = in.find(hook.id); i != in.end())
      live = i->second;
  });
  const auto upto = read_current(*txn, live ? &*live : nullptr, hook);
  const auto after = std::max(wanted.cursor,
                              first_since(*txn, wanted.asked.since) - 1);
  const auto end = std::min(wanted.upto,
                            first_since(*txn, wanted.asked.until) - 1);
  selection found{.chosen = {after, end}};
  position_set matched_then{after, wanted.asked.only_failed ? end : after};
  cursor at{*txn, tables_.journal_index};
  for (auto more =
         after < end
         && at.seek(as_key(hook.owner), index_entry{after + 1, 0U, 0U}.view());
       more; more = at.move(MDB_NEXT_DUP)) {
    position id = 0;
    action_type_id type = 0;
    event_id about = 0;
    if (!index_entry::read(at.value(), id, type, about)) {
      txn->damaged("the index of organizer " + std::to_string(hook.owner));
      break;
    }
    if (id > end)
      break;
    if (!matches(wanted.selecting, type, about)
        || !passes_at(*txn, wanted.selecting, id))
      continue;
    if (!upto.settled(id)) {
      ++found.skipped;
      continue;
    }
    found.chosen.insert(id);
    if (const auto* then = version_at(hook, id);
        then && matches(*then, type, about) && passes_at(*txn, *then, id))
      matched_then.insert(id);
  }
  auto waiting = read_retries(*txn, tables_, hook.id);
  if (live)
    live->retries.apply_to(waiting);
  for (const auto& r : waiting)
    if (found.chosen.contains(r.subject)) {
      found.chosen.erase(r.subject);
      ++found.skipped;
    }
  if (wanted.asked.only_failed) {
    // Left are those with a failed call, and those that were to be sent and
    // never were, because a disabling ended them.
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

void embedded_store::drop_delivered(transaction& txn, call_id newest,
                                    const replay& wanted, position_set& chosen,
                                    position_set& called) const {
  // Calls are in the order in which they ended, so that times are only roughly
  // in order.
  constexpr auto longest_attempt = std::chrono::hours{1};
  call c;
  for (auto next = newest; next != 0 && txn.ok(); next = c.previous) {
    auto record = txn.get(tables_.calls, as_key(next));
    if (!record)
      break; // expired, and so is all before it
    c.id = next;
    if (!decode_facts(*record, c)) {
      txn.damaged("call " + std::to_string(next));
      break;
    }
    if (c.time < wanted.asked.since - longest_attempt)
      break;
    called.insert(c.subject);
    if (c.result == outcome::delivered)
      chosen.erase(c.subject);
  }
}

// -- registry -----------------------------------------------------------------

template <class T>
result<std::vector<T>>
embedded_store::read_all(table in, std::string_view what) const {
  using id_type = decltype(T::id);
  std::vector<T> found;
  read_transaction txn{*env_};
  cursor at{txn, in};
  for (auto more = at.move(MDB_FIRST); more; more = at.move(MDB_NEXT)) {
    auto& value = found.emplace_back();
    value.id = to_number<id_type>(at.key()).value_or(0);
    if (!read_record(txn, at.value(), value, what))
      break;
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<std::vector<organizer>> embedded_store::organizers() const {
  return read_all<organizer>(tables_.organizers, "organizer");
}

result<std::vector<event>> embedded_store::events() const {
  return read_all<event>(tables_.events, "event");
}

result<std::vector<token>> embedded_store::tokens() const {
  return read_all<token>(tables_.tokens, "token");
}

result<std::vector<action_type>> embedded_store::action_types() const {
  return read_all<action_type>(tables_.action_types, "action type");
}

result<webhook_record> embedded_store::find_webhook(webhook_id id) const {
  read_transaction txn{*env_};
  webhook_record found;
  found.id = id;
  auto record = txn.get(tables_.webhooks, as_key(id));
  if (record)
    read_record(txn, *record, found, "webhook");
  if (!txn.ok())
    return txn.failure();
  if (!record)
    return not_found("webhook");
  return found;
}

result<std::vector<webhook_record>>
embedded_store::webhooks(organizer_id owner, std::optional<bool> enabled,
                         std::size_t offset, std::size_t limit) const {
  std::vector<webhook_record> found;
  read_transaction txn{*env_};
  cursor at{txn, tables_.organizer_webhooks};
  for (auto more = limit > 0 && seek_owner(at, owner); more;
       more = found.size() < limit && at.move(MDB_NEXT_DUP)) {
    webhook_record hook;
    if (!is_wanted(at.value(), enabled, hook.id))
      continue;
    if (offset > 0) {
      --offset;
      continue;
    }
    auto record = txn.get(tables_.webhooks, as_key(hook.id));
    if (!record) {
      txn.damaged("webhook " + std::to_string(hook.id));
      break;
    }
    if (!read_record(txn, *record, hook, "webhook"))
      break;
    found.push_back(std::move(hook));
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<std::size_t>
embedded_store::count_webhooks(organizer_id owner,
                               std::optional<bool> enabled) const {
  std::size_t n = 0;
  read_transaction txn{*env_};
  cursor at{txn, tables_.organizer_webhooks};
  auto more = seek_owner(at, owner);
  if (more && !enabled)
    n = at.count();
  else
    for (webhook_id id = 0; more; more = at.move(MDB_NEXT_DUP))
      n += is_wanted(at.value(), enabled, id) ? 1U : 0U;
  if (!txn.ok())
    return txn.failure();
  return n;
}

result<void> embedded_store::for_each_webhook(
  const std::function<bool(const webhook_record&)>& visit) const {
  constexpr std::size_t portion_size = 256;
  std::vector<webhook_record> portion;
  portion.reserve(portion_size);
  webhook_id next = 1;
  for (;;) {
    portion.clear();
    {
      read_transaction txn{*env_};
      cursor at{txn, tables_.webhooks};
      for (auto more = at.seek(as_key(next));
           more && portion.size() < portion_size; more = at.move(MDB_NEXT)) {
        auto& hook = portion.emplace_back();
        hook.id = to_number<webhook_id>(at.key()).value_or(0);
        if (!read_record(txn, at.value(), hook, "webhook"))
          break;
      }
      if (!txn.ok())
        return txn.failure();
    }
    for (const auto& hook : portion)
      if (!visit(hook))
        return {};
    if (portion.size() < portion_size)
      return {};
    next = portion.back().id + 1;
  }
}

// -- retention ----------------------------------------------------------------

result<stored_answer_ptr>
embedded_store::find_answer(const idempotency_key& key, timestamp now) const {
  read_transaction txn{*env_};
  remembered found;
  auto record = txn.get(tables_.idempotency, as_bytes(key));
  if (record && !decode(*record, found))
    txn.damaged("an answer of an idempotency key");
  if (!txn.ok())
    return txn.failure();
  if (!record || !found.is_live(now))
    return stored_answer_ptr{};
  return stored_answer_ptr{
    std::make_shared<stored_answer>(std::move(found.answer))};
}

result<expiry_plan>
embedded_store::plan_expiry(timestamp cutoff, std::size_t limit,
                            timestamp answers_cutoff) const {
  expiry_plan plan;
  if (limit == 0)
    return plan;
  read_transaction txn{*env_};
  checkpoint start;
  if (auto record = txn.get(tables_.meta, meta_key::checkpoint))
    if (!decode(*record, start))
      txn.damaged("the checkpoint");
  // The first position that recovery or someone who is behind comes back to.
  auto settled = start.routed_upto;
  {
    cursor at{txn, tables_.behind};
    for (auto more = at.move(MDB_FIRST); more; more = at.move(MDB_NEXT))
      settled = std::min(settled, to_number<position>(at.value()).value_or(0));
  }
  {
    cursor at{txn, tables_.journal};
    auto more = at.move(MDB_FIRST);
    while (more && plan.notifications.size() < limit) {
      std::vector<position> candidates;
      while (more && candidates.size() < limit) {
        auto id = to_number<position>(at.key()).value_or(0);
        notification_head head;
        if (!decode(at.value(), head)) {
          txn.damaged("notification " + std::to_string(id));
          break;
        }
        if (id > settled || head.published >= cutoff) {
          more = false;
          break;
        }
        candidates.push_back(id);
        more = at.move(MDB_NEXT);
      }
      if (candidates.empty() || !txn.ok())
        break;
      drop_retried(txn, tables_.retries, candidates);
      for (auto id : candidates) {
        if (plan.notifications.size() == limit) {
          more = true;
          break;
        }
        plan.notifications.push_back(id);
      }
    }
    plan.more = more;
  }
  {
    cursor at{txn, tables_.calls};
    std::size_t count = 0;
    for (auto more = at.move(MDB_FIRST); more; more = at.move(MDB_NEXT)) {
      call c;
      c.id = to_number<call_id>(at.key()).value_or(0);
      if (!decode_facts(at.value(), c)) {
        txn.damaged("call " + std::to_string(c.id));
        break;
      }
      if (c.id > start.last_call || c.time >= cutoff)
        break;
      if (count == limit) {
        plan.more = true;
        break;
      }
      plan.calls_upto = c.id;
      ++count;
    }
  }
  {
    auto end = answer_time_key(answers_cutoff, {});
    cursor at{txn, tables_.idempotency_times};
    auto more = at.move(MDB_FIRST);
    plan.answers = more && at.key() < end;
    for (std::size_t count = 0; more && count < limit && at.key() < end;
         ++count)
      more = at.move(MDB_NEXT);
    plan.more = plan.more || (more && at.key() < end);
  }
  if (!txn.ok())
    return txn.failure();
  return plan;
}

} // namespace fanfare::storage::lmdb
