// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/checkpoint_writer.hpp"

#include "storage/lmdb/state/statistics.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace fanfare::storage::lmdb {

namespace {

using unsettled = save_checkpoint::unsettled;

/// Sorted, and each webhook once.
std::vector<unsettled> named_by(const save_checkpoint& op) {
  auto named = op.behind;
  std::ranges::sort(named, {}, &unsettled::hook);
  auto repeats = std::ranges::unique(named, {}, &unsettled::hook);
  named.erase(repeats.begin(), repeats.end());
  return named;
}

/// Drops the rows of webhooks that are not behind any more. Returns what has to
/// be written for those that are. `named` ascends.
std::vector<unsettled> drop_unnamed(write_transaction& txn,
                                    std::span<const unsettled> named,
                                    const checkpoint& before) {
  std::vector<unsettled> changed;
  write_cursor at{txn, table::behind};
  auto more = at.first();
  auto id_at = [&] { return to_number<webhook_id>(at.key()).value_or(0); };
  // Both sides ascend.
  for (const auto& [hook, cursor_of] : named) {
    for (; more && id_at() < hook; more = at.next())
      at.erase();
    if (!more || id_at() != hook) {
      // It was not behind, so it had come at least this far.
      changed.push_back(
        {.hook = hook, .cursor = std::max(cursor_of, before.routed_upto)});
      continue;
    }
    if (cursor_of > to_number<position>(at.value()).value_or(0))
      changed.push_back({.hook = hook, .cursor = cursor_of});
    more = at.next();
  }
  for (; more; more = at.next())
    at.erase();
  return changed;
}

} // namespace

bool write_checkpoint(record_writer& to, change_layer& layer,
                      const save_checkpoint& op, const counters& last) {
  const auto before = layer.last_checkpoint();
  // One that lies before the last one says nothing new, and what the last one
  // says still holds.
  if (op.routed_upto < before.routed_upto)
    return false;
  const auto changes_before = to.txn().changes();
  const checkpoint next{.routed_upto = std::min(op.routed_upto, last.tail),
                        .last_call = last.last_call};
  layer.save(to, next);
  for (const auto& [hook, cursor_of] :
       drop_unnamed(to.txn(), named_by(op), before))
    to.txn().put(table::behind, as_key(hook), as_key(cursor_of));
  count_if_due(to, next.last_call);
  if (next != before) // an idle engine's checkpoints cost no disk write
    to.put(table::meta, meta_key::checkpoint, next);
  return to.txn().changes() != changes_before;
}

} // namespace fanfare::storage::lmdb
