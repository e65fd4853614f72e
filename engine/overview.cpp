// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/overview.hpp"

#include "protocol/target/target.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

namespace {

using trouble = troubled_webhook::trouble;

/// Each of them costs some reads and a question.
constexpr std::size_t most_shown = 100;
/// Calls among which the last error is looked for.
constexpr std::size_t newest_calls = 5;
/// Notifications among which the oldest that waits is looked for.
constexpr std::size_t oldest_scan = 1'000;

troubled_webhook troubled_of(const trouble_board::entry& e) {
  troubled_webhook out{.id = e.id,
                       .owner = e.owner,
                       .organizer = {},
                       .target_url = {},
                       .what = trouble_board::worst_of(e),
                       .since = trouble_board::since(e),
                       .failures = e.as.failures,
                       .held_by = e.paused ? hold_reason::pause : e.as.held_by};
  if (!e.paused && e.as.held_until != timestamp{})
    out.held_until = e.as.held_until;
  if (e.slow_at != timestamp{})
    out.slow = e.slow_took;
  return out;
}

} // namespace

engine_status overview::look(organizer_id owner, std::size_t most) const {
  engine_status out;
  out.at = parts_.clock.now();
  most = std::min(most, most_shown);
  auto found = parts_.watch.troubles.look(owner, most, out.at);
  out.webhooks = std::move(found.webhooks);
  out.troubled = found.troubled;
  for (const auto& e : found.worst)
    out.worst.push_back(troubled_of(e));
  add_certificates(out, owner, most);
  std::erase_if(out.worst, [this](auto& one) { return !describe(one); });
  ask_actors(out.worst);
  add_engine(out);
  return out;
}

void overview::add_certificates(engine_status& to, organizer_id owner,
                                std::size_t most) const {
  const auto soon = parts_.actors.seen_certificates().expiring(owner, to.at);
  to.webhooks.certificates_expiring = soon.size();
  for (const auto& one : soon) {
    const auto known = std::ranges::find(to.worst, one.hook,
                                         &troubled_webhook::id);
    if (known != to.worst.end()) {
      known->certificate_expires = one.expires;
      continue;
    }
    // Of a list that is full it may be left out, and counted already.
    if (parts_.watch.troubles.counts(one.hook))
      continue;
    ++to.troubled;
    if (to.worst.size() >= most)
      continue;
    to.worst.push_back({.id = one.hook,
                        .owner = one.owner,
                        .organizer = {},
                        .target_url = {},
                        .what = trouble::certificate,
                        .certificate_expires = one.expires});
  }
}

bool overview::describe(troubled_webhook& one) const {
  const auto hook = parts_.store.registry().find_webhook(one.id);
  if (!hook || hook->current().enabled != (one.what != trouble::disabled))
    return false;
  one.organizer = parts_.names.find_slug(one.owner);
  one.name = hook->delivery.name;
  one.target_url = protocol::mask_url(hook->target_url);
  if (auto calls = parts_.store.call_log().newest(one.id, 0, newest_calls))
    for (auto& c : *calls)
      if (c.result != outcome::delivered) {
        one.last_error = std::move(c);
        break;
      }
  return true;
}

position overview::oldest_backlog(webhook_id hook) const {
  const auto record = parts_.store.registry().find_webhook(hook);
  if (!record)
    return 0;
  const auto found = parts_.store.deliveries().count_backlog(*record,
                                                             oldest_scan);
  return found ? found->first : 0;
}

void overview::ask_actors(std::vector<troubled_webhook>& of) const {
  std::vector<webhook_id> asked;
  for (const auto& one : of)
    if (one.what != trouble::disabled && one.what != trouble::certificate)
      asked.push_back(one.id);
  const auto states = parts_.asks.glance(asked);
  std::size_t next = 0;
  for (auto& one : of) {
    if (next < asked.size() && asked[next] == one.id)
      if (const auto& state = states[next++]) {
        if (state->held_by != hold_reason::none) {
          one.held_by = state->held_by;
          one.held_until = state->held_until;
        }
        if (!one.certificate_expires)
          one.certificate_expires = state->certificate_expires;
        // What it has not read yet is younger, unless it has read nothing.
        const auto oldest = state->oldest_waiting ? *state->oldest_waiting
                                                  : oldest_backlog(one.id);
        if (const auto what = parts_.store.journal().find(oldest))
          one.oldest_waiting = {.subject = oldest,
                                .published = (*what)->published};
      }
  }
}

void overview::add_engine(engine_status& to) const {
  const auto stored = parts_.store.statistics();
  const auto& figures = parts_.actors.figures();
  const position routed = figures.routed_upto;
  to.started = started_;
  to.ready = parts_.state.ready();
  to.queue = {.in_flight = figures.in_flight,
              .active_webhooks = figures.active_webhooks,
              .waiting_webhooks = figures.waiting.webhooks,
              .unrouted = stored.tail - std::min(stored.tail, routed)};
  to.commits = {.last = parts_.commits.last(),
                .longest = parts_.commits.longest()};
  to.disk = {.store_bytes = stored.bytes_used, .store_most = stored.bytes_max};
  if (const auto room = parts_.disk.free_room()) {
    to.disk.free = room->free;
    to.disk.size = room->size;
  }
  to.retention.period = parts_.actors.kept().period;
  if (stored.first != 0)
    if (const auto oldest = parts_.store.journal().find(stored.first))
      to.retention.oldest = (*oldest)->published;
}

} // namespace fanfare
