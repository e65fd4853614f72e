// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/trouble_board.hpp"

#include <algorithm>
#include <compare>
#include <utility>

namespace fanfare {

namespace {

using trouble = troubled_webhook::trouble;

/// A receiver that has failed for less than this, and so few times, may have
/// been restarted.
constexpr std::chrono::minutes passing{1};
constexpr std::uint32_t passing_failures = 3;

std::optional<timestamp> known_time(timestamp t) {
  return t == timestamp{} ? std::nullopt : std::optional{t};
}

bool is_slow(const trouble_board::entry& e, timestamp now) {
  return e.slow_at != timestamp{}
      && now - e.slow_at < trouble_board::slow_memory;
}

bool is_behind(const trouble_board::entry& e) {
  return !e.paused && (e.as.behind || e.stuck_since != timestamp{});
}

bool is_held(const trouble_board::entry& e) {
  return e.as.held_by != hold_reason::none && e.as.held_by != hold_reason::rate;
}

/// What comes first is the worst.
struct rank {
  int grade = 0;
  timestamp since{};
  std::uint32_t fewer_failures = 0;
  webhook_id id = 0;
  auto operator<=>(const rank&) const = default;
};

rank rank_of(const trouble_board::entry& e, timestamp now) {
  rank out{.grade = 0,
           .since = trouble_board::since(e).value_or(timestamp{}),
           .fewer_failures = ~e.as.failures,
           .id = e.id};
  switch (trouble_board::worst_of(e)) {
    case trouble::failing:
      out.grade = e.as.failures < passing_failures
                   && now - e.as.failing_since < passing
                   && e.as.held_by == hold_reason::none
                  ? 4
                  : 0;
      break;
    case trouble::held: out.grade = 0; break;
    case trouble::disabled: out.grade = 1; break;
    case trouble::behind: out.grade = 2; break;
    case trouble::paused: out.grade = 3; break;
    case trouble::slow:
      out.grade = 5;
      // The slowest first.
      out.since = timestamp{-e.slow_took};
      break;
    case trouble::certificate: out.grade = 6; break;
  }
  return out;
}

} // namespace

trouble trouble_board::worst_of(const entry& e) {
  if (e.disabled_at != timestamp{})
    return trouble::disabled;
  if (e.as.failures != 0)
    return trouble::failing;
  if (is_held(e))
    return trouble::held;
  if (e.paused)
    return trouble::paused;
  return is_behind(e) ? trouble::behind : trouble::slow;
}

std::optional<timestamp> trouble_board::since(const entry& e) {
  switch (worst_of(e)) {
    case trouble::failing: return known_time(e.as.failing_since);
    case trouble::held: return known_time(e.held_since);
    case trouble::disabled: return known_time(e.disabled_at);
    case trouble::paused: return known_time(e.held_since);
    case trouble::behind:
      return e.stuck_since == timestamp{} ? known_time(e.behind_since)
           : e.behind_since == timestamp{}
             ? known_time(e.stuck_since)
             : std::min(e.stuck_since, e.behind_since);
    case trouble::slow:
    case trouble::certificate: break;
  }
  return known_time(e.slow_at);
}

// -- who notices --------------------------------------------------------------

trouble_board::entry* trouble_board::find(shard& in, webhook_id id) {
  const auto at = in.places.find(id);
  return at == in.places.end() ? nullptr : &in.troubled[at->second];
}

trouble_board::entry& trouble_board::find_or_add(shard& in, webhook_id id,
                                                 organizer_id owner) {
  if (auto* known = find(in, id))
    return *known;
  in.places.emplace(id, in.troubled.size());
  in.troubled.push_back({.id = id, .owner = owner});
  return in.troubled.back();
}

void trouble_board::erase(shard& in, webhook_id id) {
  const auto at = in.places.find(id);
  if (at == in.places.end())
    return;
  const auto place = at->second;
  if (in.troubled[place].disabled_at != timestamp{})
    --in.disabled;
  in.places.erase(at);
  if (place + 1 != in.troubled.size()) {
    in.troubled[place] = in.troubled.back();
    in.places[in.troubled[place].id] = place;
  }
  in.troubled.pop_back();
}

void trouble_board::drop_if_fine(shard& in, webhook_id id) {
  const auto* e = find(in, id);
  if (e != nullptr && e->as == state{} && e->stuck_since == timestamp{}
      && e->slow_at == timestamp{} && !e->paused
      && e->disabled_at == timestamp{})
    erase(in, id);
}

template <class Change>
void trouble_board::count(shard& in, organizer_id owner, Change change) {
  change(in.all);
  change(in.counted[owner]);
}

void trouble_board::count_entry(shard& in, const entry& e, bool in_it) {
  count(in, e.owner, [&](tallies& c) {
    const auto move = [in_it](std::size_t& of, bool counts) {
      of += !counts ? 0 : in_it ? 1 : static_cast<std::size_t>(-1);
    };
    move(c.failing, e.as.failures != 0);
    move(c.behind, is_behind(e));
    move(c.held[std::size_t(hold_reason::pause)], e.paused);
    move(c.held[std::size_t(e.as.held_by)], e.as.held_by != hold_reason::none);
  });
}

void trouble_board::put(webhook_id id, organizer_id owner, bool enabled,
                        bool paused, timestamp now) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  if (in.registered.size() <= id / shards)
    in.registered.resize(id / shards + 1);
  auto& known = in.registered[id / shards];
  count(in, owner, [&](tallies& c) {
    c.registered += known.known ? 0 : 1;
    c.enabled += enabled ? 1 : 0;
    c.enabled -= known.enabled ? 1 : 0;
  });
  known = {.known = true, .enabled = enabled, .owner = owner};
  if (const auto* e = find(in, id)) {
    const bool was_disabled = e->disabled_at != timestamp{};
    if (!enabled && was_disabled)
      return; // which report_disabled() has told
    count_entry(in, *e, false);
    if (!enabled || was_disabled)
      erase(in, id);
  }
  if (!enabled || (!paused && find(in, id) == nullptr))
    return;
  auto& e = find_or_add(in, id, owner);
  if (paused && !e.paused)
    e.held_since = now;
  e.paused = paused;
  count_entry(in, e, true);
  drop_if_fine(in, id);
}

