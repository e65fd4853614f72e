// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/outcome.hpp"

#include "protocol/target/target.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

namespace {

/// One failure long ago and one now are no "only failures" in between.
constexpr std::uint32_t failures_to_disable = 4;
/// Before an attempt is made again that something on this machine has ended, if
/// nothing says how long (`circumstances::held_until`).
constexpr std::chrono::milliseconds own_fault_pause{1'000};
/// Before a receiver is asked again that is busy, however soon it says.
constexpr std::chrono::milliseconds busy_pause{1'000};

std::string in_words(std::chrono::milliseconds d) {
  using namespace std::chrono;
  if (d % hours{1} == d.zero() && d.count() != 0)
    return std::to_string(duration_cast<hours>(d).count()) + " h";
  if (d % seconds{1} == d.zero())
    return std::to_string(duration_cast<seconds>(d).count()) + " s";
  return std::to_string(d.count()) + " ms";
}

void add_reason(std::string& reason, std::string_view more) {
  if (!reason.empty())
    reason += "; ";
  reason += more;
}

void give_up(call& entry, std::string_view why) {
  entry.retry_due = {};
  entry.result = outcome::given_up;
  add_reason(entry.reason, why);
}

/// When it was published, or unpaused if that was later.
timestamp start_of_age(timestamp published, const delivery_plan& plan) {
  return std::max(published, plan.resumed);
}

/// Gives up a retry that would come too late.
void bound_age(call& entry, const attempt& a, timestamp published,
               const circumstances& c) {
  const auto& backoff = c.plan.backoff;
  // The publish of what is sent again may be long ago.
  const bool late = a.resent ? backoff.span_after(a.number) > backoff.max_age
                             : entry.retry_due > start_of_age(published, c.plan)
                                                   + backoff.max_age;
  if (late)
    give_up(entry, "given up: the next attempt would be more than "
                     + in_words(backoff.max_age)
                     + (a.resent ? " after the first" : " after publish"));
}

/// Retries it by the schedule, or gives it up at its end.
void retry_by_schedule(call& entry, const attempt& a, timestamp published,
                       const circumstances& c) {
  const auto& backoff = c.plan.backoff;
  const auto delay = backoff.delay_after(a.number);
  if (!delay)
    return give_up(entry, "given up after " + std::to_string(a.number)
                            + (a.number == 1 ? " attempt" : " attempts"));
  auto spread = c.spread;
  entry.retry_due = std::max(c.now + backoff_policy::jittered(*delay, spread),
                             c.held_until);
  bound_age(entry, a, published, c);
}

/// Retries it without taking an attempt from the schedule.
void retry_same_number(call& entry, const attempt& a, timestamp published,
                       const circumstances& c) {
  auto spread = c.spread;
  if (c.draining && entry.shows == evidence::none) {
    entry.retry_due = c.now; // at the next start
    return;
  }
  if (entry.shows == evidence::unclear) {
    entry.retry_due = c.now;
    return bound_age(entry, a, published, c);
  }
  const auto pause = entry.shows == evidence::none ? own_fault_pause
                                                   : busy_pause;
  entry.retry_due = std::max(c.now + backoff_policy::jittered(pause, spread),
                             c.held_until);
  bound_age(entry, a, published, c);
}

evidence evidence_of(const protocol::exchange_result& exchange,
                     const verdict& how) {
  if (how.test || is_own_fault(exchange))
    return evidence::none;
  if (how.halved || how.refused)
    return evidence::unclear;
  return how.busy ? evidence::busy : evidence::ordinary;
}

} // namespace

bool is_own_fault(const protocol::exchange_result& exchange) {
  return exchange.status == 0 && exchange.whose != protocol::fault::receiver;
}

bool is_final(const attempt_result& r, const delivery_plan& plan) {
  const auto status = r.exchange.status;
  return std::ranges::binary_search(plan.final_statuses, status)
      && !is_success(status) && status != 410 && r.to && plan.calls(*r.to);
}

verdict judge(const attempt_result& r, bool test, const delivery_plan& plan) {
  verdict how{.test = test,
              .current = r.to ? plan.calls(*r.to) : plan.to == nullptr};
  if (test || !how.current)
    return how;
  how.refused = is_final(r, plan);
  how.halved = r.members.size() > 1
            && (how.refused || refuses_content(r.exchange.status));
  return how;
}

logged_call describe(attempt_result& r, const webhook_record& hook,
                     const verdict& how) {
  logged_call entry;
  static_cast<call&>(entry) = {
    .hook = hook.id,
    .time = r.started,
    .result = how.refused && !how.halved ? outcome::given_up
                                         : outcome::delivered,
    .attempt = r.attempt,
    .repeated = r.exchange.repeated,
    .shows = evidence_of(r.exchange, how),
    .status = r.exchange.status,
    .timings = r.exchange.timings,
    .target_url = r.to ? r.to->masked_url()
                       : protocol::mask_url(hook.target_url),
    .reason = std::move(r.exchange.reason),
    .response_head = std::move(r.exchange.response_head),
    .response_body = std::move(r.exchange.response_body)};
  entry.uncounted = !how.current;
  const auto status = entry.status;
  if (status != 0 && (!is_success(status) || !entry.reason.empty())) {
    auto answer = "answered " + std::to_string(status);
    if (status >= 300 && status <= 399)
      answer += ", redirects are not followed";
    if (!entry.reason.empty())
      answer += "; " + entry.reason;
    entry.reason = std::move(answer);
  }
  return entry;
}

std::string_view reason_to_disable(const attempt_result& r, const attempt& a,
                                   const circumstances& c) {
  if (is_success(r.exchange.status) || a.test
      || a.last_because != ended_by::nothing || c.disabling
      || !c.hook.current().enabled || !r.to || !c.plan.calls(*r.to))
    return {};
  if (r.exchange.status == 410)
    return "gone: the webhook is disabled and its retries end";
  if (is_final(r, c.plan))
    return {};
  const auto failing_since = std::max(
    c.progress.failing_since + c.progress.excused, c.plan.resumed);
  if (c.disable_after.count() == 0 || is_own_fault(r.exchange)
      || c.progress.failures < failures_to_disable
      || r.started - failing_since < c.disable_after)
    return {};
  return "the webhook is disabled and its retries end: it has only failed for "
         "days";
}

void settle(call& entry, const attempt& a, timestamp published,
            std::string_view disabling, const circumstances& c) {
  entry.subject = a.subject;
  entry.attempt = a.number;
  entry.resent = a.resent;
  entry.by_replay = a.by_replay;
  entry.thin = a.thin;
  if (is_success(entry.status)) {
    entry.result = outcome::delivered;
    return;
  }
  if (!disabling.empty()) {
    entry.result = outcome::gone;
    entry.retry_due = c.now;
    return add_reason(entry.reason, disabling);
  }
  if (a.test)
    return give_up(entry, "given up: a test is not tried again");
  if (a.last_because != ended_by::nothing)
    return give_up(entry, sentence(a.last_because));
  if (!c.hook.current().enabled)
    return give_up(entry, sentence(ended_by::disabling));
  if (entry.result == outcome::given_up)
    return give_up(entry, "final by its settings");
  entry.result = outcome::retried;
  if (entry.shows == evidence::unclear)
    add_reason(entry.reason, "sent again in smaller batches");
  if (entry.shows == evidence::none || entry.shows == evidence::unclear
      || (entry.shows == evidence::busy && !a.resent))
    retry_same_number(entry, a, published, c);
  else
    retry_by_schedule(entry, a, published, c);
}

timestamp missed_since(const call& last, timestamp published,
                       const circumstances& c) {
  // What it missed was still worth a retry when it began to fail.
  const auto failing = c.progress.failures != 0 ? c.progress.failing_since
                                                : last.time;
  return std::min(failing, published) - c.plan.backoff.max_age;
}

bool is_too_old(const attempt& a, timestamp published,
                const delivery_plan& plan, timestamp now) {
  return !a.resent
      && now > start_of_age(published, plan) + plan.backoff.max_age;
}

std::string too_old(const delivery_plan& plan) {
  return "given up: more than " + in_words(plan.backoff.max_age)
       + " since publish";
}

logged_call unsent(const attempt& a, const webhook_record& hook,
                   position settled_upto, timestamp now, std::string reason) {
  return {{.hook = hook.id,
           .subject = a.subject,
           .settled_upto = settled_upto,
           .time = now,
           .result = outcome::given_up,
           .attempt = a.number,
           .resent = a.resent,
           .by_replay = a.by_replay,
           .unsent = true,
           .target_url = protocol::mask_url(hook.target_url),
           .reason = std::move(reason)}};
}

} // namespace fanfare
