// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/inspection.hpp"

#include "engine/call_counts.hpp"
#include "engine/explanation.hpp"
#include "engine/replay_plan.hpp"
#include "engine/webhook_health.hpp"
#include "engine/webhook_lookup.hpp"
#include "model/payload_filter.hpp"
#include "model/subscription.hpp"

#include <optional>
#include <utility>

namespace fanfare {

namespace {

/// Notifications that a filter is tried on, and how far they are looked for.
constexpr std::size_t preview_notifications = 100;
constexpr std::size_t preview_scan = 100'000;

} // namespace

result<notification_ptr> inspection::find_notification(organizer_id owner,
                                                       position id) const {
  auto found = parts_.store.journal().find(id);
  if (found && (*found)->owner != owner)
    return error{ec::not_found, "No notification matches the given query."};
  return found;
}

result<std::vector<call>> inspection::calls(organizer_id owner, webhook_id hook,
                                            const call_query& which) const {
  if (auto own = find_record(parts_.store, owner, hook); !own)
    return own.error();
  return parts_.store.call_log().newest(hook, which.before, which.limit);
}

result<call> inspection::find_call(organizer_id owner, webhook_id hook,
                                   call_id id) const {
  if (auto own = find_record(parts_.store, owner, hook); !own)
    return own.error();
  return parts_.store.call_log().find(hook, id);
}

result<std::vector<retry>> inspection::retries(organizer_id owner,
                                               webhook_id hook) const {
  if (auto own = find_record(parts_.store, owner, hook); !own)
    return own.error();
  return parts_.store.deliveries().retries(hook);
}

result<webhook_health> inspection::health(organizer_id owner,
                                          webhook_id hook) const {
  const auto found = find_record(parts_.store, owner, hook);
  if (!found)
    return found.error();
  return measure_health(parts_.store, *found, parts_.clock.now());
}

result<call_statistics>
inspection::call_counts(organizer_id owner, webhook_id hook,
                        const statistics_query& which) const {
  if (hook == 0 && parts_.names.find_slug(owner).empty())
    return error{ec::not_found, "There is no such organizer.", "organizer"};
  if (hook != 0)
    if (auto own = find_record(parts_.store, owner, hook); !own)
      return own.error();
  return count_calls(parts_.store.call_log(), owner, hook, which,
                     parts_.clock.now());
}

engine_statistics inspection::statistics() const {
  const auto stored = parts_.store.statistics();
  const auto& now = parts_.actors.figures();
  return {.registered_webhooks = now.registered_webhooks,
          .active_webhooks = now.active_webhooks,
          .in_flight = now.in_flight,
          .tail = stored.tail,
          .routed_upto = now.routed_upto,
          .last_call = stored.last_call,
          .calls_replayed = parts_.store.recovered().calls_replayed,
          .store_bytes = stored.bytes_used};
}

// -- explanations -------------------------------------------------------------

result<std::vector<explanation>>
inspection::explain(const notification& what, const explanation_query& which) {
  const auto hooks = parts_.store.registry().webhooks(
    what.owner, std::nullopt, which.offset, which.limit);
  if (!hooks)
    return hooks.error();
  return explain(*hooks, what);
}

result<explanation> inspection::explain(const notification& what,
                                        webhook_id hook) {
  const auto found = find_record(parts_.store, what.owner, hook);
  if (!found)
    return found.error();
  auto all = explain(std::vector{*found}, what);
  if (!all)
    return all.error();
  return std::move(all->front());
}

result<std::vector<explanation>>
inspection::explain(const std::vector<webhook_record>& hooks,
                    const notification& what) {
  std::vector<explanation> all;
  std::vector<std::size_t> waiting; // of `all`
  std::vector<webhook_id> asked;
  for (const auto& hook : hooks) {
    auto one = fanfare::explain(parts_.store, hook, what);
    if (!one)
      return one.error();
    one->hook = form_.show(hook);
    if (one->state == explanation::fate::waiting
        || one->state == explanation::fate::retrying) {
      waiting.push_back(all.size());
      asked.push_back(hook.id);
    }
    all.push_back(std::move(*one));
  }
  // All at once: what they say is of help, and not worth a wait for each.
  const auto states = parts_.asks.glance(asked);
  for (std::size_t i = 0; i < states.size(); ++i)
    if (const auto& now = states[i]) {
      all[waiting[i]].held_by = now->held_by;
      all[waiting[i]].held_until = now->held_until;
    }
  return all;
}

// -- previews -----------------------------------------------------------------

result<filter_preview>
inspection::preview_filter(organizer_id owner, webhook_id hook,
                           std::string_view filter) const {
  const auto found = find_record(parts_.store, owner, hook);
  if (!found)
    return found.error();
  filter_ref condition;
  if (!filter.empty()) {
    auto compiled = payload_filter::parse(filter);
    if (!compiled)
      return compiled.error();
    condition.value = std::move(*compiled);
  }
  auto sub = found->current();
  sub.enabled = true; // whether it gets them is another question
  sub.filter = std::move(condition);
  auto newest = parts_.store.journal().newest_matches(
    owner, sub, preview_notifications, preview_scan);
  if (!newest)
    return newest.error();
  filter_preview out{.looked_at = newest->size(), .passed = {}};
  for (auto& n : *newest)
    if (passes(sub, *n))
      out.passed.push_back(std::move(n));
  return out;
}

result<replay_preview>
inspection::preview_replay(organizer_id owner, webhook_id hook,
                           const replay_request& asked) const {
  auto found = find_record(parts_.store, owner, hook);
  if (!found)
    return found.error();
  const auto plan = plan_replay(parts_.store, std::move(*found), asked,
                                parts_.clock.now());
  return plan ? result<replay_preview>{preview(*plan)} : plan.error();
}

} // namespace fanfare
