// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the board and the operator's log hear of a node's webhooks, and when.

#include "tests/actors/actor_test.hpp"
#include "tests/actors/support/node.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class TroubleReportTest : public NodeTest {
protected:
  TroubleReportTest() {
    start(breaks);
    hook_ = node_->add_webhook();
  }

  webhook_counts counts() {
    return node_->watch.troubles.look(0, 0, clock_.now()).webhooks;
  }

  /// The lines about webhooks that it has not seen yet.
  std::vector<std::string> news() {
    return std::exchange(node_->log, {});
  }

  const node_options breaks{
    .idle_checkpoints = 1,
    .pace = {.breaker_failures = 3, .breaker_pause = 10s}};
  webhook_id hook_ = 0;
};

TEST_F(TroubleReportTest, SuccessIsNoNews) {
  node_->publish(100);
  EXPECT_THAT(news(), ::testing::IsEmpty());
  EXPECT_EQ(counts().enabled, 1U);
  EXPECT_EQ(counts().failing, 0U);
}

TEST_F(TroubleReportTest, FailingAndItsEndAreToldOnce) {
  code_ = 500;
  node_->publish(2);
  EXPECT_EQ(counts().failing, 1U);
  EXPECT_THAT(
    news(), ::testing::ElementsAre(HasSubstr("begins to fail: answered 500")));
  code_ = 200;
  node_->advance(6s);
  EXPECT_EQ(counts().failing, 0U);
  EXPECT_THAT(news(), ::testing::ElementsAre(
                        HasSubstr("does not fail any more, after 2 failures")));
}

TEST_F(TroubleReportTest, OneThatFailsNowAndThenIsToldOfOnceAMinute) {
  code_ = 500;
  node_->publish();
  code_ = 200;
  node_->advance(6s);
  news();
  code_ = 500;
  node_->publish();
  EXPECT_EQ(counts().failing, 1U);
  code_ = 200;
  node_->advance(6s);
  EXPECT_THAT(news(), ::testing::IsEmpty());
  node_->advance(1min);
  code_ = 500;
  node_->publish();
  EXPECT_THAT(news(), Contains(HasSubstr("begins to fail")));
}

TEST_F(TroubleReportTest, ABreakerIsToldOfWhenItOpensAndWhenItCloses) {
  code_ = 500;
  node_->publish(5);
  EXPECT_EQ(counts().held[hold_reason::breaker], 1U);
  EXPECT_THAT(news(), Contains(HasSubstr("the circuit breaker opens")));
  node_->advance(11s); // a probe fails
  EXPECT_THAT(news(), Not(Contains(HasSubstr("circuit breaker"))));
  code_ = 200;
  node_->advance(10min);
  EXPECT_EQ(counts().held[hold_reason::breaker], 0U);
  EXPECT_THAT(news(), Contains(HasSubstr("the circuit breaker is closed")));
}

TEST_F(TroubleReportTest, WhatIsFoundAtAStartIsNoNews) {
  code_ = 500;
  node_->publish();
  restart(breaks);
  EXPECT_EQ(counts().failing, 1U);
  EXPECT_THAT(news(), ::testing::IsEmpty());
}

TEST_F(TroubleReportTest, OneThatFailsCountsWithoutAnActor) {
  code_ = 500;
  node_->edit(hook_, [](webhook_record& w) {
    w.delivery.schedule = std::vector<std::chrono::milliseconds>{};
  });
  node_->publish();
  for (int i = 0; i < 100 && node_->active_webhooks != 0; ++i) {
    node_->advance(6h);
    node_->checkpoint();
  }
  ASSERT_EQ(node_->active_webhooks, 0U);
  EXPECT_EQ(counts().failing, 1U);
  restart(breaks);
  EXPECT_EQ(counts().failing, 1U);
  EXPECT_EQ(node_->active_webhooks, 0U);
}

TEST_F(TroubleReportTest, AFirstAttemptThatWaitsForLongIsBehind) {
  hang();
  node_->publish();
  node_->checkpoint();
  node_->advance(89s);
  node_->checkpoint();
  EXPECT_EQ(counts().behind, 0U);
  node_->advance(1s);
  node_->checkpoint();
  EXPECT_EQ(counts().behind, 1U);
  node_->wire.answer(0, status(200));
  node_->run();
  node_->checkpoint();
  EXPECT_EQ(counts().behind, 0U);
}

TEST_F(TroubleReportTest, ARateHoldsFromItsFirstToItsLast) {
  node_->edit(hook_, [](webhook_record& w) {
    w.delivery.rate_limit = {.count = 1, .period = 10'000ms};
  });
  node_->publish(4);
  // While the second and the third are called, others wait.
  for (int calls = 1; calls < 4; ++calls) {
    EXPECT_EQ(counts().held[hold_reason::rate], 1U) << calls;
    node_->advance(10s);
  }
  node_->advance(10s);
  EXPECT_EQ(counts().held[hold_reason::rate], 0U);
}

TEST_F(TroubleReportTest, PauseAndDisablingFollowTheRegistry) {
  node_->edit(hook_, [](webhook_record& w) { w.delivery.paused = true; });
  EXPECT_EQ(counts().held[hold_reason::pause], 1U);
  restart(breaks);
  EXPECT_EQ(counts().held[hold_reason::pause], 1U);
  node_->edit(hook_, [](webhook_record& w) { w.current().enabled = false; });
  EXPECT_EQ(counts().held[hold_reason::pause], 0U);
  EXPECT_EQ(counts().enabled, 0U);
  EXPECT_EQ(counts().disabled_lately, 0U) << "by its owner";
}

TEST_F(TroubleReportTest, AReceiverThatIsGoneIsDisabledLately) {
  code_ = 410;
  node_->publish();
  EXPECT_EQ(counts().disabled_lately, 1U);
  EXPECT_EQ(counts().failing, 0U);
  EXPECT_THAT(news(), Contains(HasSubstr("is disabled after a call of")));
  restart(breaks);
  EXPECT_EQ(counts().disabled_lately, 1U);
}

} // namespace

} // namespace fanfare::test
