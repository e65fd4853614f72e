// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/subscription_index.hpp"

#include <algorithm>
#include <cassert>

namespace fanfare {

namespace {

/// From the end: an organizer that is removed loses its newest webhooks first.
void remove_from(std::vector<subscription_index::ref>& list,
                 subscription_index::ref r) {
  if (auto i = std::find(list.rbegin(), list.rend(), r); i != list.rend()) {
    *i = list.back();
    list.pop_back();
  }
}

} // namespace

std::size_t subscription_index::shape_hash::operator()(
  const subscription& s) const noexcept {
  std::size_t h = (s.enabled ? 1U : 0U) | (s.all_events ? 2U : 0U);
  auto mix = [&h](std::size_t x) { h = (h ^ x) * 0x9e3779b97f4a7c15ULL; };
  for (auto t : s.types)
    mix(t);
  mix(0);
  for (auto e : s.events)
    mix(e);
  for (const auto& w : s.wildcards)
    mix(std::hash<std::string>{}(w));
  return h ^ (h >> 32);
}

subscription_index::ref subscription_index::find(webhook_id id) const {
  auto i = std::ranges::lower_bound(ids_, id);
  return i != ids_.end() && *i == id ? static_cast<ref>(i - ids_.begin())
                                     : none;
}

subscription_index::ref subscription_index::put(webhook_id id,
                                                organizer_id owner,
                                                const subscription& value) {
  auto* shape = &*shapes_.try_emplace(value, 0).first;
  ++shape->second;
  auto r = find(id);
  if (r == none) {
    assert(ids_.empty() || ids_.back() < id);
    r = static_cast<ref>(ids_.size());
    ids_.push_back(id);
    owners_.push_back(owner);
    shape_of_.push_back(shape);
  } else {
    leave(r);
    if (--shape_of_[r]->second == 0)
      shapes_.erase(shapes_.find(shape_of_[r]->first));
    shape_of_[r] = shape;
  }
  enter(r);
  return r;
}

void subscription_index::enter(ref r) {
  const auto& s = shape_of_[r]->first;
  if (!s.enabled)
    return;
  for (auto type : s.types) {
    const auto key = key_of(owners_[r], type);
    auto& t = topics_[key];
    if (s.all_events) {
      t.all_events.push_back(r);
      continue;
    }
    t.limited.push_back(r);
    for (auto e : s.events)
      by_event_[event_key{key, e}].push_back(r);
  }
  if (!s.wildcards.empty())
    enter_wildcards(r, s);
}

void subscription_index::enter_wildcards(ref r, const subscription& s) {
  auto& own = wildcards_[owners_[r]];
  for (const auto& wildcard : s.wildcards) {
    auto& t = own[std::string{stem_of(wildcard)}];
    (s.all_events ? t.all_events : t.limited).push_back(r);
    if (!s.all_events)
      for (auto e : s.events)
        t.by_event[e].push_back(r);
  }
}

void subscription_index::leave(ref r) {
  const auto& s = shape_of_[r]->first;
  if (!s.enabled)
    return;
  for (auto type : s.types) {
    const auto key = key_of(owners_[r], type);
    auto i = topics_.find(key);
    if (i == topics_.end())
      continue;
    remove_from(s.all_events ? i->second.all_events : i->second.limited, r);
    if (i->second.all_events.empty() && i->second.limited.empty())
      topics_.erase(i);
    if (s.all_events)
      continue;
    for (auto e : s.events) {
      auto j = by_event_.find(event_key{key, e});
      if (j == by_event_.end())
        continue;
      remove_from(j->second, r);
      if (j->second.empty())
        by_event_.erase(j);
    }
  }
  if (!s.wildcards.empty())
    leave_wildcards(r, s);
}

void subscription_index::leave_wildcards(ref r, const subscription& s) {
  const auto own = wildcards_.find(owners_[r]);
  if (own == wildcards_.end())
    return;
  for (const auto& wildcard : s.wildcards) {
    const auto i = own->second.find(stem_of(wildcard));
    if (i == own->second.end())
      continue;
    auto& t = i->second;
    remove_from(s.all_events ? t.all_events : t.limited, r);
    if (!s.all_events)
      for (auto e : s.events) {
        const auto j = t.by_event.find(e);
        if (j == t.by_event.end())
          continue;
        remove_from(j->second, r);
        if (j->second.empty())
          t.by_event.erase(j);
      }
    if (t.all_events.empty() && t.limited.empty())
      own->second.erase(i);
  }
  if (own->second.empty())
    wildcards_.erase(own);
}

} // namespace fanfare
