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
  if (is_removed(txn_, added.owner)) {
    op.done = no_such_organizer();
    return;
  }
  if (auto free = check_name(added); !free) {
    op.done = free.error();
    return;
  }
  added.id = last_id<webhook_id>(txn_, table::webhooks) + 1;
  added.versions.front().from = tail + 1;
  to_.append(table::webhooks, added.id, added);
  move_name({}, added);
  txn_.append(table::organizer_webhooks, as_key(added.owner),
              entry_of(added.id, added.current().enabled).view());
  op.done = std::move(added);
}

void webhook_writer::execute(change_webhook& op, position tail) {
  webhook_record stored;
  stored.id = op.id;
  if (!find_record(txn_, table::webhooks, as_key(op.id), stored, "webhook",
                   op.id)
      || stored.is_removed()
      || (op.owner != 0
          && (stored.owner != op.owner || is_removed(txn_, op.owner)))) {
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
  if (auto free = check_name(changed); !free) {
    op.done = free.error();
    return;
  }
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
  move_name(stored, changed);
  op.done = std::move(changed);
}

// -- names --------------------------------------------------------------------

result<void> webhook_writer::check_name(const webhook_record& hook) {
  const auto& name = hook.delivery.name;
  if (name.empty())
    return {};
  if (auto fine = lmdb::check_name(name, "delivery.name", sizeof(organizer_id));
      !fine)
    return fine;
  const auto found = txn_.get(table::webhook_names,
                              owned_key(hook.owner, name));
  const auto other = found ? to_number<webhook_id>(*found).value_or(0) : 0;
  if (!found || other == hook.id)
    return {};
  return name_is_taken(name, other);
}

void webhook_writer::move_name(const webhook_record& from,
                               const webhook_record& to) {
  const auto& before = from.delivery.name;
  const auto& now = to.delivery.name;
  if (before == now)
    return;
  if (!before.empty())
    txn_.erase(table::webhook_names, owned_key(from.owner, before));
  if (!now.empty())
    txn_.put(table::webhook_names, owned_key(to.owner, now), as_key(to.id));
}

// -- end of an organizer ------------------------------------------------------

void webhook_writer::execute(clear_organizer& op, position tail) {
  op.cleared.clear();
  organizer left;
  left.id = op.id;
  if (!find_record(txn_, table::organizers, as_key(op.id), left, "organizer",
                   op.id)
      || !left.slug.empty()) {
    op.done = no_such_organizer();
    return;
  }
  std::vector<webhook_id> ids;
  bool more = false;
  {
    cursor at{txn_, table::organizer_webhooks};
    // From the end, as the index of subscriptions forgets the newest at once.
    more = op.before == 0
           ? at.seek(as_key(op.id)) && at.key() == as_key(op.id)
               && at.last_value()
           : at.seek(as_key(op.id), webhook_entry{op.before, 0U}.view())
               && at.previous_value();
    for (; more && ids.size() < op.most; more = at.previous_value()) {
      std::uint32_t enabled = 0;
      if (webhook_id id = 0; webhook_entry::read(at.value(), id, enabled))
        ids.push_back(id);
    }
  }
  for (const auto id : ids) {
    webhook_record stored;
    stored.id = id;
    if (!find_record(txn_, table::webhooks, as_key(id), stored, "webhook", id))
      return txn_.damaged("webhook", id); // also if there is none
    op.cleared.push_back(clear(stored, tail, op.now));
  }
  if (!more && !left.name.empty()) {
    left.name.clear();
    to_.put(table::organizers, as_key(left.id), left);
  }
  op.done = more;
}

webhook_record webhook_writer::clear(const webhook_record& stored,
                                     position tail, timestamp now) {
  webhook_record left;
  left.id = stored.id;
  left.owner = stored.owner;
  left.versions = stored.versions;
  left.delivery.signing = signing_algorithm::none;
  put_version(left, {.enabled = false, .events = {}, .types = {}}, tail + 1,
              now);
  if (stored.current().enabled)
    toggle(left, tail, now);
  layer_.forget_failures(to_, left.id);
  drop_old_versions(left, tail);
  to_.put(table::webhooks, as_key(left.id), left);
  move_name(stored, left);
  return left;
}

// -- versions -----------------------------------------------------------------

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