organizer_id trouble_board::owner_of(webhook_id id) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  return id / shards < in.registered.size() ? in.registered[id / shards].owner
                                            : 0;
}

void trouble_board::remove(webhook_id id) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  if (in.registered.size() <= id / shards)
    return;
  auto& known = in.registered[id / shards];
  count(in, known.owner, [&](tallies& c) {
    c.registered -= known.known ? 1 : 0;
    c.enabled -= known.enabled ? 1 : 0;
  });
  known = {};
  if (const auto* e = find(in, id)) {
    count_entry(in, *e, false);
    erase(in, id);
  }
}

void trouble_board::report_disabled(webhook_id id, organizer_id owner,
                                    timestamp at) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  if (const auto* e = find(in, id)) {
    count_entry(in, *e, false);
    erase(in, id);
  }
  if (in.disabled >= most_disabled / shards)
    return;
  find_or_add(in, id, owner).disabled_at = at;
  ++in.disabled;
}

void trouble_board::report(webhook_id id, organizer_id owner, const state& as,
                           timestamp now) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  if (in.registered.size() <= id / shards
      || !in.registered[id / shards].enabled)
    return; // it was disabled, and its actor has not heard of it yet
  if (as == state{} && find(in, id) == nullptr)
    return;
  auto& e = find_or_add(in, id, owner);
  if (e.disabled_at != timestamp{})
    return;
  count_entry(in, e, false);
  if (as.held_by != e.as.held_by && !e.paused)
    e.held_since = as.held_by == hold_reason::none ? timestamp{} : now;
  if (as.behind != e.as.behind)
    e.behind_since = as.behind ? now : timestamp{};
  e.as = as;
  count_entry(in, e, true);
  drop_if_fine(in, id);
}

