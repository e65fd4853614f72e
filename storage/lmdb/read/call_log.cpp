// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/read/call_log.hpp"

#include "storage/lmdb/tables/records.hpp"
#include "storage/lmdb/tables/refusals.hpp"

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
