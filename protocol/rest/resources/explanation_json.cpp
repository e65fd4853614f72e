// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/explanation_json.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/iso8601.hpp"
#include "protocol/rest/resources/advice.hpp"
#include "protocol/rest/resources/call_json.hpp"
#include "protocol/rest/resources/health.hpp"
#include "protocol/target/target.hpp"

#include <boost/json/array.hpp>

#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

namespace {

using rule = explanation::rule;
using fate = explanation::fate;

std::string_view name_of(rule failed) {
  switch (failed) {
    case rule::none: return {};
    case rule::created_later: return "created_later";
    case rule::disabled: return "disabled";
    case rule::action_type: return "action_type";
    case rule::event: return "event";
    case rule::filter: return "filter";
  }
  return {};
}

std::string_view name_of(fate state) {
  switch (state) {
    case fate::not_matched: return "not_matched";
    case fate::waiting: return "waiting";
    case fate::retrying: return "retrying";
    case fate::delivered: return "delivered";
    case fate::given_up: return "given_up";
    case fate::ended: return "ended";
  }
  return {};
}

std::string why_matched(rule failed) {
  switch (failed) {
    case rule::none: return "It was subscribed to this.";
    case rule::created_later: return "It was created after this was published.";
    case rule::disabled: return "It was disabled when this was published.";
    case rule::action_type:
      return "It was not subscribed to this action type when this was "
             "published.";
    case rule::event:
      return "It was limited to other events when this was published.";
    case rule::filter:
      return "Its filter did not let this pass when this was published.";
  }
  return {};
}

/// What it waits for, as the end of a sentence.
std::string_view why_held(hold_reason by) {
  switch (by) {
    case hold_reason::pause: return "until its owner resumes the webhook.";
    case hold_reason::order:
      return "until one that failed before it is delivered or given up.";
    case hold_reason::breaker:
      return "until the circuit breaker lets one probe: its receiver has "
             "failed too often in a row.";
    case hold_reason::retry_after:
      return "until the time for which its receiver has asked to wait.";
    case hold_reason::rate: return "until its rate limit lets another go.";
    case hold_reason::batch: return "until its batch is full or old enough.";
    case hold_reason::outage:
      return "until this server reaches others again, or has what its calls "
             "need.";
    case hold_reason::none:
    case hold_reason::concurrency: break;
  }
  return "for its turn, or is in flight.";
}

std::string what_became(const explanation& e, bool is_due) {
  switch (e.state) {
    case fate::not_matched: return "Nothing was sent.";
    case fate::waiting:
      return std::string{"It has not been tried yet, and waits "}
           + std::string{why_held(e.held_by)};
    case fate::retrying:
      return is_due
             ? std::string{"The last attempt failed; the next one is due "
                           "and waits "}
                 + std::string{why_held(e.held_by)}
             : "The last attempt failed; the next one is due later.";
    case fate::delivered: return "It was delivered.";
    case fate::given_up:
      return "It was given up; the last call says why. POST "
             "calls/{call}/resend/ sends it again.";
    case fate::ended:
      return "It ended when the webhook was disabled. A replay sends it "
             "again.";
  }
  return {};
}

/// What helps one that waits. What failed is tried again by the schedule, but
/// need not wait for it.
advice help_for(const explanation& e, bool by_schedule) {
  if (by_schedule)
    return {
      "It is tried again by the schedule. Once the receiver works, it need "
      "not wait for that.",
      "fanfare retries expedite " + std::to_string(e.hook.id)};
  return advice_on(e.held_by, e.hook.id);
}

/// A call without the payload, which the notification has.
boost::json::object summary(const call& c, std::string_view action) {
  notification subject;
  subject.action = action;
  auto out = to_json(c, &subject);
  out.erase("payload");
  return out;
}

} // namespace

boost::json::object to_json(const explanation& e, const notification& what,
                            timestamp now) {
  const bool is_due = e.due && *e.due <= now;
  boost::json::array calls;
  for (const auto& c : e.calls)
    calls.push_back(summary(c, what.action));
  boost::json::object out;
  out["id"] = e.hook.id;
  out["name"] = text_or_null(e.hook.delivery.name);
  out["target_url"] = json_string(mask_url(e.hook.target_url));
  out["matched"] = e.failed == rule::none;
  out["rule"] = nullptr;
  if (e.failed != rule::none)
    out["rule"] = json_string(name_of(e.failed));
  out["disabled_since"] = time_or_null(e.disabled_since);
  out["explanation"] = why_matched(e.failed) + ' ' + what_became(e, is_due);
  out["state"] = json_string(name_of(e.state));
  out["due"] = time_or_null(e.due);
  out["held_by"] = nullptr;
  // What holds the webhook for longer counts for more than the schedule.
  const bool by_schedule = e.due && !is_due && e.held_by != hold_reason::pause
                        && !(e.held_until && *e.held_until >= *e.due);
  const bool waits = e.state == fate::waiting || e.state == fate::retrying;
  if (waits)
    out["held_by"] = by_schedule ? json_string("backoff")
                   : e.held_by == hold_reason::none
                         || e.held_by == hold_reason::concurrency
                     ? json_string("queue")
                     : json_string(hold_name(e.held_by));
  out["held_until"] = time_or_null(e.held_until);
  if (by_schedule)
    out["held_until"] = to_iso8601(*e.due);
  auto help = waits ? help_for(e, by_schedule) : advice{};
  out["advice"] = text_or_null(help.sentence);
  out["command"] = text_or_null(help.command);
  out["calls"] = std::move(calls);
  out["calls_complete"] = e.calls_complete;
  return out;
}

} // namespace fanfare::protocol::rest
