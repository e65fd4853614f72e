// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/retry_after.hpp"

#include "protocol/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <string>

namespace fanfare::protocol {

namespace {

/// Longer than anyone waits, yet short enough to be added to a time.
constexpr std::chrono::seconds longest = std::chrono::years{10};

std::optional<timestamp> read_date(const std::string& text) {
  // strptime reads names by the locale, and Fanfare never leaves the C locale.
  for (const auto* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    const auto* end = strptime(text.c_str(), form, &parts);
    if (end != nullptr && *end == '\0')
      return timestamp{std::chrono::seconds{timegm(&parts)}};
  }
  return std::nullopt;
}

} // namespace

std::optional<timestamp> read_retry_after(std::string_view text,
                                          timestamp now) {
  while (text.starts_with(' ') || text.starts_with('\t'))
    text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t'))
    text.remove_suffix(1);
  if (text.empty() || text.size() > 64)
    return std::nullopt;
  if (std::ranges::all_of(text, is_digit)) {
    std::int64_t seconds = std::numeric_limits<std::int64_t>::max();
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return now + std::min(std::chrono::seconds{seconds}, longest);
  }
  const auto date = read_date(std::string{text});
  if (!date)
    return std::nullopt;
  return std::clamp<timestamp>(*date, now, now + longest);
}

} // namespace fanfare::protocol
