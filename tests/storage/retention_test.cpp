// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/every_store.hpp"

namespace fanfare::test {

using positions = std::vector<position>;

class RetentionTest : public every_store_test {
protected:
  /// One notification each millisecond, from 1 on.
  void publish_until(std::int64_t last) {
    for (std::int64_t ms = 1; ms <= last; ++ms)
      publish(draft_of(1), at_ms(ms));
  }

  expiry_plan plan(std::int64_t cutoff, std::size_t limit = 100) {
    return store_->plan_expiry(at_ms(cutoff), limit, {}).value();
  }

  call_id append_at(std::int64_t ms, logged_call c) {
    c.time = at_ms(ms);
    return append(std::move(c));
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, RetentionTest, every_store(), name_of_store);

TEST_P(RetentionTest, TakesWhatIsOlderThanTheCutoffAndNothingElse) {
  publish_until(5);
  checkpoint(5);
  EXPECT_EQ(plan(3).notifications, (positions{1, 2}));
  EXPECT_EQ(plan(1).notifications, positions{});
  EXPECT_EQ(plan(100).notifications, (positions{1, 2, 3, 4, 5}));
}

TEST_P(RetentionTest, RemovesWhatWasPlanned) {
  publish_until(5);
  checkpoint(5);
  run(expire{.notifications = plan(4).notifications});
  EXPECT_EQ(store_->statistics().first, 4U);
  EXPECT_EQ(code_of(store_->journal().find(3)), ec::not_found);
  EXPECT_TRUE(store_->journal().find(4));
  EXPECT_EQ(plan(4).notifications, positions{});
}

TEST_P(RetentionTest, RemovingTwiceIsNoError) {
  publish_until(2);
  run(expire{.notifications = {1}});
  run(expire{.notifications = {1, 2, 77}});
  EXPECT_EQ(store_->statistics().first, 0U);
}

TEST_P(RetentionTest, KeepsWhatRoutingComesBackToAfterACrash) {
  publish_until(5);
  EXPECT_EQ(plan(100).notifications, positions{});
  checkpoint(2);
  EXPECT_EQ(plan(100).notifications, (positions{1, 2}));
}

TEST_P(RetentionTest, KeepsWhatAWebhookThatIsBehindHasToSend) {
  auto hook = add_hook(1, {1});
  publish_until(5);
  checkpoint(5, {{.hook = hook.id, .cursor = 1}});
  EXPECT_EQ(plan(100).notifications, positions{1});
  checkpoint(5);
  EXPECT_EQ(plan(100).notifications, (positions{1, 2, 3, 4, 5}));
}

TEST_P(RetentionTest, KeepsWhatARetryNeeds) {
  auto first = add_hook(1, {1});
  auto second = add_hook(1, {1});
  publish_until(5);
  append(call_of(first.id, 2, outcome::retried, 5));
  append(call_of(second.id, 4, outcome::retried, 5));
  append(call_of(second.id, 5, outcome::retried, 5));
  checkpoint(5);
  EXPECT_EQ(plan(100).notifications, (positions{1, 3}));
  append(call_of(second.id, 4, outcome::delivered, 5));
  checkpoint(5);
  EXPECT_EQ(plan(100).notifications, (positions{1, 3, 4}));
  set_enabled(first.id, false);
  EXPECT_EQ(plan(100).notifications, (positions{1, 2, 3, 4}));
}

TEST_P(RetentionTest, FindsWhatItMayTakeBehindManyKeptOnes) {
  auto hook = add_hook(1, {1});
  publish_until(12);
  for (position p = 1; p <= 10; ++p)
    append(call_of(hook.id, p, outcome::retried, 12));
  checkpoint(12);
  EXPECT_EQ(plan(100, 2).notifications, (positions{11, 12}));
}

TEST_P(RetentionTest, AnswersInPortionsAndSaysThatThereIsMore) {
  publish_until(5);
  checkpoint(5);
  auto portion = plan(4, 2);
  EXPECT_EQ(portion.notifications, (positions{1, 2}));
  EXPECT_TRUE(portion.more);
  run(expire{.notifications = portion.notifications});
  portion = plan(4, 2);
  EXPECT_EQ(portion.notifications, positions{3});
  EXPECT_FALSE(portion.more);
}

TEST_P(RetentionTest, SaysThatThereIsMoreOnlyIfThereMayBe) {
  publish_until(5);
  checkpoint(4);
  EXPECT_TRUE(plan(4, 2).more);
  EXPECT_FALSE(plan(4, 3).more) << "the next one is too young";
  EXPECT_FALSE(plan(100, 4).more) << "the next one is to be routed again";
  EXPECT_TRUE(plan(100, 3).more);
}

TEST_P(RetentionTest, TakesOldCallsThatACheckpointReflects) {
  for (std::int64_t ms = 1; ms <= 4; ++ms)
    append_at(ms, call_of(1, 1, outcome::delivered, 1));
  EXPECT_EQ(plan(100).calls_upto, 0U);
  checkpoint(0);
  append_at(5, call_of(1, 1, outcome::delivered, 1));
  EXPECT_EQ(plan(3).calls_upto, 2U);
  EXPECT_EQ(plan(100).calls_upto, 4U);
  EXPECT_FALSE(plan(100).more);
  EXPECT_EQ(plan(100, 3).calls_upto, 3U);
  EXPECT_TRUE(plan(100, 3).more);
}

TEST_P(RetentionTest, NeverRemovesACallThatRecoveryNeeds) {
  add_hook(1, {1});
  publish_until(2);
  append(call_of(1, 1, outcome::delivered, 1));
  run(expire{.notifications = {}, .calls_upto = 1});
  reopen();
  EXPECT_EQ(store_->recovered().calls_replayed, 1U);
  EXPECT_EQ(load(1).upto.cursor, 1U);
}

TEST_P(RetentionTest, RemovesAtMostSoManyCallsAtOnce) {
  for (int i = 0; i < 5; ++i)
    append(call_of(1, 1, outcome::delivered, 1));
  checkpoint(0);
  run(expire{.notifications = {}, .calls_upto = 5, .max_calls = 2});
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 0, 10).value()),
            (std::vector<call_id>{5, 4, 3}));
}

} // namespace fanfare::test
