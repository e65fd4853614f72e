// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/state/progress_tables.hpp"

#include <limits>

namespace fanfare::storage::lmdb {

checkpoint read_checkpoint(transaction& txn) {
  checkpoint last;
  find_record(txn, table::meta, meta_key::checkpoint, last, "the checkpoint");
  return last;
}

progress read_progress(transaction& txn, webhook_id hook,
                       position routed_upto) {
  progress upto;
  find_record(txn, table::progress, as_key(hook), upto,
              "the progress of webhook", hook);
  auto settled = routed_upto;
  if (auto cursor = txn.get(table::behind, as_key(hook)))
    settled = to_number<position>(*cursor).value_or(0);
  upto.advance(settled);
  return upto;
}

position before_first(const webhook_record& hook) {
  const auto from = hook.versions.front().from;
  return from == 0 ? 0 : from - 1;
}

// -- retries ------------------------------------------------------------------

std::vector<retry> read_retries(transaction& txn, webhook_id hook) {
  std::vector<retry> set;
  for_each_retry(txn, hook, [&set](const retry& r) { set.push_back(r); });
  return set;
}

bool has_retries(transaction& txn, webhook_id hook) {
  cursor at{txn, table::retries};
  webhook_id owner = 0;
  position subject = 0;
  return at.seek(retry_key{hook, 0}.view())
      && retry_key::read(at.key(), owner, subject) && owner == hook;
}

void erase_retries(write_transaction& txn, webhook_id hook) {
  write_cursor at{txn, table::retries};
  for (auto more = at.seek(retry_key{hook, 0}.view()); more; more = at.next()) {
    webhook_id owner = 0;
    position subject = 0;
    if (!retry_key::read(at.key(), owner, subject) || owner != hook)
      break;
    at.erase();
  }
}

bool seek_next_webhook(cursor& retries, webhook_id after) {
  return after != std::numeric_limits<webhook_id>::max()
      && retries.seek(retry_key{after + 1, 0}.view());
}

// -- replays ------------------------------------------------------------------

std::optional<replay> find_replay(transaction& txn, webhook_id hook) {
  replay found;
  if (!find_record(txn, table::replays, as_key(hook), found,
                   "the replay of webhook", hook))
    return std::nullopt;
  return found;
}

std::optional<replay> find_running_replay(transaction& txn, webhook_id hook) {
  auto last = find_replay(txn, hook);
  if (last && last->state != replay_state::running)
    last.reset();
  return last;
}

} // namespace fanfare::storage::lmdb
