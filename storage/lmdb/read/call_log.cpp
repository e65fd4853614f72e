// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/read/call_log.hpp"

#include "storage/lmdb/read/ownership.hpp"
#include "storage/lmdb/read/statistics.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/lmdb/tables/refusals.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace fanfare::storage::lmdb {

result<std::vector<call>> call_log::newest(webhook_id hook, call_id before,
                                           std::size_t limit) const {
  std::optional<read_transaction> txn;
  call_id next = 0;
  live_.begin(txn, [&](const changes& in) {
    if (auto i = in.find(hook); i != in.end())
      next = i->second.upto.last_call;
  });
  progress stored;
  if (next == 0
      && find_record(*txn, table::progress, as_key(hook), stored,
                     "the progress of webhook", hook))
    next = stored.last_call;
  // A page goes on where the one before it ended, without walking there again.
  if (before != 0 && before <= next) {
    logged_call c;
    c.id = before;
    const auto record = txn->get(table::calls, as_key(before));
    if (record && decode_facts(*record, c) && c.hook == hook)
      next = c.previous;
  }
  std::vector<call> found;
  while (next != 0 && found.size() < limit) {
    const auto record = txn->get(table::calls, as_key(next));
    if (!record)
      break; // expired, and so is all before it
    logged_call c;
    c.id = next;
    if (before != 0 && next >= before) {
      if (!decode_facts(*record, c)) {
        txn->damaged("call", next);
        break;
      }
      next = c.previous;
      continue;
    }
    if (!decode_or_fail(*txn, *record, c, "call", next))
      break;
    next = c.previous;
    found.push_back(std::move(c));
  }
  if (!txn->ok())
    return txn->failure();
  return found;
}

namespace {

/// To the newest one with a lower id; 0: to the newest of all.
bool seek_before(cursor& at, call_id before) {
  if (before == 0)
    return at.last();
  return at.seek(as_key(before)) ? at.previous() : at.last();
}

} // namespace

result<found_calls> call_log::search(organizer_id owner,
                                     const call_search& wanted) const {
  read_transaction txn{live_.env()};
  ownership mine{txn, owner};
  const auto is_wanted = [&](webhook_id hook) {
    return (wanted.hooks.empty()
            || std::ranges::binary_search(wanted.hooks, hook))
        && mine.includes(hook);
  };
  found_calls out;
  cursor at{txn, table::calls};
  call_id last = 0;
  timestamp last_time{};
  for (auto more = seek_before(at, wanted.before); more; more = at.previous()) {
    if (out.found.size() == wanted.limit || out.scanned == wanted.max_scan) {
      out.next = last;
      if (last != 0)
        out.looked_back_to = last_time;
      break;
    }
    ++out.scanned;
    last = to_number<call_id>(at.key()).value_or(0);
    logged_call c;
    c.id = last;
    if (!decode_facts(at.value(), c)) {
      txn.damaged("call", last);
      break;
    }
    last_time = c.time;
    if (!is_wanted(c.hook))
      continue;
    if (!decode_or_fail(txn, at.value(), c, "call", last))
      break;
    out.found.push_back(std::move(c));
  }
  if (!txn.ok())
    return txn.failure();
  return out;
}

result<std::vector<call_tally>>
call_log::count(const tally_query& which) const {
  read_transaction txn{live_.env()};
  auto found = read_tallies(txn, which);
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<newer_calls> call_log::newer(organizer_id owner, call_id after,
                                    const feed_limits& within) const {
  // Known before the transaction begins, which has at least all up to there.
  const auto last = live_.last_call();
  read_transaction txn{live_.env()};
  ownership mine{txn, owner};
  newer_calls out{.upto = after};
  const auto oldest = first_id<call_id>(txn, table::calls);
  out.lost = oldest == 0 ? last > after : oldest > after + 1;
  cursor at{txn, table::calls};
  std::size_t scanned = 0;
  std::size_t size = 0;
  for (auto more = at.seek(as_key(after + 1)); more; more = at.next()) {
    out.more = out.found.size() == within.most || scanned == within.max_scan
            || size >= within.max_bytes;
    if (out.more)
      break;
    ++scanned;
    logged_call c;
    c.id = to_number<call_id>(at.key()).value_or(0);
    out.upto = c.id;
    if (!decode_facts(at.value(), c)) {
      txn.damaged("call", c.id);
      break;
    }
    if (!mine.includes(c.hook))
      continue;
    if (!decode_or_fail(txn, at.value(), c, "call", c.id))
      break;
    size += feed_weight(c);
    out.found.push_back(std::move(c));
  }
  if (!txn.ok())
    return txn.failure();
  if (!out.more)
    out.upto = std::max(out.upto, last);
  return out;
}

result<call_id> call_log::last_before(timestamp t) const {
  read_transaction txn{live_.env()};
  auto low = first_id<call_id>(txn, table::calls);
  auto high = last_id<call_id>(txn, table::calls) + 1;
  if (low == 0)
    return live_.last_call();
  cursor at{txn, table::calls};
  while (low < high && txn.ok()) {
    const auto middle = low + (high - low) / 2;
    logged_call c;
    if (!at.seek(as_key(middle)))
      break;
    c.id = to_number<call_id>(at.key()).value_or(middle);
    if (!decode_facts(at.value(), c)) {
      txn.damaged("call", c.id);
      break;
    }
    if (c.time >= t)
      high = middle;
    else
      low = c.id + 1;
  }
  if (!txn.ok())
    return txn.failure();
  return low - 1;
}

result<call> call_log::find(webhook_id hook, call_id id) const {
  read_transaction txn{live_.env()};
  logged_call c;
  c.id = id;
  const bool found = find_record(txn, table::calls, as_key(id), c, "call", id);
  if (!txn.ok())
    return txn.failure();
  if (!found || c.hook != hook)
    return not_found("call");
  return c;
}

} // namespace fanfare::storage::lmdb
