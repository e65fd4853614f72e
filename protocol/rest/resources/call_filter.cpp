// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/call_filter.hpp"

#include "protocol/rest/resources/log_page.hpp"
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
  filter.since = read_time(q, "since", errors);
  filter.until = read_time(q, "until", errors);
  filter.action = q.last("action_type").value_or("");
  return filter;
}

bool call_filter::takes(const call& c) const {
  return (!success || *success == (c.result == outcome::delivered))
      && (!subject || *subject == c.subject) && (!since || c.time >= *since)
      && (!until || c.time < *until);
}

bool call_filter::is_past(timestamp time) const {
  return since && time < *since - longest_attempt;
}

} // namespace fanfare::protocol::rest
