// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Which notices an owner gets, and how often, by times that the test gives.

#include "actors/webhook/owner_notices.hpp"

#include "tests/actors/support/start.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;

class OwnerNoticesTest : public ::testing::Test {
protected:
  owner_notices notices_;
};

TEST_F(OwnerNoticesTest, ARecoverySaysSinceWhenItHadFailed) {
  const auto notice = notices_.recovered(start - 1h, start);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->action, "fanfare.webhook.recovered");
  EXPECT_EQ(notice->members,
            R"(, "failing_since": "2024-10-03T23:00:00.000Z")");
}

TEST_F(OwnerNoticesTest, RecoveriesAreAnnouncedOnceAMinuteAtMost) {
  ASSERT_TRUE(notices_.recovered(start, start));
  EXPECT_FALSE(notices_.recovered(start, start + 1min - 1ms));
  EXPECT_TRUE(notices_.recovered(start, start + 1min));
}

TEST_F(OwnerNoticesTest, OneAboutACertificateSaysWhenItExpires) {
  certificates known;
  const auto expires = start + std::chrono::days{14};
  const auto notice = owner_notices::certificate_seen(known, {.id = 1}, expires,
                                                      start);
  ASSERT_TRUE(notice);
  EXPECT_FALSE(
    owner_notices::certificate_seen(known, {.id = 1}, expires, start))
    << "not with each call";
  EXPECT_EQ(notice->action, "fanfare.webhook.certificate_expiring");
  EXPECT_EQ(notice->members, R"(, "expires": "2024-10-18T00:00:00.000Z")");
}

TEST_F(OwnerNoticesTest, WhatIsGivenUpIsCountedAndAnnouncedTogether) {
  EXPECT_FALSE(notices_.remembers(start));
  EXPECT_FALSE(notices_.given_up(start));
  notices_.note_given_up(3);
  const auto first = notices_.given_up(start);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->notice.action, "fanfare.notification.given_up");
  EXPECT_EQ(first->notice.members,
            R"(, "count": 1, "first_notification_id": 3, )"
            R"("last_notification_id": 3)");
  EXPECT_EQ(first->sentence, "gave up notification 3");
  EXPECT_TRUE(notices_.remembers(start + 1min - 1ms)) << "the distance to it";
  EXPECT_FALSE(notices_.remembers(start + 1min));
  for (position p : {5U, 4U, 9U})
    notices_.note_given_up(p);
  EXPECT_TRUE(notices_.remembers(start + 1min));
  earliest_after next{start};
  notices_.add_due(next);
  EXPECT_EQ(next.found(), start + 1min);
  EXPECT_FALSE(notices_.given_up(start + 1min - 1ms));
  const auto second = notices_.given_up(start + 1min);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->notice.members,
            R"(, "count": 3, "first_notification_id": 5, )"
            R"("last_notification_id": 9)");
  EXPECT_EQ(second->sentence, "gave up 3 notifications, from 5 to 9");
}

TEST_F(OwnerNoticesTest, ADisablingSaysWhy) {
  const auto notice = owner_notices::disabled(
    {.hook = 3, .status = 410}, "shop.order.placed", R"(it said "gone")",
    timestamp{1'728'000'000s});
  EXPECT_EQ(notice.action, "fanfare.webhook.disabled");
  EXPECT_EQ(
    notice.members,
    R"(, "reason": "it said \"gone\"", "return_code": 410, )"
    R"("action_type": "shop.order.placed", "replay": )"
    R"("fanfare replay 3 --only-failed --since 2024-10-04T00:00:00.000Z")");
  EXPECT_EQ(owner_notices::disabled_sentence(
              {.hook = 3, .status = 410, .reason = "answered 410"},
              "shop.order.placed", timestamp{1'728'000'000s}),
            "is disabled after a call of shop.order.placed: answered "
            "410. Once it is enabled again, this sends what it missed: fanfare "
            "replay 3 --only-failed --since 2024-10-04T00:00:00.000Z");
}

} // namespace

} // namespace fanfare::test
