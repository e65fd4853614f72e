// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tables say of where a webhook stands: its progress and its retries
/// as of the last checkpoint, and its last replay.

#include "storage/lmdb/tables/records.hpp"

#include <optional>
#include <vector>

namespace fanfare::storage::lmdb {

/// Where recovery starts; the beginning if there was no checkpoint yet.
checkpoint read_checkpoint(transaction& txn);

/// As of the checkpoint: a webhook that was not behind then had settled
/// everything up to its `routed_upto`.
progress read_progress(transaction& txn, webhook_id hook, position routed_upto);

/// Where a webhook without any progress stands: the journal's end when it was
/// made. Versions are dropped only when its progress is past them.
position before_first(const webhook_record& hook);

/// The retry set, by subject.
std::vector<retry> read_retries(transaction& txn, webhook_id hook);
/// The same, one by one; `visit` takes a const retry&.
template <class Visit>
void for_each_retry(transaction& txn, webhook_id hook, Visit&& visit) {
  cursor at{txn, table::retries};
  for (auto more = at.seek(retry_key{hook, 0}.view()); more; more = at.next()) {
    webhook_id owner = 0;
    retry r;
    if (!retry_key::read(at.key(), owner, r.subject)
        || !decode(at.value(), r)) {
      txn.damaged("a retry of webhook", hook);
      break;
    }
    if (owner != hook)
      break;
    visit(r);
  }
}
bool has_retries(transaction& txn, webhook_id hook);
void erase_retries(write_transaction& txn, webhook_id hook);
/// From one webhook's retries to the next one's.
bool seek_next_webhook(cursor& retries, webhook_id after);

/// The webhook's last replay, if it had any.
std::optional<replay> find_replay(transaction& txn, webhook_id hook);
/// If it runs.
std::optional<replay> find_running_replay(transaction& txn, webhook_id hook);

} // namespace fanfare::storage::lmdb
