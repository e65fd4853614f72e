// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/attempt_log.hpp"

#include "actors/webhook/store_requests.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace fanfare {

attempt attempt_log::attempt_of(const notification& what,
                                const attempt_result& r) const {
  const auto* a = at_.queue.in_flight(what.id);
  return a != nullptr ? *a : attempt{.subject = what.id, .number = r.attempt};
}

circumstances attempt_log::known() const {
  return {.hook = *at_.registered.record(),
          .plan = at_.registered.plan(),
          .progress = at_.queue.progress(),
          .now = at_.now,
          .held_until = at_.pace.pace().quiet_until(),
          .disable_after = at_.registered.plan().disable_after,
          .disabling = at_.registered.disabling(),
          .draining = at_.context->is_draining(),
          .spread = at_.spread};
}

outcome attempt_log::end_request(const attempt_result& r, logged_call&& entry) {
  if (!r.members.empty())
    return end_batch(r, std::move(entry));
  const auto a = attempt_of(*r.what, r);
  const auto disabling = reason_to_disable(r, a, known());
  return end(*r.what, a, std::move(entry), disabling, true);
}

outcome attempt_log::end_batch(const attempt_result& r, logged_call&& entry) {
  // All are judged by what was known before any of them is logged.
  std::vector<std::pair<attempt, std::string_view>> all;
  all.reserve(r.members.size());
  std::size_t last_disabling = 0;
  for (const auto& member : r.members) {
    const auto a = attempt_of(*member, r);
    const auto disabling = reason_to_disable(r, a, known());
    if (!disabling.empty())
      last_disabling = all.size();
    all.emplace_back(a, disabling);
  }
  auto worst = outcome::delivered;
  for (std::size_t i = 0; i < all.size(); ++i) {
    worst = std::max(worst, end(*r.members[i], all[i].first, logged_call{entry},
                                all[i].second, i == last_disabling));
    entry.uncounted = true; // it was one request
  }
  return worst;
}

outcome attempt_log::end(const notification& what, const attempt& a,
                         logged_call&& entry, std::string_view disabling,
                         bool last) {
  at_.queue.end(a.subject);
  entry.settled_upto = at_.queue.floor();
  at_.orders.note_attempt(a);
  settle(entry, a, what.published, disabling, known());
  if (entry.result != outcome::delivered && !a.test)
    at_.report.note_failure(entry);
  if (entry.result != outcome::retried)
    at_.halves.forget(a.subject);
  const auto ended = entry.result;
  if (ended == outcome::gone && last) {
    end_and_disable(std::move(entry), what, disabling);
    return ended;
  }
  if (entry.result == outcome::given_up && !a.test)
    at_.notices.note_given_up(what.id, what.action);
  at_.queue.apply(entry);
  const bool first = !a.failed_before() && !a.resent && !a.test;
  append(*at_.context->commits, std::move(entry),
         first ? what.published : timestamp{},
         a.test ? at_.orders.end_test(what.id) : reply<call>{});
  return ended;
}

void attempt_log::end_unsent(const attempt& a, std::string reason) {
  at_.orders.note_attempt(a);
  at_.halves.forget(a.subject);
  logged_call entry{unsent(a, *at_.registered.record(), at_.queue.floor(),
                           at_.context->clock->now(), std::move(reason))};
  at_.queue.apply(entry);
  append(*at_.context->commits, std::move(entry));
}

void attempt_log::end_and_disable(logged_call&& last, const notification& what,
                                  std::string_view why) {
  const auto since = missed_since(last, what.published, known());
  at_.registered.set_disabling(true);
  at_.queue.apply(last);
  auto told = tell_of_disabling(
    at_.context, owner_notices::disabled(last, what.action, why, since),
    owner_notices::disabled_sentence(last, what.action, since));
  append_and_disable(*at_.context->commits, std::move(last),
                     at_.registered.record()->target_url,
                     at_.context->clock->now(), std::move(told));
}

} // namespace fanfare
