// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
/// The registry: organizers and what they own, and the action types.

#include "tests/support/memory_store/names.hpp"
#include "tests/support/memory_store/writer.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::test {

namespace {

/// Versions of a webhook that are kept only to explain why it got something.
constexpr std::size_t kept_versions = 64;

template <class Map>
auto next_id(const Map& of) {
  using id = typename Map::key_type;
  return of.empty() ? id{1} : static_cast<id>(of.rbegin()->first + 1);
}

template <class Map, class Member>
bool is_taken(const Map& in, Member member, const std::string& value) {
  return std::ranges::any_of(
    in, [&](const auto& entry) { return entry.second.*member == value; });
}

} // namespace

// -- organizers, events and action types --------------------------------------

void memory_writer::execute(storage::add_organizer& op) {
  if (auto fine = check_name(op.slug, "slug"); !fine) {
    op.done = fine.error();
    return;
  }
  if (is_taken(disk_.organizers, &organizer::slug, op.slug)) {
    op.done = refusal(ec::already_exists, "slug");
    return;
  }
  organizer added{
    .id = next_id(disk_.organizers), .slug = op.slug, .name = op.name};
  disk_.organizers[added.id] = added;
  op.done = std::move(added);
}

bool memory_writer::is_removed(organizer_id id) const {
  const auto i = disk_.organizers.find(id);
  return i != disk_.organizers.end() && i->second.slug.empty();
}

void memory_writer::execute(storage::remove_organizer& op) {
  const auto i = disk_.organizers.find(op.id);
  if (i == disk_.organizers.end() || i->second.slug.empty()) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  op.done = i->second;
  i->second = {.id = op.id, .slug = {}, .name = op.done->slug};
}

void memory_writer::execute(storage::clear_organizer& op) {
  op.cleared.clear();
  if (!is_removed(op.id)) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  bool more = false;
  for (auto i = disk_.hooks.rbegin(); i != disk_.hooks.rend(); ++i) {
    if (i->second.hook.owner != op.id
        || (op.before != 0 && i->first >= op.before))
      continue;
    if (op.cleared.size() == op.most) {
      more = true;
      break;
    }
    op.cleared.push_back(clear(i->second, op.now));
  }
  if (!more)
    disk_.organizers.at(op.id).name.clear();
  op.done = more;
}

webhook_record memory_writer::clear(disk::stored& of, timestamp now) {
  webhook_record left;
  left.id = of.hook.id;
  left.owner = of.hook.owner;
  left.versions = of.hook.versions;
  left.delivery.signing = signing_algorithm::none;
  if (left.versions.back().from != disk_.tail() + 1)
    left.versions.push_back(
      {.from = disk_.tail() + 1, .since = {}, .value = {}});
  left.versions.back().since = now;
  left.current() = {.enabled = false, .events = {}, .types = {}};
  if (of.hook.current().enabled)
    toggle(of, now);
  if (to_.standing(left.id).upto.has_failures()) {
    to_.touch(left.id).upto.forget_failures();
    to_.save(left.id);
  }
  drop_old_versions(left);
  of.hook = left;
  return left;
}

void memory_writer::execute(storage::change_organizer& op) {
  const auto i = disk_.organizers.find(op.id);
  if (i == disk_.organizers.end() || i->second.slug.empty()) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  auto changed = i->second;
  if (auto edited = op.edit(changed); !edited) {
    op.done = edited.error();
    return;
  }
  changed.id = i->second.id;
  changed.slug = i->second.slug;
  i->second = changed;
  op.done = std::move(changed);
}

void memory_writer::execute(storage::add_event& op) {
  if (auto fine = check_name(op.slug, "slug"); !fine) {
    op.done = fine.error();
    return;
  }
  if (is_removed(op.owner)) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  bool is_new = false;
  auto added = find_or_add_event(op.owner, op.slug, op.name, is_new);
  if (is_new)
    op.done = std::move(added);
  else
    op.done = refusal(ec::already_exists, "slug");
}

event memory_writer::find_or_add_event(organizer_id owner,
                                       const std::string& slug,
                                       const std::string& name, bool& is_new) {
  for (const auto& [id, known] : disk_.events)
    if (known.owner == owner && known.slug == slug) {
      is_new = false;
      return known;
    }
  is_new = true;
  event added{
    .id = next_id(disk_.events), .owner = owner, .slug = slug, .name = name};
  disk_.events[added.id] = added;
  return added;
}

event* memory_writer::find_event(organizer_id owner, event_id id) {
  const auto i = disk_.events.find(id);
  return i == disk_.events.end() || i->second.owner != owner
          || i->second.slug.empty()
         ? nullptr
         : &i->second;
}

void memory_writer::execute(storage::rename_event& op) {
  if (auto* const found = find_event(op.owner, op.id)) {
    found->name = op.name;
    op.done = *found;
  } else {
    op.done = refusal(ec::not_found, "id");
  }
}

