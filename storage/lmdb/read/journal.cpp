// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/read/journal.hpp"

#include "model/subscription.hpp"
#include "storage/lmdb/tables/refusals.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace fanfare::storage::lmdb {

// -- index --------------------------------------------------------------------

bool index_cursor::seek_after(position place) {
  return at_.seek(as_key(owner_), index_entry{place + 1, 0U, 0U}.view())
      && read();
}

bool index_cursor::seek_before(position place) {
  if (at_.seek(as_key(owner_), index_entry{place, 0U, 0U}.view()))
    return previous();
  return newest(); // all are before it
}

bool index_cursor::newest() {
  return at_.seek(as_key(owner_), index_entry{0, 0U, 0U}.view())
      && at_.last_value() && read();
}

bool index_cursor::matches(const subscription& sub) {
  return sub.enabled && asked_for_by(sub);
}

bool index_cursor::asked_for_by(const subscription& sub) {
  return takes_event(sub, event_)
      && (names_type(sub, type_)
          || (!sub.wildcards.empty() && names_action(sub, type_, action())));
}

std::string_view index_cursor::action() {
  auto known = names_.find(type_);
  if (known == names_.end()) {
    action_type found;
    found.id = type_;
    if (type_ != 0)
      (void)find_record(txn_, table::action_types, as_key(type_), found,
                        "action type", type_);
    known = names_.emplace(type_, std::move(found.name)).first;
  }
  if (!known->second.empty() && !is_wildcard(known->second))
    return known->second;
  notification_head head;
  (void)find_record(txn_, table::journal, as_key(id_), head, "notification",
                    id_);
  return head.action;
}

bool index_cursor::is_of(const notification_search& wanted) const {
  return (!wanted.types || std::ranges::binary_search(*wanted.types, type_))
      && (!wanted.event || *wanted.event == event_);
}

bool index_cursor::read() {
  if (index_entry::read(at_.value(), id_, type_, event_))
    return true;
  txn_.damaged("the index of organizer", owner_);
  return false;
}

// -- notifications ------------------------------------------------------------

namespace {

/// Null if the transaction has failed.
notification_ptr to_notification(transaction& txn, position id, bytes record) {
  auto n = std::make_shared<notification>();
  n->id = id;
  return decode_or_fail(txn, record, *n, "notification", id) ? n : nullptr;
}

} // namespace

notification_ptr read_notification(transaction& txn, position at) {
  const auto record = txn.get(table::journal, as_key(at));
  return record ? to_notification(txn, at, *record) : nullptr;
}

bool passes_at(transaction& txn, const subscription& sub, position at) {
  if (!sub.filter)
    return true;
  const auto n = read_notification(txn, at);
  return n && passes(sub, *n);
}

position first_since(transaction& txn, timestamp t) {
  auto low = first_id<position>(txn, table::journal);
  auto high = last_id<position>(txn, table::journal) + 1;
  if (low == 0)
    return high;
  cursor at{txn, table::journal};
  while (low < high && txn.ok()) {
    const auto middle = low + (high - low) / 2;
    notification_head head;
    if (!at.seek(as_key(middle))
        || !decode_or_fail(txn, at.value(), head, "notification", middle))
      break;
    if (head.published >= t)
      high = middle;
    else
      low = to_number<position>(at.key()).value_or(middle) + 1;
  }
  return low;
}

// -- reads --------------------------------------------------------------------

result<notification_ptr> journal::find(position at) const {
  read_transaction txn{live_.env(), live_.wait_for(at)};
  auto found = read_notification(txn, at);
  if (!txn.ok())
    return txn.failure();
  if (!found)
    return not_found("notification");
  return found;
}

