// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/answers.hpp"

#include <cstdint>
#include <utility>

namespace fanfare::storage::lmdb {

std::optional<remembered> read_answer(transaction& txn,
                                      const idempotency_key& key) {
  remembered found;
  if (!find_record(txn, table::idempotency, as_bytes(key), found,
                   "an answer of an idempotency key"))
    return std::nullopt;
  return found;
}

void answer_writer::execute(remember_answer& op) {
  if (auto earlier = find(op.key, op.now)) {
    op.done = std::move(*earlier);
    return;
  }
  const auto wanted = estimate(op);
  if (!room_.has(wanted)) {
    op.done = publishing_room::refusal();
    return;
  }
  room_.take(wanted);
  // Copied: the operation may have to be carried out once more.
  put(op.key, {.created = op.now, .answer = op.answer});
  op.done = stored_answer{op.answer};
}

std::optional<stored_answer> answer_writer::find(const idempotency_key& key,
                                                 timestamp now) {
  auto found = read_answer(txn_, key);
  if (!found)
    return std::nullopt;
  if (found->is_live(now))
    return std::move(found->answer);
  // Its key is about to be used again; only one row may lead to it.
  txn_.erase(table::idempotency_times, answer_time_key(found->created, key));
  txn_.erase(table::idempotency, as_bytes(key));
  return std::nullopt;
}

void answer_writer::put(const idempotency_key& key, const remembered& value) {
  to_.put(table::idempotency, as_bytes(key), value);
  txn_.put(table::idempotency_times, answer_time_key(value.created, key), {});
}

void answer_writer::expire(timestamp before, std::size_t limit) {
  const auto end = answer_time_key(before, {});
  write_cursor at{txn_, table::idempotency_times};
  std::size_t removed = 0;
  for (auto more = at.first(); more && removed < limit && at.key() < end;
       more = at.next()) {
    txn_.erase(table::idempotency, at.key().substr(sizeof(std::uint64_t)));
    at.erase();
    ++removed;
  }
}

} // namespace fanfare::storage::lmdb
