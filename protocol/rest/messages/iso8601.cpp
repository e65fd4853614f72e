// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/messages/iso8601.hpp"

#include "protocol/payload/json_text.hpp"

#include <chrono>

namespace fanfare::protocol::rest {

namespace {

using namespace std::chrono_literals;

/// Takes `count` digits from the front.
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

/// Takes "Z" or "+01:00", whose `+` a query may have turned into a space.
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

/// Takes ".25" and returns 250 ms; digits after the third are ignored.
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

boost::json::value time_or_null(const std::optional<timestamp>& t) {
  return t ? boost::json::value(to_iso8601(*t)) : boost::json::value(nullptr);
}

} // namespace fanfare::protocol::rest
