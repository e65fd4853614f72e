// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/retry_after.hpp"

#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <cstdlib>
#include <string>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using protocol::read_retry_after;

// 1994-11-06 08:49:37 UTC, the example of RFC 9110, section 5.6.7
constexpr timestamp example{784'111'777s};

TEST(RetryAfterTest, ReadsSeconds) {
  EXPECT_EQ(read_retry_after("0", example), example);
  EXPECT_EQ(read_retry_after("120", example), example + 120s);
  EXPECT_EQ(read_retry_after(" 7\t", example), example + 7s);
}

TEST(RetryAfterTest, ReadsTheThreeFormsOfADate) {
  const auto before = example - 1h;
  for (const auto* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 -0000", "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    EXPECT_EQ(read_retry_after(text, before), example) << text;
}

TEST(RetryAfterTest, ReadsADateWhateverLocaleTheProgramHas) {
  // Of a machine's locales none is sure to be there.
  const temp_dir folder;
  const auto german = folder.path() / "de_DE.UTF-8";
  const auto make = "localedef -i de_DE -f UTF-8 " + german.string()
                  + " >/dev/null 2>&1";
  const std::string before = std::setlocale(LC_ALL, nullptr);
  const auto* path = std::getenv("LOCPATH");
  const std::string path_before = path != nullptr ? path : "";
  const bool made = std::system(make.c_str()) == 0
                 && ::setenv("LOCPATH", folder.path().c_str(), 1) == 0
                 && std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
  const auto english = read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT",
                                        example - 1h);
  const auto other = read_retry_after("So, 06 Nov 1994 08:49:37 GMT",
                                      example - 1h);
  std::setlocale(LC_ALL, before.c_str());
  if (path_before.empty())
    ::unsetenv("LOCPATH");
  else
    ::setenv("LOCPATH", path_before.c_str(), 1);
  if (!made)
    GTEST_SKIP() << "there are no sources of locales";
  EXPECT_EQ(english, example);
  EXPECT_EQ(other, std::nullopt);
}

TEST(RetryAfterTest, ADateInThePastIsNow) {
  EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", example + 1h),
            example + 1h);
}

TEST(RetryAfterTest, HugeNumbersDoNotOverflow) {
  const auto far = example + std::chrono::years{10};
  EXPECT_EQ(read_retry_after("99999999999", example), far);
  EXPECT_EQ(read_retry_after("99999999999999999999999999", example), far);
  EXPECT_EQ(read_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", example), far);
}

TEST(RetryAfterTest, AnImpossibleDateIsNone) {
  for (const auto* text :
       {"Tue, 31 Nov 2026 08:49:37 GMT", "Tuesday, 31-Nov-26 08:49:37 GMT",
        "Tue Nov 31 08:49:37 2026", "Sun, 29 Feb 2026 08:49:37 GMT",
        "Thu, 29 Feb 2100 08:49:37 GMT", "Tue, 30 Feb 2028 08:49:37 GMT",
        "Sunday, 29-Feb-26 08:49:37 GMT", "Sun Feb 29 08:49:37 2026",
        "Tue, 00 Nov 2026 08:49:37 GMT", "Tue, 10 Nov 2026 24:00:00 GMT",
        "Tue, 10 Nov 2026 08:60:00 GMT", "Tue, 10 Nov 2026 23:59:61 GMT",
        "Tue, 10 Nov 2026 08:49:60 GMT", "Tue, 10 Nov 26 08:49:37 GMT",
        "Tue, 10 Foo 2026 08:49:37 GMT"})
    EXPECT_EQ(read_retry_after(text, example), std::nullopt) << text;
}

TEST(RetryAfterTest, LeapDaysAndLeapSecondsAreReal) {
  using namespace std::chrono;
  const auto at = [](sys_days day, seconds time) {
    return timestamp{day + time};
  };
  const auto before = at(2028y / January / 1, 0s);
  const auto leap_day = at(2028y / February / 29, 8h + 49min + 37s);
  for (const auto* text :
       {"Tue, 29 Feb 2028 08:49:37 GMT", "Tuesday, 29-Feb-28 08:49:37 GMT",
        "Tue Feb 29 08:49:37 2028"})
    EXPECT_EQ(read_retry_after(text, before), leap_day) << text;
  EXPECT_EQ(read_retry_after("Sat, 30 Dec 2028 23:59:60 GMT", before),
            at(2028y / December / 31, 0s));
}

TEST(RetryAfterTest, TheDayOfTheWeekSaysNothing) {
  EXPECT_EQ(read_retry_after("Mon, 06 Nov 1994 08:49:37 GMT", example - 1h),
            example);
  EXPECT_EQ(read_retry_after("Moonday, 06 Nov 1994 08:49:37 GMT", example - 1h),
            std::nullopt);
}

TEST(RetryAfterTest, AYearOfTwoDigitsIsTheNearest) {
  using namespace std::chrono;
  const auto now = timestamp{sys_days{2075y / June / 1}};
  EXPECT_EQ(read_retry_after("Thursday, 06-Jun-75 00:00:00 GMT", now),
            timestamp{sys_days{2075y / June / 6}});
  EXPECT_EQ(read_retry_after("Thursday, 06-Jun-70 00:00:00 GMT", now), now)
    << "2070, which is past";
  // Further ahead than anyone waits.
  const auto far = now + years{10};
  EXPECT_EQ(read_retry_after("Thursday, 06-Jun-25 00:00:00 GMT", now), far)
    << "2125";
  EXPECT_EQ(read_retry_after("Thursday, 06-Jun-26 00:00:00 GMT", now), now)
    << "2026: 2126 is more than 50 years ahead";
  EXPECT_EQ(read_retry_after("Thursday, 06-Jan-00 00:00:00 GMT",
                             timestamp{sys_days{2099y / December / 31}}),
            timestamp{sys_days{2100y / January / 6}});
}

TEST(RetryAfterTest, TakesNothingElse) {
  for (const auto* text :
       {"", " ", "-1", "1.5", "+3", "5 s", "soon", "0x10",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 99 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37 GMT and a day or so, maybe, who knows, "
        "well"})
    EXPECT_EQ(read_retry_after(text, example), std::nullopt) << text;
}

} // namespace

} // namespace fanfare::test
