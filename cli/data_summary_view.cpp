// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/data_summary_view.hpp"

#include "protocol/payload/json_text.hpp"

#include <boost/json/value.hpp>

#include <cstdio>
#include <iterator>
#include <optional>

namespace fanfare::cli {

namespace {

boost::json::value time_or_null(const std::optional<timestamp>& time) {
  if (!time)
    return nullptr;
  return text_value(protocol::to_iso8601(*time));
}

std::string time_or_nothing(const std::optional<timestamp>& time) {
  return time ? protocol::to_iso8601(*time) : std::string{};
}

} // namespace

std::string size_text(std::uint64_t bytes) {
  static constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024)
    return std::to_string(bytes) + " bytes";
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
    value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

boost::json::value text_value(std::string_view text) {
  return boost::json::string{text.data(), text.size()};
}

boost::json::object summary_json(const data_summary& found) {
  return {{"size", found.size},
          {"taken", time_or_null(found.taken)},
          {"format", found.format},
          {"organizers", found.organizers},
          {"webhooks", found.webhooks},
          {"notifications", found.notifications},
          {"calls", found.calls},
          {"last_notification", found.last_notification},
          {"last_published", time_or_null(found.last_published)},
          {"sealed_secrets", found.sealed_secrets},
          {"plain_secrets", found.plain_secrets}};
}

std::vector<std::pair<std::string, std::string>>
summary_fields(const data_summary& found) {
  return {{"size", size_text(found.size)},
          {"taken", time_or_nothing(found.taken)},
          {"format", std::to_string(found.format)},
          {"organizers", std::to_string(found.organizers)},
          {"webhooks", std::to_string(found.webhooks)},
          {"notifications", std::to_string(found.notifications)},
          {"calls", std::to_string(found.calls)},
          {"last notification", std::to_string(found.last_notification)},
          {"published", time_or_nothing(found.last_published)},
          {"encrypted secrets", std::to_string(found.sealed_secrets)},
          {"plain secrets", std::to_string(found.plain_secrets)}};
}

} // namespace fanfare::cli
