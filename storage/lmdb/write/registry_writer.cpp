// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/registry_writer.hpp"

#include "storage/lmdb/tables/refusals.hpp"

#include <utility>

namespace fanfare::storage::lmdb {

// -- organizers ---------------------------------------------------------------

void registry_writer::execute(add_organizer& op) {
  if (auto fine = check_name(op.slug, "slug"); !fine) {
    op.done = fine.error();
    return;
  }
  if (txn_.get(table::organizer_slugs, op.slug)) {
    op.done = refusal(ec::already_exists,
                      "There is an organizer with this slug.", "slug");
    return;
  }
  organizer added{.id = last_id<organizer_id>(txn_, table::organizers) + 1,
                  .slug = op.slug,
                  .name = op.name};
  to_.append(table::organizers, added.id, added);
  txn_.put(table::organizer_slugs, op.slug, as_key(added.id));
  op.done = std::move(added);
}

void registry_writer::execute(change_organizer& op) {
  organizer found;
  found.id = op.id;
  if (!find_record(txn_, table::organizers, as_key(op.id), found, "organizer",
                   op.id)
      || found.slug.empty()) {
    op.done = no_such_organizer();
    return;
  }
  auto changed = found;
  if (auto edited = op.edit(changed); !edited) {
    op.done = edited.error();
    return;
  }
  changed.id = found.id;
  changed.slug = found.slug;
  if (changed != found)
    to_.put(table::organizers, as_key(changed.id), changed);
  op.done = std::move(changed);
}

void registry_writer::execute(remove_organizer& op) {
  organizer found;
  found.id = op.id;
  if (!find_record(txn_, table::organizers, as_key(op.id), found, "organizer",
                   op.id)
      || found.slug.empty()) {
    op.done = no_such_organizer();
    return;
  }
  txn_.erase(table::organizer_slugs, found.slug);
  organizer left;
  left.name = found.slug; // until all is cleared
  to_.put(table::organizers, as_key(found.id), left);
  op.done = std::move(found);
}

// -- events and action types --------------------------------------------------

void registry_writer::execute(add_event& op) {
  if (auto fine = check_name(op.slug, "slug", sizeof op.owner); !fine) {
    op.done = fine.error();
    return;
  }
  if (is_removed(txn_, op.owner)) {
    op.done = no_such_organizer();
    return;
  }
  bool is_new = false;
  auto added = find_or_add_event(op.owner, op.slug, op.name, is_new);
  if (is_new)
    op.done = std::move(added);
  else
    op.done = refusal(ec::already_exists, "There is an event with this slug.",
                      "slug");
}

event registry_writer::find_or_add_event(organizer_id owner,
                                         const std::string& slug,
                                         const std::string& name,
                                         bool& is_new) {
  const auto key = owned_key(owner, slug);
  event found{.owner = owner, .slug = slug, .name = name};
  if (auto id = txn_.get(table::event_slugs, key)) {
    is_new = false;
    if (auto number = to_number<event_id>(*id))
      found.id = *number;
    else
      txn_.damaged("event " + slug);
    return found;
  }
  is_new = true;
  found.id = last_id<event_id>(txn_, table::events) + 1;
  to_.append(table::events, found.id, found);
  txn_.put(table::event_slugs, key, as_key(found.id));
  return found;
}

bool registry_writer::find_event(organizer_id owner, event& to) {
  return find_record(txn_, table::events, as_key(to.id), to, "event", to.id)
      && to.owner == owner && !to.slug.empty();
}

void registry_writer::execute(rename_event& op) {
  event found;
  found.id = op.id;
  if (!find_event(op.owner, found)) {
    op.done = refusal(ec::not_found, "There is no such event.", "id");
    return;
  }
  if (found.name != op.name) {
    found.name = op.name;
    to_.put(table::events, as_key(found.id), found);
  }
  op.done = std::move(found);
}

void registry_writer::execute(remove_event& op) {
  event found;
  found.id = op.id;
  if (!find_event(op.owner, found)) {
    op.done = refusal(ec::not_found, "There is no such event.", "id");
    return;
  }
  txn_.erase(table::event_slugs, owned_key(found.owner, found.slug));
  event left;
  left.owner = found.owner;
  to_.put(table::events, as_key(found.id), left);
  op.done = std::move(found);
}

void registry_writer::execute(add_action_type& op) {
  if (auto fine = check_name(op.name, "name"); !fine) {
    op.done = fine.error();
    return;
  }
  if (txn_.get(table::action_type_names, op.name)) {
    op.done = refusal(ec::already_exists,
                      "There is an action type with this name.", "name");
    return;
  }
  action_type added{.id = last_id<action_type_id>(txn_, table::action_types)
                        + 1,
                    .name = op.name};
  to_.append(table::action_types, added.id, added);
  txn_.put(table::action_type_names, op.name, as_key(added.id));
  op.done = std::move(added);
}

// -- tokens -------------------------------------------------------------------

void registry_writer::execute(add_token& op) {
  if (is_removed(txn_, op.value.owner)) {
    op.done = no_such_organizer();
    return;
  }
  auto added = op.value;
  added.id = last_id<token_id>(txn_, table::tokens) + 1;
  to_.append(table::tokens, added.id, added);
  op.done = std::move(added);
}

void registry_writer::execute(revoke_token& op) {
  token found;
  found.id = op.id;
  if (!find_record(txn_, table::tokens, as_key(op.id), found, "token", op.id)
      || found.owner != op.owner) {
    op.done = refusal(ec::not_found, "There is no such token.", "id");
    return;
  }
  if (!found.revoked) {
    found.revoked = true;
    to_.put(table::tokens, as_key(found.id), found);
  }
  op.done = std::move(found);
}

void registry_writer::execute(touch_tokens& op) {
  for (const auto& [id, time] : op.uses) {
    token found;
    found.id = id;
    if (!find_record(txn_, table::tokens, as_key(id), found, "token", id)
        || (found.last_used && *found.last_used >= time))
      continue;
    found.last_used = time;
    to_.put(table::tokens, as_key(id), found);
  }
}

} // namespace fanfare::storage::lmdb
