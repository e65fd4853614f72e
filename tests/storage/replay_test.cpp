// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What is sent again: entries that no call has put into the retry set, replays
/// and what they select.

#include "tests/storage/every_store.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using positions = std::vector<position>;

class ReplayTest : public every_store_test {
protected:
  replay wanted(const webhook_record& hook, replay_request asked = {}) {
    replay value;
    value.asked = asked;
    if (value.asked.until == timestamp{})
      value.asked.until = timestamp::max();
    value.upto = store_->journal().tail();
    value.selecting = hook.current();
    value.started = at_ms(1);
    return value;
  }

  positions selected(const webhook_record& hook, const replay& value) {
    auto found = store_->deliveries().select(hook, value);
    EXPECT_TRUE(found) << found.error().detail;
    positions all;
    for (auto p = found->chosen.next_after(0); p;
         p = found->chosen.next_after(*p))
      all.push_back(*p);
    EXPECT_EQ(all.size(), found->count);
    skipped_ = found->skipped;
    return all;
  }

  std::size_t skipped_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Stores, ReplayTest, every_store(), name_of_store);

TEST_P(ReplayTest, EntriesThatNoCallHasPutThereSurviveACrash) {
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  publish(draft_of(1));
  append(call_of(hook.id, 1, outcome::delivered, 1));
  append(call_of(hook.id, 2, outcome::retried, 2));
  run(enqueue{
    .hook = hook.id,
    .entries = {{.subject = 1, .due = at_ms(9), .attempt = 1, .resent = true}},
    .progress = {}});
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(subjects_of(*store_->deliveries().retries(hook.id)),
                ElementsAre(1, 2));
    auto state = load(hook.id);
    EXPECT_EQ(state.retries.size(), 2U);
    EXPECT_EQ(state.upto.cursor, 2U);
    reopen();
  }
  EXPECT_TRUE(store_->deliveries().retries(hook.id)->front().resent);
  ASSERT_EQ(store_->recovered().webhooks.size(), 1U);
  EXPECT_TRUE(store_->recovered().webhooks.front().has_retries);
  // A later call settles it as any other.
  append(call_of(hook.id, 1, outcome::delivered, 2));
  reopen();
  EXPECT_THAT(subjects_of(*store_->deliveries().retries(hook.id)),
              ElementsAre(2));
}

TEST_P(ReplayTest, ACallThatFailedKeepsThatItWasSentAgain) {
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  auto failed = call_of(hook.id, 1, outcome::retried, 1);
  failed.resent = true;
  append(failed);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(store_->deliveries().retries(hook.id)->front().resent);
    EXPECT_TRUE(store_->call_log().newest(hook.id, 0, 1)->front().resent);
    reopen();
  }
}

TEST_P(ReplayTest, NothingIsQueuedForADisabledWebhook) {
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  set_enabled(hook.id, false);
  enqueue op{.hook = hook.id, .entries = {{.subject = 1}}, .progress = {}};
  run(op);
  set_enabled(hook.id, true);
  EXPECT_THAT(*store_->deliveries().retries(hook.id), IsEmpty());
}

TEST_P(ReplayTest, OneRunsAtATimeAndTheLastOneIsKept) {
  auto hook = add_hook(1, {1});
  EXPECT_EQ(code_of(store_->deliveries().find_replay(hook.id)), ec::not_found);
  auto value = wanted(hook, {.since = at_ms(5), .rate = 0.25});
  value.count = 7;
  start_replay op{.owner = 1, .hook = hook.id, .value = value};
  EXPECT_TRUE(run(op).done);
  EXPECT_EQ(code_of(run(op).done), ec::conflict);
  op.owner = 2;
  EXPECT_EQ(code_of(run(op).done), ec::not_found);
  reopen();
  EXPECT_EQ(*store_->deliveries().find_replay(hook.id), value);
  EXPECT_EQ(load(hook.id).running, value);
  ASSERT_EQ(store_->recovered().webhooks.size(), 1U);
  value.state = replay_state::done;
  value.ended = at_ms(8);
  run(enqueue{.hook = hook.id, .entries = {}, .progress = value});
  EXPECT_FALSE(load(hook.id).running);
  reopen();
  EXPECT_EQ(*store_->deliveries().find_replay(hook.id), value);
  EXPECT_THAT(store_->recovered().webhooks, IsEmpty());
  op.owner = 1;
  EXPECT_TRUE(run(op).done);
}

