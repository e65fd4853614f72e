// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/replay_plan.hpp"

#include <utility>

namespace fanfare {

namespace {

/// Notifications that a preview names.
constexpr std::size_t preview_size = 10;

result<void> check(const replay_request& asked) {
  if (asked.since >= asked.until)
    return error{ec::invalid_argument, "Must be later than since.", "until"};
  if (asked.rate != 0
      && !(asked.rate >= replay_request::least_rate
           && asked.rate <= replay_request::most_rate))
    return error{ec::invalid_argument,
                 "Must be a number of notifications per second from 0.001 to "
                 "10000, or 0 for as quickly as possible.",
                 "rate"};
  return {};
}

} // namespace

result<replay_plan> plan_replay(const storage::store& store,
                                webhook_record hook,
                                const replay_request& asked, timestamp now) {
  if (auto valid = check(asked); !valid)
    return valid.error();
  replay value;
  value.asked = asked;
  value.upto = store.journal().tail();
  value.selecting = hook.current();
  value.selecting.enabled = true; // whether it may begin is another question
  value.started = now;
  auto chosen = store.deliveries().select(hook, value);
  if (!chosen)
    return chosen.error();
  value.count = chosen->count;
  value.skipped = chosen->skipped;
  return replay_plan{
    std::move(hook), std::move(value),
    std::make_shared<const storage::selection>(std::move(*chosen))};
}

replay_preview preview(const replay_plan& plan) {
  replay_preview out{.asked = plan.value.asked,
                     .count = plan.chosen->count,
                     .skipped = plan.chosen->skipped,
                     .first = {}};
  const auto& chosen = plan.chosen->chosen;
  for (auto p = chosen.next_after(0); p && out.first.size() < preview_size;
       p = chosen.next_after(*p))
    out.first.push_back(*p);
  return out;
}

} // namespace fanfare
