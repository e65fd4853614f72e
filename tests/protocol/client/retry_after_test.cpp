// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/retry_after.hpp"

#include <gtest/gtest.h>

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
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994"})
    EXPECT_EQ(read_retry_after(text, before), example) << text;
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