TEST_P(ReplayTest, DisablingEndsItAndItsLateProgressIsIgnored) {
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  auto value = wanted(hook);
  run(start_replay{.owner = 1, .hook = hook.id, .value = value});
  set_enabled(hook.id, false);
  EXPECT_EQ(store_->deliveries().find_replay(hook.id)->state,
            replay_state::cancelled);
  set_enabled(hook.id, true);
  value.queued = 1;
  run(enqueue{.hook = hook.id, .entries = {{.subject = 1}}, .progress = value});
  EXPECT_EQ(store_->deliveries().find_replay(hook.id)->state,
            replay_state::cancelled);
  EXPECT_THAT(*store_->deliveries().retries(hook.id), IsEmpty());
  start_replay again{.owner = 1, .hook = hook.id, .value = wanted(hook)};
  again.value->started = at_ms(2);
  EXPECT_TRUE(run(again).done);
  run(enqueue{.hook = hook.id, .entries = {{.subject = 1}}, .progress = value});
  EXPECT_EQ(store_->deliveries().find_replay(hook.id)->queued, 0U);
}

TEST_P(ReplayTest, SelectsMatchesOfTheTimeThatAreSettledAndDoNotWait) {
  auto hook = add_hook(1, {1});
  for (int i = 1; i <= 8; ++i)
    publish(draft_of(i == 4 ? 2 : 1, i == 5 ? 2 : 1), at_ms(i * 100));
  for (position p : {1, 2, 3, 7})
    append(call_of(hook.id, p, outcome::delivered, 3));
  append(call_of(hook.id, 6, outcome::retried, 3));
  for (int i = 0; i < 2; ++i) {
    // 6 waits for its retry, 8 for its first attempt.
    EXPECT_EQ(selected(hook, wanted(hook)), (positions{1, 2, 3, 7}));
    EXPECT_EQ(skipped_, 2U);
    EXPECT_EQ(selected(hook, wanted(hook, {.since = at_ms(200)})),
              (positions{2, 3, 7}));
    EXPECT_EQ(selected(hook, wanted(hook, {.since = at_ms(201)})),
              (positions{3, 7}));
    EXPECT_EQ(selected(hook, wanted(hook, {.until = at_ms(300)})),
              (positions{1, 2}));
    EXPECT_EQ(selected(hook, wanted(hook, {.until = at_ms(301)})),
              (positions{1, 2, 3}));
    EXPECT_EQ(selected(hook, wanted(hook, {.since = at_ms(900)})), positions{});
    auto rest = wanted(hook);
    rest.cursor = 2;
    EXPECT_EQ(selected(hook, rest), (positions{3, 7}));
    rest.upto = 6;
    EXPECT_EQ(selected(hook, rest), (positions{3}));
    rest.selecting.types = {2};
    rest.cursor = 0;
    EXPECT_EQ(selected(hook, rest), positions{4}) << "nobody had asked for it";
    reopen();
  }
}

TEST_P(ReplayTest, SelectsOnlyWhatFailedIfThatIsAsked) {
  auto hook = add_hook(1, {1});
  for (int i = 0; i < 4; ++i)
    publish(draft_of(1));
  append(call_of(hook.id, 1, outcome::delivered, 1));
  append(call_of(hook.id, 2, outcome::retried, 2));
  append(call_of(hook.id, 2, outcome::given_up, 2));
  append(call_of(hook.id, 3, outcome::retried, 3));
  append(call_of(hook.id, 3, outcome::delivered, 3));
  // 4 was never called: the disabling ended it.
  set_enabled(hook.id, false);
  publish(draft_of(1));
  hook = set_enabled(hook.id, true);
  EXPECT_EQ(selected(hook, wanted(hook)), (positions{1, 2, 3, 4, 5}));
  EXPECT_EQ(selected(hook, wanted(hook, {.only_failed = true})),
            (positions{2, 4, 5}))
    << "5 was published while it was disabled";
}

