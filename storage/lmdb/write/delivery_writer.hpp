// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Appends to the call log, and carries out what concerns where webhooks stand:
/// their retries, their replays, checkpoints.

#include "storage/lmdb/state/change_layer.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/operations.hpp"

#include <cstddef>
#include <optional>

namespace fanfare::storage::lmdb {

/// Of one transaction.
class delivery_writer {
public:
  /// `last_call`: the last id given out.
  delivery_writer(record_writer& to, change_layer& layer, call_id last_call)
    : to_(to),
      txn_(to.txn()),
      layer_(layer),
      last_call_(last_call) {}

  void execute(append_call& op);
  void execute(drop_retries& op);
  void execute(amend_progress& op);
  void execute(enqueue& op);
  void execute(start_replay& op);
  void execute(barrier& op);

  [[nodiscard]] call_id last_call() const noexcept {
    return last_call_;
  }

  /// Removes calls, but none that recovery needs.
  void expire_calls(call_id upto, std::size_t limit);
  /// No cursor may outlive the transaction.
  void close();

private:
  /// Nothing if there is none or its record is damaged.
  std::optional<webhook_record> find_webhook(webhook_id id);
  void read_recent(webhook_state& state);

  record_writer& to_;
  write_transaction& txn_;
  change_layer& layer_;
  call_id last_call_;
  /// Opened when first needed.
  std::optional<write_cursor> end_;
};

} // namespace fanfare::storage::lmdb
