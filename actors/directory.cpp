// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/directory.hpp"

#include <algorithm>
#include <mutex>
#include <tuple>

namespace fanfare {

result<void> directory::load(const storage::store& from) {
  std::unique_lock guard{mutex_};
  const auto organizers = from.organizers();
  if (!organizers)
    return organizers.error();
  for (const auto& o : *organizers)
    add(o);
  const auto events = from.events();
  if (!events)
    return events.error();
  for (const auto& e : *events)
    add(e);
  const auto types = from.action_types();
  if (!types)
    return types.error();
  for (const auto& t : *types)
    action_types_.add(t);
  const auto tokens = from.tokens();
  if (!tokens)
    return tokens.error();
  for (const auto& t : *tokens)
    add(t);
  return {};
}

void directory::observe(const storage::operation& op) {
  auto update = [this](const auto& outcome) {
    if (!outcome)
      return;
    std::unique_lock guard{mutex_};
    add(*outcome);
  };
  if (const auto* publish = std::get_if<storage::append_notifications>(&op)) {
    if (publish->new_events.empty())
      return;
    std::unique_lock guard{mutex_};
    for (const auto& e : publish->new_events)
      add(e);
  } else if (const auto* o = std::get_if<storage::add_organizer>(&op)) {
    update(o->done);
  } else if (const auto* e = std::get_if<storage::add_event>(&op)) {
    update(e->done);
  } else if (const auto* t = std::get_if<storage::add_token>(&op)) {
    update(t->done);
  } else if (const auto* r = std::get_if<storage::revoke_token>(&op)) {
    update(r->done);
  } else if (const auto* a = std::get_if<storage::add_action_type>(&op)) {
    if (!a->done)
      return;
    std::unique_lock guard{mutex_};
    action_types_.add(*a->done);
  }
}

void directory::add(const organizer& o) {
  organizers_.insert_or_assign(o.slug, o);
  organizer_slugs_.insert_or_assign(o.id, o.slug);
}

void directory::add(const event& e) {
  events_by_slug_[e.owner].insert_or_assign(e.slug, e.id);
  events_.insert_or_assign(e.id, e);
}

void directory::add(const token& t) {
  tokens_by_hash_.insert_or_assign(t.hash, t);
}

std::optional<organizer>
directory::find_organizer(std::string_view slug) const {
  std::shared_lock guard{mutex_};
  const auto i = organizers_.find(slug);
  return i == organizers_.end() ? std::nullopt : std::optional{i->second};
}

std::optional<organizer> directory::find_organizer(organizer_id id) const {
  std::shared_lock guard{mutex_};
  const auto i = organizer_slugs_.find(id);
  return i == organizer_slugs_.end() ? std::nullopt
                                     : std::optional{organizers_.at(i->second)};
}

std::vector<organizer> directory::organizers() const {
  std::shared_lock guard{mutex_};
  std::vector<organizer> all;
  all.reserve(organizers_.size());
  for (const auto& [slug, o] : organizers_)
    all.push_back(o);
  return all;
}

event_id directory::find_event_id(organizer_id owner,
                                  std::string_view slug) const {
  std::shared_lock guard{mutex_};
  const auto of_owner = events_by_slug_.find(owner);
  if (of_owner == events_by_slug_.end())
    return 0;
  const auto i = of_owner->second.find(slug);
  return i == of_owner->second.end() ? 0 : i->second;
}

std::optional<event> directory::find_event(organizer_id owner,
                                           std::string_view slug) const {
  const auto id = find_event_id(owner, slug);
  return id == 0 ? std::nullopt : find_event(id);
}

std::optional<event> directory::find_event(event_id id) const {
  std::shared_lock guard{mutex_};
  const auto i = events_.find(id);
  return i == events_.end() ? std::nullopt : std::optional{i->second};
}

std::vector<event> directory::events(organizer_id owner) const {
  std::shared_lock guard{mutex_};
  std::vector<event> all;
  if (const auto i = events_by_slug_.find(owner); i != events_by_slug_.end())
    for (const auto& [slug, id] : i->second)
      all.push_back(events_.at(id));
  std::ranges::sort(all, [](const event& a, const event& b) {
    return std::tie(a.name, a.slug) < std::tie(b.name, b.slug);
  });
  return all;
}

std::optional<action_type>
directory::find_action_type(std::string_view name) const {
  std::shared_lock guard{mutex_};
  const auto id = action_types_.find(name);
  return id ? std::optional{*action_types_.at(*id)} : std::nullopt;
}

std::optional<action_type_id>
directory::resolve_action(std::string_view action) const {
  std::shared_lock guard{mutex_};
  return action_types_.resolve(action);
}

std::vector<action_type> directory::action_types() const {
  std::shared_lock guard{mutex_};
  return action_types_.all();
}

std::optional<token> directory::find_token(std::string_view hash) const {
  std::shared_lock guard{mutex_};
  const auto i = tokens_by_hash_.find(hash);
  return i == tokens_by_hash_.end() ? std::nullopt : std::optional{i->second};
}

std::vector<token> directory::tokens(organizer_id owner) const {
  std::shared_lock guard{mutex_};
  std::vector<token> all;
  for (const auto& [hash, t] : tokens_by_hash_)
    if (t.owner == owner && !t.revoked)
      all.push_back(t);
  std::ranges::sort(all, {}, &token::id);
  return all;
}

} // namespace fanfare
