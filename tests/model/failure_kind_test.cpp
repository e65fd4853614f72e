// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/failure_kind.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fanfare {
namespace {

std::string kind_of(std::uint16_t status, std::string_view reason = {},
                    bool unsent = false) {
  call entry;
  entry.status = status;
  entry.reason = reason;
  entry.unsent = unsent;
  const auto kind = failure_kind_of(entry);
  return kind ? std::string{failure_kinds.at(*kind)} : "none";
}

TEST(FailureKindTest, IsWhatTheReasonBeginsWith) {
  EXPECT_EQ(kind_of(0, "timeout: connect after 5 s"), "timeout");
  EXPECT_EQ(kind_of(0, "connect: connection refused"), "connect");
  EXPECT_EQ(kind_of(0, "malformed answer: no status"), "malformed");
  EXPECT_EQ(kind_of(0, "too large: its head"), "too_large");
  EXPECT_EQ(kind_of(0, "internal: the delivery ended"), "internal");
  // No other words become a kind, the names of other kinds included.
  EXPECT_EQ(kind_of(0, "the key is missing"), "unsendable");
  EXPECT_EQ(kind_of(0, "http_4xx: no"), "unsendable");
  EXPECT_EQ(kind_of(0, ""), "unsendable");
}

TEST(FailureKindTest, IsTheClassOfTheStatus) {
  EXPECT_EQ(kind_of(200), "none");
  EXPECT_EQ(kind_of(299, "body ended after 2 of 3 bytes"), "none");
  EXPECT_EQ(kind_of(300), "http_3xx");
  EXPECT_EQ(kind_of(399), "http_3xx");
  EXPECT_EQ(kind_of(400), "http_4xx");
  EXPECT_EQ(kind_of(410), "http_410");
  EXPECT_EQ(kind_of(429), "http_429");
  EXPECT_EQ(kind_of(499), "http_4xx");
  EXPECT_EQ(kind_of(500), "http_5xx");
  EXPECT_EQ(kind_of(599), "http_5xx");
}

TEST(FailureKindTest, KnowsWhatWasGivenUpWithoutAnAttempt) {
  EXPECT_EQ(kind_of(0, "given up: its retries were dropped", true), "unsent");
}

} // namespace
} // namespace fanfare
