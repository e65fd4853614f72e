// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/call_filter.hpp"

#include "protocol/rest/messages/iso8601.hpp"
#include "protocol/text.hpp"

#include <chrono>

namespace fanfare::protocol::rest {

namespace {

using namespace std::chrono_literals;

/// Longer than any attempt takes.
constexpr auto longest_attempt = 1h;

} // namespace

call_filter call_filter::read(const query& q, field_errors& errors) {
  call_filter filter;
  const auto time = [&](std::string_view name, std::optional<timestamp>& out) {
    const auto text = q.last(name);
    if (!text || text->empty())
      return;
    out = from_iso8601(*text);
    if (!out)
      errors.add(name,
                 "Enter a time with its zone, as in 2026-11-23T10:00:00Z.");
  };
  if (const auto text = to_lower(q.last("success").value_or(""));
      !text.empty()) {
    if (text == "true" || text == "1")
      filter.success = true;
    else if (text == "false" || text == "0")
      filter.success = false;
    else
      errors.add("success", "Must be true or false.");
  }
  if (const auto text = q.last("notification_id"); text && !text->empty()) {
    if (const auto id = to_integer(*text); id && *id >= 0)
      filter.subject = static_cast<position>(*id);
    else
      errors.add("notification_id", "Must be the number of a notification.");
  }
  time("since", filter.since);
  time("until", filter.until);
  filter.action = q.last("action_type").value_or("");
  return filter;
}

bool call_filter::takes(const call& c) const {
  return (!success || *success == (c.result == outcome::delivered))
      && (!subject || *subject == c.subject) && (!since || c.time >= *since)
      && (!until || c.time < *until);
}

bool call_filter::takes_action(std::string_view concrete) const {
  if (action.empty() || action == concrete)
    return true;
  return action.ends_with(".*")
      && concrete.starts_with(
        std::string_view{action}.substr(0, action.size() - 1));
}

bool call_filter::is_past(const call& c) const {
  return since && c.time < *since - longest_attempt;
}

} // namespace fanfare::protocol::rest
