// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/webhook_writer.hpp"

#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/tables/refusals.hpp"

#include <utility>

namespace fanfare::storage::lmdb {

namespace {

/// Versions of a webhook that are kept only to explain why it got something.
constexpr std::size_t kept_versions = 64;

webhook_entry entry_of(webhook_id id, bool enabled) {
  return webhook_entry{id, enabled ? 1U : 0U};
}

} // namespace

void webhook_writer::execute(add_webhook& op, position tail) {
  if (op.value->versions.size() != 1) {
    op.done = error{ec::internal, "A new webhook has exactly one version."};
    return;
  }
  auto added = *op.value;
  added.id = last_id<webhook_id>(txn_, table::webhooks) + 1;
  added.versions.front().from = tail + 1;
  to_.append(table::webhooks, added.id, added);
  txn_.append(table::organizer_webhooks, as_key(added.owner),
              entry_of(added.id, added.current().enabled).view());
  op.done = std::move(added);
}

void webhook_writer::execute(change_webhook& op, position tail) {
  webhook_record stored;
  stored.id = op.id;
  if (!find_record(txn_, table::webhooks, as_key(op.id), stored, "webhook",
                   op.id)
      || (op.owner != 0 && stored.owner != op.owner)) {
    op.done = no_such_webhook();
    return;
  }
  auto changed = stored;
  if (auto edited = op.edit(changed); !edited) {
    op.done = edited.error();
    return;
  }
  if (changed.versions.empty()) {
    op.done = error{ec::internal,
                    "An edit has removed the webhook's versions."};
    return;
  }
  auto wanted = std::move(changed.current());
  changed.id = stored.id;
  changed.owner = stored.owner;
  changed.versions = stored.versions;
  if (wanted != stored.current())
    put_version(changed, std::move(wanted), tail + 1, op.now);
  if (changed.current().enabled != stored.current().enabled)
    toggle(changed, tail, op.now);
  if (changed.target_url != stored.target_url)
    layer_.forget_failures(to_, changed.id);
  drop_old_versions(changed, tail);
  if (changed != stored)
    to_.put(table::webhooks, as_key(changed.id), changed);
  op.done = std::move(changed);
}

void webhook_writer::put_version(webhook_record& hook, subscription&& wanted,
                                 position from, timestamp since) {
  if (hook.versions.back().from != from)
    hook.versions.push_back({.from = from, .since = {}, .value = {}});
  hook.versions.back().since = since;
  hook.current() = std::move(wanted);
}

void webhook_writer::toggle(const webhook_record& hook, position tail,
                            timestamp now) {
  const bool enabled = hook.current().enabled;
  layer_.settle(to_, hook.id, tail);
  txn_.erase(table::organizer_webhooks, as_key(hook.owner),
             entry_of(hook.id, !enabled).view());
  txn_.put(table::organizer_webhooks, as_key(hook.owner),
           entry_of(hook.id, enabled).view());
  if (auto sent = find_running_replay(txn_, hook.id)) {
    sent->state = replay_state::cancelled;
    sent->ended = now;
    to_.put(table::replays, as_key(hook.id), *sent);
  }
}

void webhook_writer::drop_old_versions(webhook_record& hook, position tail) {
  // After a crash everything behind this position may be matched again.
  const auto settled = read_progress(txn_, hook.id,
                                     layer_.last_checkpoint().routed_upto)
                         .cursor;
  // Those that still explain a notification of the journal are kept, as long as
  // they are not many.
  auto oldest = first_id<position>(txn_, table::journal);
  if (oldest == 0)
    oldest = tail + 1;
  auto& versions = hook.versions;
  auto first = versions.begin();
  while (
    first + 1 != versions.end() && (first + 1)->from <= settled + 1
    && ((first + 1)->from <= oldest
        || static_cast<std::size_t>(versions.end() - first) > kept_versions))
    ++first;
  versions.erase(versions.begin(), first);
}

} // namespace fanfare::storage::lmdb
