// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/retry_after.hpp"

#include "protocol/ascii.hpp"

#include <locale.h> // NOLINT(modernize-deprecated-headers): for newlocale
#include <time.h>   // NOLINT(modernize-deprecated-headers): for strptime_l

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <limits>
#include <string>

namespace fanfare::protocol {

namespace {

/// Longer than anyone waits, yet short enough to be added to a time.
constexpr std::chrono::seconds longest = std::chrono::years{10};

enum class years : std::uint8_t { in_full, two_digits };

/// The year that ends like this one and is nearest to now: none that appears
/// to be more than 50 years ahead (RFC 9110, 5.6.7).
std::chrono::year nearest_year(int any, timestamp now) {
  const std::chrono::year_month_day today{
    std::chrono::floor<std::chrono::days>(now)};
  const auto this_year = static_cast<int>(today.year());
  auto year = this_year - this_year % 100 + any % 100;
  if (year > this_year + 50)
    year -= 100;
  else if (year <= this_year - 50)
    year += 100;
  return std::chrono::year{year};
}

/// Nothing if there is no such time: on 31 November, in second 60 of another
/// minute than the last of a day, which leap seconds are in.
std::optional<timestamp> time_of(const std::tm& parts, std::chrono::year year) {
  const std::chrono::year_month_day date{
    year, std::chrono::month{static_cast<unsigned>(parts.tm_mon) + 1},
    std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
  const bool leaps = parts.tm_hour == 23 && parts.tm_min == 59;
  if (!date.ok() || parts.tm_sec > (leaps ? 60 : 59))
    return std::nullopt;
  return timestamp{
    std::chrono::sys_days{date} + std::chrono::hours{parts.tm_hour}
    + std::chrono::minutes{parts.tm_min} + std::chrono::seconds{parts.tm_sec}};
}

/// With GMT for what rate limiters write in its place.
std::string with_gmt(std::string_view text) {
  for (const std::string_view other : {" UTC", " -0000", " +0000"})
    if (text.ends_with(other)) {
      text.remove_suffix(other.size());
      return std::string{text} + " GMT";
    }
  return std::string{text};
}

/// That of the names in dates, whatever the embedding program has set. Null
/// without memory.
locale_t c_locale() {
  static const locale_t made = newlocale(LC_ALL_MASK, "C", nullptr);
  return made;
}

/// In one of the three forms of RFC 9110, 5.6.7. The day of the week says
/// nothing that the date does not, so a wrong one is no harm.
std::optional<timestamp> read_date(const std::string& text, timestamp now) {
  struct form {
    const char* pattern;
    years how;
  };
  const auto names = c_locale();
  if (names == nullptr)
    return std::nullopt;
  for (const auto& [pattern, how] :
       {form{"%a, %d %b %Y %H:%M:%S GMT", years::in_full},
        form{"%A, %d-%b-%y %H:%M:%S GMT", years::two_digits},
        form{"%a %b %e %H:%M:%S %Y", years::in_full}}) {
    std::tm parts{};
    const auto* end = strptime_l(text.c_str(), pattern, &parts, names);
    if (end == nullptr || *end != '\0')
      continue;
    const auto year = parts.tm_year + 1900;
    if (how == years::two_digits)
      return time_of(parts, nearest_year(year, now));
    if (year < 1000) // it has not four digits
      return std::nullopt;
    return time_of(parts, std::chrono::year{year});
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
  const auto date = read_date(with_gmt(text), now);
  if (!date)
    return std::nullopt;
  return std::clamp<timestamp>(*date, now, now + longest);
}

} // namespace fanfare::protocol
