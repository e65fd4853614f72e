// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/health.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/iso8601.hpp"
#include "protocol/rest/resources/advice.hpp"
#include "protocol/rest/resources/call_json.hpp"
#include "protocol/rest/resources/webhooks.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cmath>
#include <string>

namespace fanfare::protocol::rest {

namespace {

std::string_view name_of(webhook_health::verdict status) {
  switch (status) {
    case webhook_health::verdict::healthy: return "healthy";
    case webhook_health::verdict::failing: return "failing";
    case webhook_health::verdict::idle: return "idle";
    case webhook_health::verdict::disabled: return "disabled";
  }
  return {};
}

/// A readable figure: not 0.33333333333333331.
double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

boost::json::object durations(const webhook_health& h) {
  boost::json::object out;
  const auto put = [&](std::string_view name, auto member) {
    auto& place = out[{name.data(), name.size()}];
    if (h.execution_time)
      place = seconds((*h.execution_time).*member);
  };
  using all = webhook_health::durations;
  put("p50", &all::p50);
  put("p90", &all::p90);
  put("p99", &all::p99);
  put("max", &all::most);
  return out;
}

boost::json::value waiting(const webhook_health& h) {
  if (!h.oldest_waiting)
    return nullptr;
  const std::chrono::duration<double> age = std::chrono::system_clock::now()
                                          - h.oldest_waiting->published;
  boost::json::object out;
  out["notification_id"] = h.oldest_waiting->subject;
  out["datetime"] = to_iso8601(h.oldest_waiting->published);
  out["age"] = rounded(age.count());
  return out;
}

boost::json::value last_error(const webhook_health& h) {
  if (!h.last_error)
    return nullptr;
  boost::json::object out;
  out["call_id"] = h.last_error->id;
  out["datetime"] = to_iso8601(h.last_error->time);
  out["return_code"] = h.last_error->status;
  out["reason"] = json_string(h.last_error->reason);
  return out;
}

/// The part that only the webhook's actor knows; null while it cannot tell.
boost::json::object delivering(const result<delivery_state>& state,
                               webhook_id hook) {
  boost::json::object breaker;
  breaker["state"] = nullptr;
  breaker["failures"] = nullptr;
  breaker["failing_since"] = nullptr;
  breaker["until"] = nullptr;
  boost::json::object out;
  if (!state) {
    out["breaker"] = std::move(breaker);
    for (const auto* key : {"held_by", "held_until", "in_flight", "concurrency",
                            "certificate_expires", "advice", "command"})
      out[key] = nullptr;
    return out;
  }
  using breaker_state = delivery_state::breaker_state;
  breaker["state"] = state->breaker == breaker_state::closed ? "closed"
                   : state->breaker == breaker_state::open   ? "open"
                                                             : "half_open";
  breaker["failures"] = state->failures;
  breaker["failing_since"] = time_or_null(state->failing_since);
  breaker["until"] = time_or_null(state->breaker_until);
  out["breaker"] = std::move(breaker);
  const auto help = advice_on(state->held_by, hook);
  out["held_by"] = text_or_null(hold_name(state->held_by));
  out["held_until"] = time_or_null(state->held_until);
  out["in_flight"] = state->in_flight;
  out["concurrency"] = state->concurrency;
  out["certificate_expires"] = time_or_null(state->certificate_expires);
  out["advice"] = text_or_null(help.sentence);
  out["command"] = text_or_null(help.command);
  return out;
}

} // namespace

std::string_view hold_name(hold_reason why) {
  switch (why) {
    case hold_reason::none: return {};
    case hold_reason::pause: return "pause";
    case hold_reason::order: return "order";
    case hold_reason::breaker: return "breaker";
    case hold_reason::retry_after: return "retry_after";
    case hold_reason::rate: return "rate";
    case hold_reason::batch: return "batch";
    case hold_reason::outage: return "outage";
    case hold_reason::concurrency: return "concurrency";
  }
  return {};
}

http_response serve_health(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  const auto found = x.service.health(x.owner.id, hook.id);
  if (!found)
    return answer_to(x, found.error());
  const auto& h = *found;
  boost::json::object codes;
  for (const auto& [code, count] : h.return_codes)
    codes[std::to_string(code)] = count;
  boost::json::object out;
  out["status"] = json_string(name_of(h.status));
  out["calls"] = h.calls;
  out["since"] = time_or_null(h.since);
  out["success_rate"] = nullptr;
  if (h.calls > h.unclear)
    out["success_rate"] = rounded(static_cast<double>(h.successes)
                                  / static_cast<double>(h.calls - h.unclear));
  out["calls_per_minute"] = rounded(h.calls_per_minute);
  out["execution_time"] = durations(h);
  out["return_codes"] = std::move(codes);
  out["retries"] = h.retries;
  out["next_retry"] = time_or_null(h.next_retry);
  out["backlog"] = h.backlog;
  out["backlog_complete"] = h.backlog_complete;
  out["oldest_waiting"] = waiting(h);
  out["last_success"] = time_or_null(h.last_success);
  out["last_error"] = last_error(h);
  for (auto& item : delivering(x.service.inspect(x.owner.id, hook.id), hook.id))
    out[item.key()] = std::move(item.value());
  return json_answer(x, 200, out);
}

} // namespace fanfare::protocol::rest
