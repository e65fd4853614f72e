// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Carries out the operations of one commit in a write transaction, which may
/// hold several, and notes what they change.

#include "storage/lmdb/replay/effects.hpp"
#include "storage/lmdb/state/change_layer.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/lmdb/write/answers.hpp"
#include "storage/lmdb/write/delivery_writer.hpp"
#include "storage/lmdb/write/journal_writer.hpp"
#include "storage/lmdb/write/registry_writer.hpp"
#include "storage/lmdb/write/space_budget.hpp"
#include "storage/lmdb/write/webhook_writer.hpp"
#include "storage/operations.hpp"

#include <cstddef>
#include <span>

namespace fanfare::storage::lmdb {

class batch {
public:
  struct options {
    std::size_t room = 0; ///< bytes that publishing may still take
    counters last;
  };

  batch(write_transaction& txn, change_layer& layer, group_recorder& recorder,
        const options& opts);

  /// In order; stops at the first error of the transaction.
  void execute(std::span<operation> operations);
  /// Makes them what they were before, so that they can be executed again in
  /// another transaction after this one has failed.
  static void take_back(std::span<operation> operations);

  /// The last numbers given out.
  [[nodiscard]] counters last() const {
    return {.tail = journal_.tail(), .last_call = deliveries_.last_call()};
  }

private:
  void execute(operation& op);
  void remove_old(const expire& op);
  void save(const save_checkpoint& op);
  void count(call_id upto);

  write_transaction& txn_;
  change_layer& layer_;
  group_recorder& recorder_;
  record_writer records_{txn_};
  publishing_room room_;
  registry_writer registry_{records_};
  answer_writer answers_{records_, room_};
  webhook_writer webhooks_{records_, layer_};
  journal_writer journal_;
  delivery_writer deliveries_;
};

} // namespace fanfare::storage::lmdb