TEST_P(ReplayTest, WhatWasNeverToBeSentDoesNotWait) {
  auto hook = add_hook(1, {1});
  publish(draft_of(2));
  publish(draft_of(2));
  publish(draft_of(1));
  hook = change(hook.id, [](webhook_record& w) { w.current().types = {1, 2}; });
  EXPECT_EQ(selected(hook, wanted(hook)), (positions{1, 2}));
  EXPECT_EQ(skipped_, 1U) << "3 waits for its first attempt";
  EXPECT_EQ(selected(hook, wanted(hook, {.only_failed = true})), positions{})
    << "1 and 2 did not fail: nobody had asked for them";
}

TEST_P(ReplayTest, OfAnEmptyJournalSelectsNothing) {
  auto hook = add_hook(1, {1});
  EXPECT_EQ(selected(hook, wanted(hook)), positions{});
}

TEST_P(ReplayTest, TheBacklogIsCountedWithoutReadingIt) {
  auto hook = add_hook(1, {1});
  for (int i = 0; i < 6; ++i)
    publish(draft_of(i == 1 ? 2 : 1));
  append(call_of(hook.id, 1, outcome::delivered, 2));
  append(call_of(hook.id, 5, outcome::delivered, 2));
  auto size = store_->deliveries().count_backlog(hook, 100);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->count, 3U);
  EXPECT_EQ(size->first, 3U);
  EXPECT_TRUE(size->complete);
  size = store_->deliveries().count_backlog(hook, 2);
  EXPECT_EQ(size->count, 2U);
  EXPECT_FALSE(size->complete);
}

TEST_P(ReplayTest, AStandingIsWhatProgressAndRetriesSay) {
  auto hook = add_hook(1, {1});
  for (int i = 0; i < 3; ++i)
    publish(draft_of(1));
  append(call_of(hook.id, 1, outcome::delivered, 1));
  append(call_of(hook.id, 2, outcome::retried, 2));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(store_->deliveries().find_standing(hook.id, 1)->settled);
    EXPECT_FALSE(store_->deliveries().find_standing(hook.id, 1)->waiting);
    EXPECT_EQ(store_->deliveries().find_standing(hook.id, 2)->waiting->due,
              at_ms(5000));
    EXPECT_FALSE(store_->deliveries().find_standing(hook.id, 3)->settled);
    checkpoint(3, {{.hook = hook.id, .cursor = 2}});
  }
  EXPECT_EQ(code_of(store_->deliveries().find_standing(99, 1)), ec::not_found);
}

// -- position_set -------------------------------------------------------------

TEST(PositionSet, HoldsWhatItsStretchCovers) {
  position_set set{10, 200};
  for (position p : {10, 11, 74, 75, 200, 400})
    set.insert(p);
  EXPECT_EQ(set.count(), 4U);
  EXPECT_FALSE(set.contains(10));
  EXPECT_TRUE(set.contains(11));
  EXPECT_TRUE(set.contains(200));
  positions all;
  for (auto p = set.next_after(0); p; p = set.next_after(*p))
    all.push_back(*p);
  EXPECT_EQ(all, (positions{11, 74, 75, 200}));
  EXPECT_EQ(set.next_after(75), 200U);
  set.erase(200);
  EXPECT_FALSE(set.next_after(75));
  EXPECT_FALSE((position_set{5, 5}.next_after(0)));
  EXPECT_FALSE((position_set{9, 5}.next_after(0)));
}

} // namespace

} // namespace fanfare::test
