// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/throttle.hpp"

#include "actors/webhook/outcome.hpp"
#include "protocol/client/retry_after.hpp"

namespace fanfare {

namespace {

std::chrono::milliseconds in_ms(std::chrono::microseconds took) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(took);
}

} // namespace

bool throttle::allow(webhook_id hook, admission& gate,
                     admission::permit& permit, const delivery_plan& plan,
                     timestamp published, timestamp now, bool its_turn) {
  take_lift();
  // A slot is taken by those only that can use it.
  if (const auto verdict = pace_.ask(now, requests_, plan.resumes(published));
      !verdict) {
    held_by_ = verdict.why;
    if (verdict.why != hold_reason::concurrency)
      held_until_ = verdict.until;
    return false;
  }
  return pass_shared_hold(hook, now) && admit(gate, permit, plan, its_turn);
}

bool throttle::pass_shared_hold(webhook_id hook, timestamp now) {
  if (!shared_ || !shared_->active()) {
    slot_.reset();
    return true;
  }
  if (!slot_ || !shared_->is_current(*slot_)
      || (!slot_->ready && now >= slot_->at))
    slot_ = shared_->ask(hook, now, slot_);
  if (slot_->ready)
    return true;
  held_by_ = hold_reason::retry_after;
  held_until_ = slot_->at;
  return false;
}

bool throttle::admit(admission& gate, admission::permit& permit,
                     const delivery_plan& plan, bool its_turn) {
  if (!plan.to)
    return true;
  permit = gate.acquire(ticket_, requests_, its_turn);
  for_turn_ = !permit;
  return !for_turn_;
}

void throttle::find_fault(protocol::exchange_result& of, std::string_view host,
                          timestamp now, bool test, local_outage* outage) {
  using protocol::fault;
  if (of.status != 0)
    return;
  if (of.whose == fault::domain)
    of.whose = !test && outage != nullptr
                && outage->shares_failing_names(host, now)
               ? fault::network
               : fault::receiver;
  if (of.whose != fault::network)
    return;
  const bool is_ours = outage == nullptr || excused_ == timestamp{}
                    || !outage->reached_since(excused_);
  of.whose = is_ours ? fault::here : fault::receiver;
  if (!test)
    excused_ = now;
}

throttle::lesson throttle::learn(webhook_id hook,
                                 const protocol::exchange_result& from,
                                 timestamp started, timestamp now, bool refused,
                                 local_outage* outage) {
  if (from.repeated)
    pace_.repeated(now);
  const auto& part = from.timings;
  if (from.status != 0) {
    pace_.end_stall();
    excused_ = {};
    if (outage != nullptr)
      outage->note_reached(started + in_ms(part.total));
  }
  pace::ending how{.status = from.status,
                   .started = started,
                   .took = part.total,
                   .answer = part.total - part.dns - part.connect - part.tls,
                   .retry_after = {}};
  const bool shares = shared_ && shared_->active();
  if (is_success(from.status)) {
    lesson learned{.recovered = pace_.succeeded(how)};
    const auto at = started + in_ms(how.took);
    const bool was_told = told_when_ && pace_.held_until() <= now;
    if (was_told)
      told_when_.reset();
    if (shares || was_told || std::exchange(refused_alone_, false))
      learned.others = shared_->note_success(hook, started, at);
    else if (shared_)
      shared_->note_taken(at);
    return learned;
  }
  if (is_own_fault(from)) {
    pace_.withdrawn(started);
    if (shares)
      shared_->note_failure(hook, now);
    const bool lacks = from.whose == protocol::fault::engine;
    if (lacks || from.whose == protocol::fault::here) {
      // Only an edit or another start of the engine brings what it lacks.
      pace_.stall(now, std::chrono::minutes{lacks ? 15 : 1});
      if (outage != nullptr)
        outages_ = outage->ended();
      if (outage != nullptr && !lacks)
        outage->note_fault(from.reason);
    }
    return {};
  }
  if (!from.retry_after.empty())
    how.retry_after = protocol::read_retry_after(from.retry_after, now);
  if (refused)
    pace_.refused(now, how);
  else
    pace_.failed(now, how);
  const auto until = pace_.hold_of(now, how);
  if (until && shared_) {
    told_when_ = shared_->note_busy(hook, started, now, *until);
    refused_alone_ = !told_when_;
  } else if (shares) {
    shared_->note_failure(hook, now);
  }
  return {.held_until = until.value_or(timestamp{})};
}

std::size_t throttle::close(admission& gate) {
  if (ticket_) {
    ticket_->who = nullptr;
    gate.pass(ticket_);
  }
  return std::exchange(requests_, 0);
}

std::optional<timestamp> throttle::rate_hold(timestamp now) const {
  auto asked = pace_; // which moves on by being asked
  const auto verdict = asked.ask(now, 0, false);
  return verdict.why == hold_reason::rate ? std::optional{verdict.until}
                                          : std::nullopt;
}

void throttle::describe(delivery_state& into, timestamp now) const {
  into.in_flight = requests_;
  into.concurrency = pace_.concurrency();
  into.breaker = pace_.breaker();
  if (into.breaker == delivery_state::breaker_state::open)
    into.breaker_until = pace_.open_until();
  into.held_by = held_by_;
  into.held_until = held_until_;
  if (held_by_ != hold_reason::none)
    return;
  // Nothing was held back, because there was nothing to send; what comes will
  // be.
  if (into.breaker_until && *into.breaker_until > now) {
    into.held_by = hold_reason::breaker;
    into.held_until = into.breaker_until;
  } else if (pace_.held_until() > now) {
    into.held_by = hold_reason::retry_after;
    into.held_until = pace_.held_until();
  } else if (const auto shared = shared_ ? shared_->held_until(now)
                                         : std::nullopt) {
    into.held_by = hold_reason::retry_after;
    into.held_until = shared;
  } else if (pace_.stalled_until() > now) {
    into.held_by = hold_reason::outage;
    into.held_until = pace_.stalled_until();
  } else if (const auto rate = rate_hold(now)) {
    into.held_by = hold_reason::rate;
    into.held_until = rate;
  } else if (for_turn_) {
    into.held_by = hold_reason::concurrency;
  }
}

} // namespace fanfare
