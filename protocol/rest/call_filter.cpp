// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/call_filter.hpp"

#include "protocol/text.hpp"

#include <chrono>

namespace fanfare::protocol::rest {

namespace {

using namespace std::chrono_literals;

/// No attempt takes this long.
constexpr auto longest_attempt = 1h;

/// Takes `count` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count)
    return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos)
    return false;
  text.remove_prefix(1);
  return true;
}

/// Takes "Z" or "+01:00". A `+` that a query turned into a space counts.
std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
  if (take(text, "Zz"))
    return 0min;
  const bool west = text.starts_with('-');
  if (!take(text, "+- "))
    return std::nullopt;
  const auto hours = take_number(text, 2);
  take(text, ":");
  const auto minutes = take_number(text, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59)
    return std::nullopt;
  const auto offset = std::chrono::hours{*hours}
                    + std::chrono::minutes{*minutes};
  return west ? -offset : offset;
}

/// Takes ".25" and gives 250 ms; further digits do not count.
std::optional<std::chrono::milliseconds> take_fraction(std::string_view& text) {
  if (!take(text, ".,"))
    return 0ms;
  int value = 0;
  int unit = 100;
  bool any = false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    value += (text.front() - '0') * unit;
    unit /= 10;
    any = true;
    text.remove_prefix(1);
  }
  return any ? std::optional{std::chrono::milliseconds{value}} : std::nullopt;
}

} // namespace

std::optional<timestamp> from_iso8601(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-"))
    return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-"))
    return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !take(text, "Tt "))
    return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ":"))
    return std::nullopt;
  const auto minute = take_number(text, 2);
  int second = 0;
  std::optional fraction = 0ms;
  if (take(text, ":")) {
    const auto found = take_number(text, 2);
    if (!found)
      return std::nullopt;
    second = *found;
    fraction = take_fraction(text);
  }
  const auto zone = take_zone(text);
  const std::chrono::year_month_day date{
    std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
    std::chrono::day{static_cast<unsigned>(*day)}};
  if (!minute || !fraction || !zone || !text.empty() || !date.ok() || *hour > 23
      || *minute > 59 || second > 60)
    return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour}
       + std::chrono::minutes{*minute} + std::chrono::seconds{second}
       + *fraction - *zone;
}

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
