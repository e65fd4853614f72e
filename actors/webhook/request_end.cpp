// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/request_end.hpp"

#include "actors/webhook/store_requests.hpp"
#include "protocol/target/target.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace fanfare {

void request_end::settle(attempt_result& r) {
  attempt_log log{at_};
  const auto& plan = at_.registered.plan();
  const bool test = r.members.empty() && log.attempt_of(*r.what, r).test;
  pace_.find_fault(r.exchange, r.to ? std::string_view{r.to->host()} : "",
                   at_.now, test, at_.context->shared.outage);
  auto how = judge(r, test, plan);
  const auto* tracing = at_.context->shared.tracing;
  auto traced = tracing != nullptr
                ? tracing->span_of(r, *at_.registered.record())
                : std::nullopt;
  timestamp held_until{};
  if (how.current && !how.test)
    held_until = learn(r, how);
  else
    pace_.pace().withdrawn(r.started);
  how.busy = held_until != timestamp{};
  auto entry = describe(r, *at_.registered.record(), how);
  entry.held_until = held_until;
  const auto came_of_it = log.end_request(r, std::move(entry));
  if (traced)
    tracing->end(std::move(*traced), came_of_it);
}

timestamp request_end::learn(const attempt_result& r, const verdict& how) {
  if (!r.members.empty() && r.exchange.status != 0)
    at_.halves.answered(r.members, how.halved || refuses_one(r, how));
  const auto lesson = pace_.learn(at_.queue.hook(), r.exchange, r.started,
                                  at_.now, how.halved || how.refused,
                                  at_.context->shared.outage);
  const auto& hook = *at_.registered.record();
  const auto& clock = *at_.context->clock;
  if (lesson.recovered)
    at_.context->notify(
      hook,
      at_.notices.recovered(at_.queue.progress().failing_since, clock.now()));
  release(lesson.others);
  if (const auto expires = r.exchange.certificate_expires)
    at_.context->notify(hook, owner_notices::certificate_seen(
                                *at_.context->shared.seen_certificates, hook,
                                *expires, clock.now()));
  return lesson.held_until;
}

void request_end::release(const shared_hold::released& others) {
  for (const auto told : others.told)
    amend(*at_.context->commits, {.hook = told, .lift_hold = true});
  at_.context->lift_hold_of(others.told);
  at_.context->lift_hold_of(others.waiting);
}

} // namespace fanfare
