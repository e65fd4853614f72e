// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/directory.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <tuple>

namespace fanfare {

namespace {

/// Uses closer together are one: a busy token is not written to by all threads
/// all the time.
constexpr std::int64_t use_resolution = 1'000;

constexpr auto never = std::numeric_limits<std::int64_t>::min();

std::int64_t as_milliseconds(timestamp t) {
  return t.time_since_epoch().count();
}

timestamp as_timestamp(std::int64_t milliseconds) {
  return timestamp{timestamp::duration{milliseconds}};
}

} // namespace

result<void> directory::load(const storage::registry& from) {
  std::unique_lock guard{mutex_};
  const auto organizers = from.organizers();
  if (!organizers)
    return organizers.error();
  for (const auto& o : *organizers)
    if (!o.slug.empty()) // else it was removed
      add(o);
  const auto events = from.events();
  if (!events)
    return events.error();
  for (const auto& e : *events)
    if (!e.slug.empty() && organizer_slugs_.contains(e.owner))
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
    if (organizer_slugs_.contains(t.owner))
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
  } else if (const auto* c = std::get_if<storage::change_organizer>(&op)) {
    update(c->done);
  } else if (const auto* gone = std::get_if<storage::remove_organizer>(&op)) {
    if (gone->done)
      remove(*gone->done);
  } else if (const auto* e = std::get_if<storage::add_event>(&op)) {
    update(e->done);
  } else if (const auto* n = std::get_if<storage::rename_event>(&op)) {
    update(n->done);
  } else if (const auto* past = std::get_if<storage::remove_event>(&op)) {
    if (past->done)
      remove(*past->done);
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

void directory::remove(const organizer& o) {
  std::unique_lock guard{mutex_};
  organizers_.erase(o.slug);
  // Without it nothing finds its events and tokens, which go with the process:
  // to look for them would stop the writer.
  organizer_slugs_.erase(o.id);
}

void directory::remove(const event& e) {
  std::unique_lock guard{mutex_};
  events_.erase(e.id);
  if (const auto i = events_by_slug_.find(e.owner); i != events_by_slug_.end())
    i->second.erase(e.slug);
}

void directory::add(const token& t) {
  auto used = t.last_used ? as_milliseconds(*t.last_used) : never;
  auto taken = used;
  const auto known = tokens_by_hash_.find(t.hash);
  if (known != tokens_by_hash_.end()) {
    used = std::max(used, known->second->last_used.load());
    taken = std::max(taken, known->second->taken.load());
  }
  tokens_by_hash_.insert_or_assign(
    t.hash, std::make_shared<const token_entry>(t, used, taken));
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

std::string directory::find_slug(organizer_id id) const {
  std::shared_lock guard{mutex_};
  const auto i = organizer_slugs_.find(id);
  return i == organizer_slugs_.end() ? std::string{} : i->second;
}

std::vector<organizer> directory::organizers() const {
  std::shared_lock guard{mutex_};
  std::vector<organizer> all;
  all.reserve(organizers_.size());
  for (const auto& [slug, o] : organizers_)
    all.push_back(o);
  return all;
}

event_id directory::event_id_of(organizer_id owner,
                                std::string_view slug) const {
  const auto of_owner = events_by_slug_.find(owner);
  if (of_owner == events_by_slug_.end())
    return 0;
  const auto i = of_owner->second.find(slug);
  return i == of_owner->second.end() ? 0 : i->second;
}

event_id directory::find_event_id(organizer_id owner,
                                  std::string_view slug) const {
  std::shared_lock guard{mutex_};
  return event_id_of(owner, slug);
}

std::optional<event> directory::find_event(organizer_id owner,
                                           std::string_view slug) const {
  std::shared_lock guard{mutex_};
  const auto id = event_id_of(owner, slug);
  return id == 0 ? std::nullopt : std::optional{events_.at(id)};
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

directory::names directory::find_names(organizer_id owner,
                                       std::string_view action,
                                       std::string_view event) const {
  std::shared_lock guard{mutex_};
  return {.type = action_types_.resolve(action),
          .event = event.empty() ? 0 : event_id_of(owner, event)};
}

std::vector<action_type> directory::action_types() const {
  std::shared_lock guard{mutex_};
  return action_types_.all();
}

std::shared_ptr<const token> directory::find_token(std::string_view hash,
                                                   timestamp now) const {
  std::shared_lock guard{mutex_};
  const auto i = tokens_by_hash_.find(hash);
  if (i == tokens_by_hash_.end()
      || !organizer_slugs_.contains(i->second->value.owner))
    return nullptr;
  const auto& entry = i->second;
  const auto before = entry->last_used.load(std::memory_order_relaxed);
  const auto used = as_milliseconds(now);
  if (!entry->value.revoked
      && (before == never || used - before >= use_resolution))
    entry->last_used.store(used, std::memory_order_relaxed);
  return {entry, &entry->value};
}

std::vector<token> directory::tokens(organizer_id owner) const {
  std::shared_lock guard{mutex_};
  std::vector<token> all;
  for (const auto& [hash, entry] : tokens_by_hash_) {
    if (entry->value.owner != owner || entry->value.revoked)
      continue;
    all.push_back(entry->value);
    if (const auto used = entry->last_used.load(); used != never)
      all.back().last_used = as_timestamp(used);
  }
  std::ranges::sort(all, {}, &token::id);
  return all;
}

std::vector<storage::touch_tokens::use> directory::take_token_uses() const {
  std::shared_lock guard{mutex_};
  std::vector<storage::touch_tokens::use> all;
  for (const auto& [hash, entry] : tokens_by_hash_) {
    const auto used = entry->last_used.load();
    if (entry->taken.exchange(used) != used)
      all.push_back({entry->value.id, as_timestamp(used)});
  }
  return all;
}

} // namespace fanfare
