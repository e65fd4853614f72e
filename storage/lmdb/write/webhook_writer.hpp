// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Carries out changes of webhooks.

#include "storage/lmdb/state/change_layer.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/operations.hpp"

namespace fanfare::storage::lmdb {

/// Of one transaction.
class webhook_writer {
public:
  webhook_writer(record_writer& to, change_layer& layer)
    : to_(to),
      txn_(to.txn()),
      layer_(layer) {}

  /// `tail`: the last position given out.
  void execute(add_webhook& op, position tail);
  void execute(change_webhook& op, position tail);
  void execute(clear_organizer& op, position tail);

private:
  /// Whether no other webhook of the organizer has its name; else says which.
  result<void> check_name(const webhook_record& hook);
  /// Makes the index of names follow a change.
  void move_name(const webhook_record& from, const webhook_record& to);
  /// Leaves nothing of it but its number.
  webhook_record clear(const webhook_record& stored, position tail,
                       timestamp now);
  /// Gives the record the subscription as its current version.
  static void put_version(webhook_record& hook, subscription&& wanted,
                          position from, timestamp since);
  /// Carries out that it was enabled or disabled.
  void toggle(const webhook_record& hook, position tail, timestamp now);
  void drop_old_versions(webhook_record& hook, position tail);

  record_writer& to_;
  write_transaction& txn_;
  change_layer& layer_;
};

} // namespace fanfare::storage::lmdb
