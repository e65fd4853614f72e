// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The answers that are kept under idempotency keys.

#include "storage/lmdb/tables/records.hpp"
#include "storage/lmdb/write/space_budget.hpp"
#include "storage/operations.hpp"

#include <cstddef>
#include <optional>

namespace fanfare::storage::lmdb {

/// The answer of the key, live or not.
std::optional<remembered> read_answer(transaction& txn,
                                      const idempotency_key& key);

/// Changes them in one transaction.
class answer_writer {
public:
  answer_writer(record_writer& to, publishing_room& room)
    : to_(to),
      txn_(to.txn()),
      room_(room) {}

  void execute(remember_answer& op);

  /// The live answer of the key, or nothing. Removes one that is too old.
  std::optional<stored_answer> find(const idempotency_key& key, timestamp now);
  /// Only if there is no live one.
  void put(const idempotency_key& key, const remembered& value);
  void expire(timestamp before, std::size_t limit);

private:
  record_writer& to_;
  write_transaction& txn_;
  publishing_room& room_;
};

} // namespace fanfare::storage::lmdb