void memory_writer::execute(storage::remove_event& op) {
  if (auto* const found = find_event(op.owner, op.id)) {
    op.done = *found;
    found->slug.clear();
    found->name.clear();
  } else {
    op.done = refusal(ec::not_found, "id");
  }
}

void memory_writer::execute(storage::add_action_type& op) {
  if (auto fine = check_name(op.name, "name"); !fine) {
    op.done = fine.error();
    return;
  }
  if (is_taken(disk_.action_types, &action_type::name, op.name)) {
    op.done = refusal(ec::already_exists, "name");
    return;
  }
  action_type added{.id = next_id(disk_.action_types), .name = op.name};
  disk_.action_types[added.id] = added;
  op.done = std::move(added);
}

// -- tokens -------------------------------------------------------------------

void memory_writer::execute(storage::add_token& op) {
  if (is_removed(op.value.owner)) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  auto added = op.value;
  added.id = next_id(disk_.tokens);
  disk_.tokens[added.id] = added;
  op.done = std::move(added);
}

void memory_writer::execute(storage::revoke_token& op) {
  const auto i = disk_.tokens.find(op.id);
  if (i == disk_.tokens.end() || i->second.owner != op.owner) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  i->second.revoked = true;
  op.done = i->second;
}

void memory_writer::execute(storage::touch_tokens& op) {
  for (const auto& [id, time] : op.uses)
    if (const auto i = disk_.tokens.find(id);
        i != disk_.tokens.end()
        && (!i->second.last_used || *i->second.last_used < time))
      i->second.last_used = time;
}

// -- webhooks -----------------------------------------------------------------

void memory_writer::execute(storage::add_webhook& op) {
  if (op.value->versions.size() != 1) {
    op.done = refusal(ec::internal, "");
    return;
  }
  auto added = *op.value;
  if (is_removed(added.owner)) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  if (has_taken_name(added)) {
    op.done = refusal(ec::invalid_argument, "delivery.name");
    return;
  }
  added.id = next_id(disk_.hooks);
  added.versions.front().from = disk_.tail() + 1;
  disk_.hooks[added.id].hook = added;
  op.done = std::move(added);
}

void memory_writer::execute(storage::change_webhook& op) {
  auto* record = disk_.find_hook(op.id);
  if (!record || record->hook.is_removed()
      || (op.owner != 0
          && (record->hook.owner != op.owner || is_removed(op.owner)))) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  const auto& before = record->hook;
  auto changed = before;
  if (auto edited = op.edit(changed); !edited) {
    op.done = edited.error();
    return;
  }
  if (changed.versions.empty()) {
    op.done = refusal(ec::internal, "");
    return;
  }
  const auto wanted = changed.current();
  changed.id = before.id;
  changed.owner = before.owner;
  if (has_taken_name(changed)) {
    op.done = refusal(ec::invalid_argument, "delivery.name");
    return;
  }
  changed.versions = before.versions;
  if (wanted != changed.current()) {
    if (changed.versions.back().from != disk_.tail() + 1)
      changed.versions.push_back(
        {.from = disk_.tail() + 1, .since = {}, .value = {}});
    changed.versions.back().since = op.now;
    changed.current() = wanted;
  }
  if (wanted.enabled != before.current().enabled)
    toggle(*record, op.now);
  if (changed.target_url != before.target_url
      && to_.standing(op.id).upto.has_failures()) {
    to_.touch(op.id).upto.forget_failures();
    to_.save(op.id);
  }
  drop_old_versions(changed);
  record->hook = changed;
  op.done = std::move(changed);
}

bool memory_writer::has_taken_name(const webhook_record& hook) const {
  return !hook.delivery.name.empty()
      && std::ranges::any_of(disk_.hooks, [&](const auto& other) {
           return other.first != hook.id
               && other.second.hook.owner == hook.owner
               && other.second.hook.delivery.name == hook.delivery.name;
         });
}

void memory_writer::toggle(disk::stored& of, timestamp now) {
  const auto id = of.hook.id;
  auto& at = to_.touch(id);
  at.upto.disable(disk_.tail(), at.retries);
  to_.save(id);
  disk_.behind.erase(id);
  of.ended_upto = disk_.tail();
  if (is_replaying(of)) {
    of.sent_again->state = replay_state::cancelled;
    of.sent_again->ended = now;
  }
}

void memory_writer::drop_old_versions(webhook_record& hook) const {
  const auto settled = disk_.saved_standing(hook.id).upto.cursor;
  const auto oldest = disk_.journal.empty() ? disk_.tail() + 1
                                            : disk_.journal.front()->id;
  auto& versions = hook.versions;
  while (versions.size() > 1 && versions[1].from <= settled + 1
         && (versions[1].from <= oldest || versions.size() > kept_versions))
    versions.erase(versions.begin());
}

} // namespace fanfare::test
