// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// A notification to more webhooks than can be at work at once.

#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace fanfare::test {

namespace {

using ::testing::_;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Pair;
using ::testing::SizeIs;

class CrowdTest : public NodeTest {
protected:
  CrowdTest() {
    start(few);
  }

  /// So many webhooks of this organizer.
  void add(std::size_t count, organizer_id owner = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      webhook_record w;
      w.owner = owner;
      w.target_url = "https://h" + std::to_string(hooks_.size()) + ".example/";
      w.versions.push_back({.from = 0, .value = {.types = {1}}});
      hooks_.push_back(node_->add_webhook(std::move(w)));
    }
  }

  /// How often each was called with success.
  std::map<webhook_id, int> delivered() {
    std::map<webhook_id, int> all;
    for (const auto hook : hooks_)
      all[hook] = static_cast<int>(std::ranges::count(
        node_->calls(hook), outcome::delivered, &call::result));
    return all;
  }

  /// The oldest call that hangs is taken.
  void answer_one() {
    node_->wire.answer(node_->wire.open.front(), status(200));
    node_->run();
  }

  void answer_all() {
    while (!node_->wire.open.empty())
      answer_one();
  }

  const node_options few{.max_working = 8};
  std::vector<webhook_id> hooks_;
};

TEST_F(CrowdTest, NoMoreAreAtWorkThanThatAndAllAreCalledOnce) {
  add(40);
  hang();
  node_->publish();
  EXPECT_THAT(sent(), SizeIs(Le(9U)));
  EXPECT_LE(node_->active_webhooks, 9U);
  answer_all();
  EXPECT_THAT(sent(), SizeIs(40));
  EXPECT_THAT(delivered(), Each(Pair(_, 1)));
  EXPECT_LE(node_->active_webhooks, 9U) << "who is done makes room";
}

TEST_F(CrowdTest, SoManyAreKeptAlthoughTheyRest) {
  start({.max_working = 8, .kept_active = 20});
  add(40);
  node_->publish();
  EXPECT_THAT(sent(), SizeIs(40));
  EXPECT_GE(node_->active_webhooks, 20U);
  EXPECT_LE(node_->active_webhooks, 20U + 9U);
}

TEST_F(CrowdTest, WhoWaitsGetsAllThatWasPublishedMeanwhileInOrder) {
  add(10);
  hang();
  for (int i = 0; i < 3; ++i)
    node_->publish();
  node_->wire.script = [](const auto&) { return std::optional{status(200)}; };
  answer_all();
  EXPECT_THAT(delivered(), Each(Pair(_, 3)));
  for (const auto hook : hooks_) {
    std::vector<position> order;
    for (const auto& c : node_->calls(hook))
      order.push_back(c.subject);
    EXPECT_TRUE(std::ranges::is_sorted(order));
  }
}

TEST_F(CrowdTest, AnotherOrganizersFewDoNotWait) {
  add(40);
  add(1, 2);
  hang();
  node_->publish();
  const auto before = sent().size();
  node_->publish(1, 1, 2);
  ASSERT_THAT(sent(), SizeIs(before + 1));
  EXPECT_EQ(sent().back().what->owner, 2U);
}

TEST_F(CrowdTest, AnotherOrganizersFewDoNotWaitForThoseThatAreActive) {
  start({.max_working = 8, .kept_active = 100});
  add(40);
  node_->publish();
  ASSERT_EQ(node_->active_webhooks, 40U);
  add(1, 2);
  hang();
  node_->publish();
  node_->publish(1, 1, 2);
  EXPECT_EQ(sent().back().what->owner, 2U);
}

TEST_F(CrowdTest, OrganizersTakeTurns) {
  add(20);
  add(20, 2);
  hang();
  node_->publish();
  node_->publish(1, 1, 2);
  while (sent().size() < 28)
    answer_one();
  const auto of_second = std::ranges::count_if(
    sent(), [](const auto& e) { return e.what->owner == 2U; });
  EXPECT_GE(of_second, 9);
}

TEST_F(CrowdTest, AReceiverThatHangsKeepsItsPlaceForASecond) {
  add(20);
  hang();
  node_->publish();
  const auto first = sent().size();
  node_->advance(900ms);
  node_->checkpoint();
  EXPECT_THAT(sent(), SizeIs(first));
  node_->advance(200ms);
  node_->checkpoint();
  EXPECT_GE(sent().size(), first + 8);
}

TEST_F(CrowdTest, WhatFailsWaitsWithoutAPlace) {
  add(20);
  code_ = 500;
  node_->publish();
  EXPECT_THAT(sent(), SizeIs(20));
  code_ = 200;
  node_->advance(24h);
  EXPECT_THAT(delivered(), Each(Pair(_, 1)));
}

TEST_F(CrowdTest, WhatHoldsAWebhookHoldsNoPlace) {
  add(20);
  for (std::size_t i = 0; i < 10; ++i)
    node_->edit(hooks_[i], [](webhook_record& w) { w.delivery.paused = true; });
  node_->publish();
  node_->publish();
  for (int i = 0; i < 3; ++i) {
    node_->advance(1s);
    node_->checkpoint();
  }
  const auto all = delivered();
  for (std::size_t i = 10; i < 20; ++i)
    EXPECT_EQ(all.at(hooks_[i]), 2) << i;
}

TEST_F(CrowdTest, WhoWaitsIsNotForgottenByARestart) {
  add(30);
  hang();
  node_->publish();
  node_->publish();
  for (int i = 0; i < 7; ++i)
    answer_one();
  node_->checkpoint();
  const auto before = delivered();
  restart(few);
  node_->run();
  for (const auto& [hook, times] : delivered()) {
    EXPECT_EQ(times, 2) << hook;
    EXPECT_LE(before.at(hook), times);
  }
}

TEST_F(CrowdTest, AnOrderFindsOneThatWaits) {
  add(20);
  hang();
  node_->publish();
  const auto last = hooks_.back();
  const auto before = sent().size();
  (void)inspect(last);
  EXPECT_THAT(sent(), SizeIs(before + 1)) << "it was started to answer that";
  answer_all();
  EXPECT_THAT(delivered(), Each(Pair(_, 1)));
}

TEST_F(CrowdTest, OneThatIsDisabledWhileItWaitsIsNotCalled) {
  add(20);
  hang();
  node_->publish();
  node_->edit(hooks_.back(),
              [](webhook_record& w) { w.current().enabled = false; });
  answer_all();
  EXPECT_THAT(sent(), SizeIs(19));
  EXPECT_THAT(node_->calls(hooks_.back()), IsEmpty());
}

} // namespace

} // namespace fanfare::test