void trouble_board::forget_failures(webhook_id id) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  auto* e = find(in, id);
  if (e == nullptr)
    return;
  count_entry(in, *e, false);
  e->as.failures = 0;
  e->as.failing_since = {};
  count_entry(in, *e, true);
  drop_if_fine(in, id);
}

void trouble_board::report_stuck(webhook_id id,
                                 std::optional<timestamp> since) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  if (in.registered.size() <= id / shards
      || !in.registered[id / shards].enabled)
    return;
  if (!since && find(in, id) == nullptr)
    return;
  auto& e = find_or_add(in, id, in.registered[id / shards].owner);
  if (e.disabled_at != timestamp{})
    return;
  count_entry(in, e, false);
  e.stuck_since = since.value_or(timestamp{});
  count_entry(in, e, true);
  drop_if_fine(in, id);
}

void trouble_board::report_slow(webhook_id id, organizer_id owner,
                                std::chrono::milliseconds took, timestamp now) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  if (in.registered.size() <= id / shards
      || !in.registered[id / shards].enabled)
    return;
  auto& e = find_or_add(in, id, owner);
  if (e.disabled_at != timestamp{})
    return;
  e.slow_at = now;
  e.slow_took = took;
}

// -- who looks ----------------------------------------------------------------

void trouble_board::add(webhook_counts& to, const tallies& from) {
  to.registered += from.registered;
  to.enabled += from.enabled;
  to.failing += from.failing;
  to.behind += from.behind;
  for (const auto why :
       {hold_reason::pause, hold_reason::order, hold_reason::breaker,
        hold_reason::retry_after, hold_reason::rate, hold_reason::outage})
    to.held[why] += from.held[std::size_t(why)];
}

bool trouble_board::is_trouble(const entry& e) {
  // Its owner wants it held to that rate.
  return e.as.held_by != hold_reason::rate || e.as.failures != 0 || is_behind(e)
      || e.slow_at != timestamp{} || e.paused;
}

bool trouble_board::counts(webhook_id id) {
  auto& in = shard_of(id);
  const std::lock_guard guard{in.mutex};
  const auto* e = find(in, id);
  return e != nullptr && is_trouble(*e);
}

trouble_board::view trouble_board::look(organizer_id owner, std::size_t most,
                                        timestamp now) {
  view out;
  std::vector<std::pair<rank, entry>> worst; // a heap, the least bad on top
  const auto worse = [](const auto& a, const auto& b) {
    return a.first < b.first;
  };
  std::vector<webhook_id> forgotten;
  for (auto& in : shards_) {
    const std::lock_guard guard{in.mutex};
    if (owner == 0)
      add(out.webhooks, in.all);
    else if (const auto found = in.counted.find(owner);
             found != in.counted.end())
      add(out.webhooks, found->second);
    forgotten.clear();
    for (auto& e : in.troubled) {
      if (e.slow_at != timestamp{} && !is_slow(e, now))
        e.slow_at = {};
      if (e.disabled_at != timestamp{}
          && now - e.disabled_at >= disabled_memory) {
        forgotten.push_back(e.id);
        continue;
      }
      const bool only_slow = e.as == state{} && !e.paused && !is_behind(e)
                          && e.disabled_at == timestamp{};
      if (only_slow && e.slow_at == timestamp{}) {
        forgotten.push_back(e.id);
        continue;
      }
      if (owner != 0 && e.owner != owner)
        continue;
      out.webhooks.slow += e.slow_at != timestamp{} ? 1 : 0;
      out.webhooks.disabled_lately += e.disabled_at != timestamp{} ? 1 : 0;
      if (!is_trouble(e))
        continue;
      ++out.troubled;
      if (most == 0)
        continue;
      const auto at = rank_of(e, now);
      if (worst.size() == most) {
        if (!(at < worst.front().first))
          continue;
        std::ranges::pop_heap(worst, worse);
        worst.pop_back();
      }
      worst.emplace_back(at, e);
      std::ranges::push_heap(worst, worse);
    }
    for (const auto id : forgotten)
      erase(in, id);
  }
  std::ranges::sort_heap(worst, worse);
  for (auto& [at, e] : worst)
    out.worst.push_back(e);
  return out;
}

} // namespace fanfare
