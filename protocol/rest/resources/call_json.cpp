// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/call_json.hpp"

#include "protocol/payload/composed_body.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/text.hpp"

#include <string_view>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

/// "Name: value" lines as an object; repeated names are joined by commas (RFC
/// 9110, 5.3).
boost::json::object headers_to_json(std::string_view head) {
  boost::json::object out;
  while (!head.empty()) {
    const auto end = head.find('\n');
    const auto line = trim(head.substr(0, end));
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
      continue; // the last line, cut at the limit
    const auto name = to_valid_utf8(line.substr(0, colon));
    const auto value = trim(line.substr(colon + 1));
    if (auto* known = out.if_contains(name)) {
      auto& text = known->get_string();
      text.append(", ");
      text.append({value.data(), value.size()});
    } else {
      out.emplace(name, json_string(value));
    }
  }
  return out;
}

} // namespace

double seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>{time}.count();
}

boost::json::object to_json(const call& c, const notification* subject) {
  boost::json::object timings;
  timings["dns"] = seconds(c.timings.dns);
  timings["connect"] = seconds(c.timings.connect);
  timings["tls"] = seconds(c.timings.tls);
  timings["first_byte"] = seconds(c.timings.first_byte);
  timings["total"] = seconds(c.timings.total);
  boost::json::object out;
  out["id"] = c.id;
  out["notification_id"] = c.subject;
  out["datetime"] = to_iso8601(c.time);
  out["target_url"] = json_string(c.target_url);
  out["action_type"] = subject == nullptr ? boost::json::value(nullptr)
                                          : json_string(subject->action);
  out["attempt"] = c.attempt;
  out["is_retry"] = c.attempt > 1;
  out["is_replay"] = c.resent;
  out["repeated"] = c.repeated;
  out["success"] = c.result == outcome::delivered;
  out["return_code"] = c.status;
  out["reason"] = json_string(c.reason);
  out["execution_time"] = seconds(c.timings.total);
  out["timings"] = std::move(timings);
  out["payload"] = subject == nullptr
                   ? boost::json::value(nullptr)
                   : json_string(c.thin ? thin_body(subject->body)
                                        : subject->body);
  const std::string_view trace = subject == nullptr
                                 ? std::string_view{}
                                 : std::string_view{subject->trace};
  const auto line = trace.find('\n');
  out["traceparent"] = nullptr;
  if (!trace.empty())
    out["traceparent"] = json_string(trace.substr(0, line));
  out["tracestate"] = nullptr;
  if (line != std::string_view::npos)
    out["tracestate"] = json_string(trace.substr(line + 1));
  out["response_headers"] = headers_to_json(c.response_head);
  out["response_body"] = json_string(c.response_body);
  return out;
}

} // namespace fanfare::protocol::rest
