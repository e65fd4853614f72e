// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/state_report.hpp"

#include "actors/watch.hpp"
#include "protocol/payload/json_text.hpp"

#include <string>
#include <utility>

namespace fanfare {

namespace {

using breaker_state = pace::breaker_state;

/// A receiver that fails every other time is told of only so often.
constexpr std::chrono::minutes shortest_report_interval{1};

/// What holds it, if that is a trouble of its own: a batch that fills up and
/// the limit of concurrency are none, and a pause is in the registry.
hold_reason reported(hold_reason why) {
  switch (why) {
    case hold_reason::order:
    case hold_reason::breaker:
    case hold_reason::retry_after:
    case hold_reason::rate:
    case hold_reason::outage: return why;
    case hold_reason::none:
    case hold_reason::pause:
    case hold_reason::batch:
    case hold_reason::concurrency: break;
  }
  return hold_reason::none;
}

std::string roughly(std::chrono::milliseconds d) {
  using namespace std::chrono;
  if (d >= 2h)
    return std::to_string(duration_cast<hours>(d).count()) + " h";
  if (d >= 2min)
    return std::to_string(duration_cast<minutes>(d).count()) + " min";
  return std::to_string(duration_cast<seconds>(d).count()) + " s";
}

std::string times(std::uint32_t count) {
  return std::to_string(count) + (count == 1 ? " failure" : " failures");
}

} // namespace

void state_report::note_answer(const webhook_context& in,
                               const webhook_record& hook,
                               std::chrono::microseconds took) {
  if (took < trouble_board::slow || in.shared.watch == nullptr)
    return;
  in.shared.watch->troubles.report_slow(
    hook.id, hook.owner,
    std::chrono::duration_cast<std::chrono::milliseconds>(took),
    in.clock->now());
}

trouble_board::state state_report::state_of(const site& at) const {
  const auto& progress = at.progress;
  const auto& pace = at.throttle.pace();
  trouble_board::state out{.failures = progress.failures, .behind = at.behind};
  if (progress.failures != 0)
    out.failing_since = progress.failing_since;
  out.held_by = reported(at.throttle.held_by());
  // A rate lets one attempt go and holds the next: as long as others wait that
  // is one hold, and no change with each call.
  if (at.throttle.held_by() == hold_reason::none && at.waits
      && told_.held_by == hold_reason::rate)
    out.held_by = hold_reason::rate;
  if (out.held_by != hold_reason::none) {
    // That of a rate is another one after each call.
    if (out.held_by != hold_reason::rate && at.throttle.held_until())
      out.held_until = *at.throttle.held_until();
    return out;
  }
  // Nothing was held back, because there was nothing to send.
  if (pace.held_until() > at.now) {
    out.held_by = hold_reason::retry_after;
    out.held_until = pace.held_until();
  } else if (pace.breaker() == breaker_state::open
             && pace.open_until() > at.now) {
    out.held_by = hold_reason::breaker;
    out.held_until = pace.open_until();
  } else if (pace.stalled_until() > at.now) {
    out.held_by = hold_reason::outage;
    out.held_until = pace.stalled_until();
  }
  return out;
}

void state_report::look(const site& at) {
  auto* const watch = at.context.shared.watch;
  if (watch == nullptr)
    return;
  const auto breaker = at.throttle.pace().breaker();
  auto state = state_of(at);
  if (state == told_ && breaker == breaker_ && begun_)
    return;
  if (begun_) {
    tell_of_failing(at, state);
    tell_of_breaker(at);
    tell_of_hold(at, state);
  }
  const bool changed = state != told_ || !begun_;
  begun_ = true;
  breaker_ = breaker;
  if (changed)
    watch->troubles.report(at.hook.id, at.hook.owner, state, at.now);
  told_ = state;
}

void state_report::tell(const site& at, event_kind kind,
                        webhook_change::kind what, std::string_view sentence) {
  auto& watch = *at.context.shared.watch;
  watch.events.say(kind, log_level::info, at.hook, sentence);
  watch.changes.note(what, at.hook, sentence, at.now);
}

void state_report::tell_of_failing(const site& at,
                                   const trouble_board::state& state) {
  using change = webhook_change::kind;
  if (told_.failures == 0 && state.failures != 0) {
    const bool is_new = at.now - said_at_ >= shortest_report_interval
                     || at.now < said_at_;
    said_failing_ = is_new;
    if (!is_new)
      return;
    said_at_ = at.now;
    tell(at, event_kind::failing, change::failing,
         "begins to fail" + (reason_.empty() ? "" : ": " + reason_));
  } else if (told_.failures != 0 && state.failures == 0
             && std::exchange(said_failing_, false)
             && at.hook.current().enabled) {
    tell(at, event_kind::failing, change::healthy,
         "does not fail any more, after " + times(told_.failures) + " in "
           + roughly(at.now - told_.failing_since));
  }
}

void state_report::tell_of_breaker(const site& at) {
  using change = webhook_change::kind;
  const auto& pace = at.throttle.pace();
  if (breaker_ == breaker_state::closed
      && pace.breaker() == breaker_state::open) {
    said_failing_ = true;
    tell(at, event_kind::breaker, change::breaker_opened,
         "has failed " + std::to_string(pace.failures())
           + " times in a row: the circuit breaker opens, and lets one "
             "attempt go now and then");
  } else if (breaker_ != breaker_state::closed
             && pace.breaker() == breaker_state::closed
             && at.hook.current().enabled) {
    tell(at, event_kind::breaker, change::breaker_closed,
         "is called again: the circuit breaker is closed");
  }
}

void state_report::tell_of_hold(const site& at,
                                const trouble_board::state& state) const {
  if (state.held_by != hold_reason::retry_after
      || told_.held_by == hold_reason::retry_after)
    return;
  tell(at, event_kind::hold, webhook_change::kind::held,
       "is held until " + protocol::to_iso8601(state.held_until)
         + ", as its receiver asks (Retry-After); fanfare retries expedite "
         + std::to_string(at.hook.id) + " ends that");
}

} // namespace fanfare
