// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/time_text.hpp"

#include "protocol/rest/messages/iso8601.hpp"

#include <ctime>

namespace fanfare::cli {

namespace {

using namespace std::chrono_literals;

std::tm local(timestamp t) {
  const auto seconds = std::chrono::system_clock::to_time_t(t);
  std::tm out{};
  localtime_r(&seconds, &out);
  return out;
}

std::string formatted(const std::tm& t, const char* format) {
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &t)};
}

} // namespace

std::string rough_duration(std::chrono::milliseconds d) {
  const auto count = [d](auto unit, const char* name) {
    return std::to_string(d / unit) + ' ' + name;
  };
  if (d >= 48h)
    return count(24h, "days");
  if (d >= 2h)
    return count(1h, "h");
  if (d >= 2min)
    return count(1min, "min");
  if (d >= 1s)
    return count(1s, "s");
  return std::to_string(d.count()) + " ms";
}

std::string short_time(std::string_view iso, timestamp now) {
  const auto t = protocol::rest::from_iso8601(iso);
  if (!t)
    return std::string{iso};
  const auto parts = local(*t);
  const auto today = local(now);
  if (parts.tm_year != today.tm_year)
    return formatted(parts, "%Y-%m-%d");
  return formatted(parts,
                   parts.tm_yday == today.tm_yday ? "%H:%M:%S" : "%m-%d %H:%M");
}

std::string relative_time(std::string_view iso, timestamp now) {
  const auto t = protocol::rest::from_iso8601(iso);
  if (!t)
    return std::string{iso};
  if (*t > now + 48h || *t < now - 48h)
    return short_time(iso, now);
  if (*t > now)
    return "in " + rough_duration(*t - now);
  return now - *t < 1s ? "now" : rough_duration(now - *t) + " ago";
}

std::string full_time(std::string_view iso, timestamp now) {
  const auto t = protocol::rest::from_iso8601(iso);
  if (!t)
    return std::string{iso};
  auto out = formatted(local(*t), "%Y-%m-%d %H:%M:%S");
  if (*t <= now + 48h && *t >= now - 48h)
    out += " (" + relative_time(iso, now) + ')';
  return out;
}

timestamp time_now() {
  return std::chrono::floor<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
}

} // namespace fanfare::cli
