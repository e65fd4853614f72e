// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

namespace fanfare::cli {

namespace {

/// The number at the start of `text`, and what follows it.
result<std::pair<std::uint64_t, std::string_view>>
split_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(),
                                             text.data() + text.size(), number);
  if (failed != std::errc{})
    return error{ec::invalid_argument,
                 "\"" + std::string{text} + "\" does not begin with a number"};
  return std::pair{number,
                   text.substr(static_cast<std::size_t>(end - text.data()))};
}

template <std::size_t N>
result<std::uint64_t>
scaled(std::string_view text,
       const std::array<std::pair<std::string_view, std::uint64_t>, N>& units,
       std::string_view expected) {
  const auto split = split_number(text);
  if (!split)
    return split.error();
  const auto [number, unit] = *split;
  for (const auto& [name, factor] : units)
    if (unit == name) {
      if (number
          > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
              / factor)
        return error{ec::invalid_argument,
                     "\"" + std::string{text} + "\" is too large"};
      return number * factor;
    }
  return error{ec::invalid_argument, "\"" + std::string{text}
                                       + "\" has an unknown unit; use "
                                       + std::string{expected}};
}

} // namespace

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 6>
    units{{{"ms", 1},
           {"s", 1'000},
           {"", 1'000},
           {"m", 60'000},
           {"h", 3'600'000},
           {"d", 86'400'000}}};
  const auto value = scaled(text, units, "ms, s, m, h or d");
  if (!value)
    return value.error();
  if (*value > std::uint64_t{86'400'000} * 36'500)
    return error{ec::invalid_argument,
                 "\"" + std::string{text} + "\" is more than 100 years"};
  return std::chrono::milliseconds{static_cast<std::int64_t>(*value)};
}

result<std::vector<std::chrono::milliseconds>>
parse_schedule(std::string_view text) {
  std::vector<std::chrono::milliseconds> schedule;
  while (true) {
    const auto comma = text.find(',');
    const auto delay = parse_duration(text.substr(0, comma));
    if (!delay)
      return delay.error();
    schedule.push_back(*delay);
    if (comma == std::string_view::npos)
      return schedule;
    text.remove_prefix(comma + 1);
  }
}

result<std::size_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5>
    units{{{"", 1},
           {"K", 1ULL << 10},
           {"M", 1ULL << 20},
           {"G", 1ULL << 30},
           {"T", 1ULL << 40}}};
  return scaled(text, units, "K, M, G or T");
}

} // namespace fanfare::cli
