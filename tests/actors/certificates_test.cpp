// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What is remembered of receivers' certificates, by times that the test gives.

#include "actors/certificates.hpp"

#include "tests/actors/support/start.hpp"

#include <gtest/gtest.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;

webhook_record hook_of(webhook_id id, std::string url = "https://a.example/") {
  webhook_record out;
  out.id = id;
  out.target_url = std::move(url);
  return out;
}

TEST(CertificatesTest, OwnersAreToldTwoWeeksBeforeTheEnd) {
  certificates all;
  const auto hook = hook_of(1);
  const auto expires = start + std::chrono::days{14};
  EXPECT_FALSE(all.expires(hook));
  EXPECT_FALSE(all.seen(hook, expires, start - 1ms));
  EXPECT_EQ(all.expires(hook), expires);
  EXPECT_TRUE(all.seen(hook, expires, start));
}

TEST(CertificatesTest, OwnersAreToldOnceADay) {
  certificates all;
  const auto expires = start + 24h;
  ASSERT_TRUE(all.seen(hook_of(1), expires, start));
  EXPECT_TRUE(all.seen(hook_of(2), expires, start)) << "each of its own";
  EXPECT_FALSE(all.seen(hook_of(1), expires, start + 24h - 1ms));
  EXPECT_TRUE(all.seen(hook_of(1), expires, start + 24h));
}

TEST(CertificatesTest, OfAnotherTargetNothingIsKnown) {
  certificates all;
  ASSERT_TRUE(all.seen(hook_of(1), start + 24h, start));
  const auto moved = hook_of(1, "https://b.example/");
  EXPECT_FALSE(all.expires(moved));
  EXPECT_TRUE(all.seen(moved, start + 48h, start + 1s));
  EXPECT_EQ(all.expires(moved), start + 48h);
}

TEST(CertificatesTest, BeyondTheLimitThoseGoThatNobodyWasToldOf) {
  certificates all;
  ASSERT_TRUE(all.seen(hook_of(1), start + 24h, start));
  for (webhook_id id = 2; id <= certificates::most + 1; ++id)
    ASSERT_FALSE(all.seen(hook_of(id), start + std::chrono::days{90}, start));
  EXPECT_FALSE(all.expires(hook_of(2)));
  EXPECT_FALSE(all.seen(hook_of(1), start + 24h, start + 1h));
}

} // namespace

} // namespace fanfare::test