result<std::vector<notification_ptr>>
journal::read(position after, position upto, std::size_t limit) const {
  std::vector<notification_ptr> found;
  if (after >= upto)
    return found;
  read_transaction txn{live_.env(), live_.wait_for(upto)};
  cursor at{txn, table::journal};
  const auto first = after + 1;
  auto more = limit > 0 && at.seek(as_key(first));
  while (more) {
    const auto id = to_number<position>(at.key()).value_or(0);
    if (id > upto)
      break;
    auto n = to_notification(txn, id, at.value());
    if (!n)
      break;
    found.push_back(std::move(n));
    more = found.size() < limit && at.next();
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<backlog>
journal::read_backlog(const webhook_record& hook, position after, position upto,
                      std::size_t max_matches, std::size_t max_scan) const {
  upto = std::min(upto, tail());
  // Who has much to catch up need not wait for what was published just now.
  if (const auto there = live_.tail_of_tables();
      there < upto && there > after && there - after >= max_matches)
    upto = there;
  backlog found{.matches = {}, .read_upto = std::max(after, upto)};
  if (after >= upto)
    return found;
  read_transaction txn{live_.env(), live_.wait_for(upto)};
  index_cursor at{txn, hook.owner};
  std::size_t scanned = 0;
  auto last = after;
  for (auto more = at.seek_after(after); more && at.id() <= upto;
       more = at.next()) {
    if (scanned == max_scan || found.matches.size() == max_matches) {
      found.read_upto = last;
      break;
    }
    ++scanned;
    last = at.id();
    const auto* version = version_at(hook, at.id());
    if (!version || !at.matches(*version))
      continue;
    if (auto n = read_notification(txn, at.id()); n && passes(*version, *n))
      found.matches.push_back(std::move(n));
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<std::vector<notification_ptr>>
journal::newest_matches(organizer_id owner, const subscription& sub,
                        std::size_t limit, std::size_t max_scan) const {
  std::vector<notification_ptr> found;
  read_transaction txn{live_.env()};
  index_cursor at{txn, owner};
  for (auto more = at.newest(); more && found.size() < limit && max_scan-- > 0;
       more = at.previous()) {
    if (!at.matches(sub))
      continue;
    if (auto n = read_notification(txn, at.id()))
      found.push_back(std::move(n));
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<found_notifications>
journal::search(organizer_id owner, const notification_search& wanted) const {
  const auto late = std::chrono::steady_clock::now() + wanted.max_time;
  read_transaction txn{live_.env()};
  auto before = wanted.before;
  if (wanted.until) {
    const auto end = first_since(txn, *wanted.until);
    before = before == 0 ? end : std::min(before, end);
  }
  const auto first = wanted.since ? first_since(txn, *wanted.since) : 0;
  found_notifications out;
  index_cursor at{txn, owner};
  std::size_t scanned = 0;
  std::size_t read = 0;
  std::size_t size = 0;
  bool is_late = false;
  position last = 0;
  for (auto more = before == 0 ? at.newest() : at.seek_before(before);
       more && at.id() >= first; more = at.previous()) {
    if (out.found.size() == wanted.limit || scanned == wanted.max_scan
        || read >= wanted.max_read || size >= wanted.max_bytes || is_late) {
      out.next = last;
      break;
    }
    ++scanned;
    last = at.id();
    if (!at.is_of(wanted))
      continue;
    auto n = read_notification(txn, at.id());
    read += std::max(least_read, n ? n->body.size() : 0);
    const bool found = n && (!wanted.takes || wanted.takes(*n));
    is_late = std::chrono::steady_clock::now() >= late;
    if (!found)
      continue;
    size += n->body.size();
    out.found.push_back(std::move(n));
  }
  if (out.next != 0)
    if (const auto n = read_notification(txn, out.next))
      out.looked_back_to = n->published;
  if (!txn.ok())
    return txn.failure();
  return out;
}

result<newer_notifications> journal::newer(organizer_id owner, position after,
                                           const feed_limits& within) const {
  // Known before the transaction begins, which has at least all up to there.
  const auto last = tail();
  read_transaction txn{live_.env()};
  newer_notifications out{.upto = after};
  if (last > after) {
    // Some that expired may stand before others that are kept for a retry.
    const auto oldest = first_id<position>(txn, table::journal);
    out.lost = oldest == 0 || oldest > after + 1
            || !txn.get(table::journal, as_key(after + 1));
  }
  index_cursor at{txn, owner};
  std::size_t size = 0;
  for (auto more = at.seek_after(after); more; more = at.next()) {
    out.more = out.found.size() == within.most || size >= within.max_bytes;
    if (out.more)
      break;
    out.upto = at.id();
    auto n = read_notification(txn, at.id());
    if (!n)
      continue;
    size += feed_weight(*n);
    out.found.push_back(std::move(n));
  }
  if (!txn.ok())
    return txn.failure();
  if (!out.more)
    out.upto = std::max(out.upto, last);
  return out;
}

result<position> journal::last_before(timestamp t) const {
  read_transaction txn{live_.env()};
  const auto first = first_since(txn, t);
  if (!txn.ok())
    return txn.failure();
  return first == 1 && first_id<position>(txn, table::journal) == 0 ? tail()
                                                                    : first - 1;
}

} // namespace fanfare::storage::lmdb
