// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What people ask of a webhook beside its subscription, under a clock that the
/// test moves.

#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OrderTest : public NodeTest {
protected:
  template <class Answer, class Order, class... Known>
  std::optional<result<Answer>> ask_later(webhook_id hook, Known... known) {
    auto place = std::make_shared<std::optional<result<Answer>>>();
    answers_.push_back(place);
    node_->crew.router().send(
      atom::order_v, hook,
      std::make_shared<const webhook_order>(Order{
        known...,
        reply<Answer>{[place](result<Answer> r) { *place = std::move(r); }}}));
    node_->run();
    return *place;
  }

  /// Carries it out without time passing.
  template <class Answer, class Order, class... Known>
  result<Answer> ask(webhook_id hook, Known... known) {
    auto answer = ask_later<Answer, Order>(hook, known...);
    EXPECT_TRUE(answer) << "it was not answered";
    return answer.value_or(error{});
  }

  result<std::size_t> expedite(webhook_id hook) {
    return ask<std::size_t, expedite_order>(hook);
  }
  result<std::size_t> drop(webhook_id hook) {
    return ask<std::size_t, drop_order>(hook, nullptr);
  }
  result<std::size_t> drop(webhook_id hook, std::vector<position> only) {
    return ask<std::size_t, drop_order>(
      hook, std::make_shared<const std::vector<position>>(std::move(only)));
  }
  result<retry> resend(webhook_id hook, position subject) {
    return ask<retry, resend_order>(hook, subject);
  }

  /// As the engine does it.
  result<replay> begin_replay(webhook_id hook, replay_request asked) {
    replay value;
    value.asked = asked;
    if (value.asked.until == timestamp{})
      value.asked.until = timestamp::max();
    value.upto = node_->store.journal().tail();
    value.selecting = node_->store.registry().find_webhook(hook)->current();
    value.started = clock_.now();
    auto chosen = node_->store.deliveries().select(
      *node_->store.registry().find_webhook(hook), value);
    value.count = chosen->count;
    value.skipped = chosen->skipped;
    result<replay> done{error{}};
    node_->queue.push(
      {.what = storage::start_replay{.owner = 1, .hook = hook, .value = value},
       .done = [&done](storage::operation& op, const error*) {
         done = std::get<storage::start_replay>(op).done;
       }});
    node_->run();
    if (done) {
      node_->crew.router().send(
        atom::order_v, hook,
        std::make_shared<const webhook_order>(replay_order{
          *done, std::make_shared<const storage::selection>(*chosen)}));
      node_->run();
    }
    return done;
  }

  replay progress(webhook_id hook) {
    return *node_->store.deliveries().find_replay(hook);
  }

  /// The calls of replays.
  std::vector<position> replayed(webhook_id hook) {
    std::vector<position> found;
    for (const auto& c : node_->calls(hook))
      if (c.resent)
        found.push_back(c.subject);
    return found;
  }

  std::vector<std::shared_ptr<void>> answers_;
};

// -- expedite -----------------------------------------------------------------

TEST_F(OrderTest, ExpeditedRetriesAreMadeAtOnceAndKeepTheirCount) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(3);
  ASSERT_THAT(node_->wire.sent, SizeIs(3));
  code_ = 200;
  EXPECT_EQ(expedite(hook).value(), 3U);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2, 3, 1, 2, 3));
  EXPECT_EQ(node_->calls(hook).back().attempt, 2);
  EXPECT_FALSE(node_->calls(hook).back().resent);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  EXPECT_EQ(expedite(hook).value(), 0U);
}

TEST_F(OrderTest, AnExpeditedRetryThatFailsWaitsForTheNextDelay) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  (void)expedite(hook);
  ASSERT_THAT(node_->wire.sent, SizeIs(2));
  node_->advance(29'999ms);
  EXPECT_THAT(node_->wire.sent, SizeIs(2));
  node_->advance(3'001ms);
  EXPECT_THAT(node_->wire.sent, SizeIs(3));
}

TEST_F(OrderTest, AnAnsweredExpediteSurvivesACrash) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(20);
  hang(); // eight are in flight again, twelve wait
  ASSERT_EQ(expedite(hook).value(), 20U);
  code_ = 200;
  restart();
  EXPECT_THAT(node_->wire.sent, SizeIs(20));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

// -- drop ---------------------------------------------------------------------

TEST_F(OrderTest, DroppedRetriesAreLoggedAsGivenUpAndNeverMade) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(3);
  EXPECT_EQ(drop(hook).value(), 3U);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  const auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(6));
  for (std::size_t i = 3; i < 6; ++i) {
    EXPECT_EQ(calls[i].result, outcome::given_up);
    EXPECT_EQ(calls[i].reason, "given up: its retries were dropped");
  }
  node_->advance(100h);
  EXPECT_THAT(node_->wire.sent, SizeIs(3));
  EXPECT_EQ(drop(hook).value(), 0U);
}

TEST_F(OrderTest, OnlyTheRetriesThatAreNamedAreDropped) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(4);
  EXPECT_EQ(drop(hook, {2, 4, 9}).value(), 2U);
  EXPECT_EQ(drop(hook, {2, 4}).value(), 0U);
  EXPECT_EQ(drop(hook, std::vector<position>{}).value(), 0U);
  std::vector<position> left;
  for (const auto& r : node_->retries(hook))
    left.push_back(r.subject);
  EXPECT_THAT(left, ::testing::UnorderedElementsAre(1, 3));
  std::vector<position> ended;
  for (const auto& c : node_->calls(hook))
    if (c.reason == "given up: its retries were dropped")
      ended.push_back(c.subject);
  EXPECT_THAT(ended, ::testing::UnorderedElementsAre(2, 4));
  code_ = 200;
  node_->advance(100h);
  EXPECT_THAT(node_->wire.sent, SizeIs(6));
  restart();
  node_->advance(100h);
  EXPECT_THAT(node_->wire.sent, IsEmpty());
}

TEST_F(OrderTest, OfThoseInFlightOrBeingReadOnlyTheNamedOnesEnd) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(2);
  hang();
  node_->advance(6s);
  ASSERT_THAT(node_->wire.sent, SizeIs(4));
  EXPECT_EQ(drop(hook, {1}).value(), 0U);
  for (const auto at : {2, 3})
    node_->wire.answer(static_cast<std::size_t>(at), status(500));
  node_->run();
  ASSERT_THAT(node_->retries(hook), SizeIs(1));
  EXPECT_EQ(node_->retries(hook)[0].subject, 2U);
  node_->hold_reads = true;
  node_->publish();
  node_->wire.answer(4, status(500));
  node_->run();
  node_->advance(60s);
  ASSERT_GT(node_->reader.waiting(), 0U);
  EXPECT_EQ(drop(hook, {2}).value(), 1U);
  EXPECT_THAT(node_->retries(hook), SizeIs(1));
}

TEST_F(OrderTest, OneThatWasHeldWithoutAnAttemptUsedIsDroppedToo) {
  auto hook = node_->add_webhook();
  node_->wire.script = [](const fake_wire::exchange&) {
    auto r = status(429);
    r.retry_after = "30";
    return std::optional{r};
  };
  node_->publish();
  ASSERT_THAT(node_->retries(hook), SizeIs(1));
  EXPECT_EQ(node_->retries(hook)[0].attempt, 1);
  EXPECT_EQ(drop(hook).value(), 1U);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(OrderTest, ARetryInFlightThatIsDroppedIsNotTriedAgain) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  hang();
  node_->advance(6s);
  ASSERT_THAT(node_->wire.sent, SizeIs(2));
  EXPECT_EQ(drop(hook).value(), 0U);
  node_->wire.answer(1, status(500));
  node_->run();
  EXPECT_EQ(node_->calls(hook).back().result, outcome::given_up);
  EXPECT_THAT(node_->calls(hook).back().reason, HasSubstr("answered 500"));
  EXPECT_THAT(node_->calls(hook).back().reason, HasSubstr("dropped"));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(OrderTest, AFirstAttemptInFlightIsNotDropped) {
  auto hook = node_->add_webhook();
  hang();
  node_->publish();
  EXPECT_EQ(drop(hook).value(), 0U);
  node_->wire.answer(0, status(500));
  node_->run();
  EXPECT_THAT(node_->retries(hook), SizeIs(1));
}

TEST_F(OrderTest, RetriesThatAreBeingReadCanBeDropped) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(3);
  node_->hold_reads = true;
  node_->advance(6s); // asked for, not read yet
  ASSERT_GT(node_->reader.waiting(), 0U);
  EXPECT_EQ(drop(hook).value(), 3U);
  node_->hold_reads = false;
  node_->advance(100h);
  EXPECT_THAT(node_->wire.sent, SizeIs(3));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(OrderTest, ManyAreDroppedInPortionsThatTheDiskTakes) {
  constexpr std::size_t many = 10'000;
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(many);
  node_->run();
  ASSERT_THAT(node_->retries(hook), SizeIs(many));
  node_->store.largest_commit = 0;
  EXPECT_EQ(drop(hook).value(), many);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  EXPECT_LE(node_->store.largest_commit, commit_queue::congestion_limit + 10);
}

// -- resend -------------------------------------------------------------------

TEST_F(OrderTest, ADeliveredNotificationIsSentAgainWithAScheduleOfItsOwn) {
  auto hook = node_->add_webhook();
  node_->publish();
  code_ = 500;
  const auto queued = resend(hook, 1);
  ASSERT_TRUE(queued);
  EXPECT_EQ(queued->attempt, 1);
  EXPECT_TRUE(queued->resent);
  ASSERT_THAT(node_->wire.ids(), ElementsAre(1, 1));
  EXPECT_EQ(node_->wire.sent[0].what->body, node_->wire.sent[1].what->body);
  auto last = node_->calls(hook).back();
  EXPECT_EQ(last.attempt, 1);
  EXPECT_TRUE(last.resent);
  EXPECT_EQ(last.result, outcome::retried);
  code_ = 200;
  node_->advance(6s);
  last = node_->calls(hook).back();
  EXPECT_EQ(last.attempt, 2);
  EXPECT_TRUE(last.resent);
  EXPECT_EQ(last.result, outcome::delivered);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(OrderTest, AnAnsweredResendSurvivesACrash) {
  auto hook = node_->add_webhook();
  node_->publish();
  node_->checkpoint();
  hang();
  ASSERT_TRUE(resend(hook, 1));
  restart();
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1));
  EXPECT_THAT(replayed(hook), ElementsAre(1));
}

TEST_F(OrderTest, AResendOfWhatWaitsBringsItForward) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  hang();
  const auto queued = resend(hook, 1);
  ASSERT_TRUE(queued);
  EXPECT_EQ(queued->attempt, 2);
  EXPECT_FALSE(queued->resent);
  ASSERT_THAT(node_->wire.sent, SizeIs(2));
  node_->wire.answer(1, status(200));
  node_->run();
  node_->advance(100h);
  EXPECT_THAT(node_->wire.sent, SizeIs(2));
}

TEST_F(OrderTest, AResendIsRefusedWhileAnAttemptIsInFlightOrItIsDisabled) {
  auto hook = node_->add_webhook();
  hang();
  node_->publish();
  EXPECT_EQ(resend(hook, 1).error().code, ec::conflict);
  node_->wire.answer(0, status(200));
  node_->run();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  EXPECT_EQ(resend(hook, 1).error().code, ec::conflict);
}

TEST_F(OrderTest, AnOldNotificationIsNotTooOldToBeSentAgain) {
  auto hook = node_->add_webhook();
  node_->publish();
  node_->advance(200h); // more than the maximum age
  code_ = 500;
  ASSERT_TRUE(resend(hook, 1));
  node_->advance(1s);
  EXPECT_EQ(node_->calls(hook).back().result, outcome::retried);
  node_->advance(100h);
  EXPECT_EQ(node_->calls(hook).back().result, outcome::given_up);
  EXPECT_EQ(node_->calls(hook).back().attempt, 12);
}

TEST_F(OrderTest, AnAttemptMadeAfterReenablingIsTriedAgain) {
  auto hook = node_->add_webhook();
  node_->publish();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = true; });
  code_ = 500;
  ASSERT_TRUE(resend(hook, 1));
  EXPECT_EQ(node_->calls(hook).back().result, outcome::retried);
}

// -- test ---------------------------------------------------------------------

TEST_F(OrderTest, ATestIsOneAttemptAndAnswersItsCall) {
  auto hook = node_->add_webhook();
  const auto at = node_->publish(1, 0); // of no type: it matches nobody
  ASSERT_THAT(node_->wire.sent, IsEmpty());
  const auto what = *node_->store.journal().find(at);
  code_ = 500;
  const auto made = ask<call, test_order>(hook, what);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 500);
  EXPECT_EQ(made->result, outcome::given_up);
  EXPECT_EQ(made->id, 1U);
  node_->advance(100h);
  EXPECT_THAT(node_->wire.sent, SizeIs(1));
}

TEST_F(OrderTest, ADisabledWebhookCanBeTestedAndStaysDisabled) {
  auto hook = node_->add_webhook();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  const auto at = node_->publish(1, 0);
  const auto what = *node_->store.journal().find(at);
  const auto made = ask<call, test_order>(hook, what);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->result, outcome::delivered);
  node_->publish();
  EXPECT_THAT(node_->wire.sent, SizeIs(1));
}

TEST_F(OrderTest, ATestThatIsAnsweredGoneDoesNotDisable) {
  auto hook = node_->add_webhook();
  const auto at = node_->publish(1, 0);
  const auto what = *node_->store.journal().find(at);
  code_ = 410;
  const auto made = ask<call, test_order>(hook, what);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->result, outcome::given_up);
  EXPECT_TRUE(node_->store.registry().find_webhook(hook)->current().enabled);
}

TEST_F(OrderTest, ATestOfAnUnreachableUrlSaysWhy) {
  auto hook = node_->add_webhook("http://127.0.0.1:99999/");
  const auto at = node_->publish(1, 0);
  const auto made = ask<call, test_order>(hook,
                                          *node_->store.journal().find(at));
  ASSERT_TRUE(made);
  EXPECT_THAT(made->reason, HasSubstr("target URL"));
}

TEST_F(OrderTest, AnOrderThatTheActorDoesNotLiveToCarryOutIsAnswered) {
  auto hook = node_->add_webhook();
  hang();
  const auto at = node_->publish(1, 0);
  auto place = std::make_shared<std::optional<result<call>>>();
  node_->crew.router().send(
    atom::order_v, hook,
    std::make_shared<const webhook_order>(
      test_order{*node_->store.journal().find(at),
                 reply<call>{[place](result<call> r) { *place = r; }}}));
  node_->run();
  EXPECT_FALSE(place->has_value());
  caf::anon_send_exit(node_->workers[hook], caf::exit_reason::kill);
  node_->run();
  ASSERT_TRUE(place->has_value());
  EXPECT_EQ((*place)->error().code, ec::stopping);
}

// -- replay -------------------------------------------------------------------

TEST_F(OrderTest, AReplaySendsAgainWhatIsSelectedInOrderAndMarksItsCalls) {
  auto hook = node_->add_webhook();
  node_->publish(5);
  node_->publish(2, 2); // of another type
  const auto begun = begin_replay(hook, {});
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->count, 5U);
  EXPECT_THAT(replayed(hook), ElementsAre(1, 2, 3, 4, 5));
  const auto ended = progress(hook);
  EXPECT_EQ(ended.state, replay_state::done);
  EXPECT_EQ(ended.queued, 5U);
  EXPECT_TRUE(ended.ended);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(OrderTest, AReplaySelectsByTimeAndFailure) {
  auto hook = node_->add_webhook();
  node_->publish(2);
  node_->advance(10s);
  const auto since = clock_.now();
  node_->publish();
  code_ = 500;
  node_->publish(2);
  (void)drop(hook);
  code_ = 200;
  node_->advance(10s);
  const auto until = clock_.now();
  node_->publish();
  ASSERT_TRUE(begin_replay(
    hook, {.since = since, .until = until, .only_failed = true, .rate = 0}));
  EXPECT_THAT(replayed(hook), ElementsAre(4, 5));
}

TEST_F(OrderTest, WhatWaitsAnywayIsSkipped) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(3);
  const auto begun = begin_replay(hook, {});
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->count, 0U);
  EXPECT_EQ(begun->skipped, 3U);
  EXPECT_EQ(progress(hook).state, replay_state::done);
}

TEST_F(OrderTest, AReplayKeepsItsPace) {
  auto hook = node_->add_webhook();
  node_->publish(50);
  const auto before = node_->wire.sent.size();
  const auto begun = clock_.now();
  ASSERT_TRUE(begin_replay(hook, {.rate = 2}));
  node_->advance(60s);
  EXPECT_THAT(node_->wire.sent, SizeIs(before + 50));
  for (std::size_t i = 0; i < 50; ++i)
    EXPECT_EQ(node_->wire.sent[before + i].when - begun, i * 500ms) << i;
  EXPECT_EQ(progress(hook).state, replay_state::done);
}

TEST_F(OrderTest, AReplayGoesOnAfterACrashWithoutRepeats) {
  auto hook = node_->add_webhook();
  node_->publish(30);
  ASSERT_TRUE(begin_replay(hook, {.rate = 1}));
  node_->advance(10'500ms);
  ASSERT_THAT(replayed(hook), SizeIs(11));
  restart();
  node_->advance(10s); // no faster than before
  EXPECT_THAT(replayed(hook), SizeIs(::testing::Le(22U)));
  node_->advance(60s);
  const auto all = replayed(hook);
  EXPECT_THAT(all, SizeIs(30));
  EXPECT_EQ(std::set<position>(all.begin(), all.end()).size(), 30U);
  EXPECT_EQ(progress(hook).state, replay_state::done);
  EXPECT_EQ(progress(hook).queued, 30U);
}

TEST_F(OrderTest, AReplayGoesOnAfterACrashOfItsActor) {
  auto hook = node_->add_webhook();
  node_->publish(1'000);
  ASSERT_TRUE(begin_replay(hook, {.rate = 100}));
  node_->advance(3s);
  caf::anon_send_exit(node_->workers[hook], caf::exit_reason::kill);
  node_->run();
  node_->crew.router().send(atom::revive_v, hook);
  node_->run();
  node_->advance(60s);
  const auto all = replayed(hook);
  EXPECT_EQ(std::set<position>(all.begin(), all.end()).size(), 1'000U);
  EXPECT_EQ(progress(hook).state, replay_state::done);
}

TEST_F(OrderTest, OnlyOneReplayOfAWebhookRunsAtATime) {
  auto hook = node_->add_webhook();
  node_->publish(10);
  ASSERT_TRUE(begin_replay(hook, {.rate = 1}));
  EXPECT_EQ(begin_replay(hook, {}).error().code, ec::conflict);
  node_->advance(20s);
  EXPECT_TRUE(begin_replay(hook, {}));
}

TEST_F(OrderTest, ACancelledReplaySendsNothingMoreAndLogsWhatWaited) {
  auto hook = node_->add_webhook();
  node_->publish(100);
  ASSERT_TRUE(begin_replay(hook, {.rate = 1}));
  node_->advance(2'500ms);
  const auto before = node_->wire.sent.size();
  const auto ended = ask<replay, cancel_order>(hook);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state, replay_state::cancelled);
  EXPECT_EQ(progress(hook).state, replay_state::cancelled);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  node_->advance(100h);
  EXPECT_THAT(node_->wire.sent, SizeIs(before));
  std::size_t given_up = 0;
  for (const auto& c : node_->calls(hook))
    given_up += c.reason == "given up: its replay was cancelled" ? 1U : 0U;
  EXPECT_EQ(given_up + 3, progress(hook).queued);
  EXPECT_EQ((ask<replay, cancel_order>(hook).error().code), ec::not_found);
  restart();
  node_->advance(1h);
  EXPECT_THAT(node_->wire.sent, IsEmpty());
}

TEST_F(OrderTest, DisablingCancelsAReplay) {
  auto hook = node_->add_webhook();
  node_->publish(100);
  ASSERT_TRUE(begin_replay(hook, {.rate = 1}));
  node_->advance(2'500ms);
  const auto before = node_->wire.sent.size();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = true; });
  node_->advance(1h);
  EXPECT_THAT(node_->wire.sent, SizeIs(before));
  EXPECT_EQ(progress(hook).state, replay_state::cancelled);
}

TEST_F(OrderTest, NewNotificationsDoNotWaitForAReplay) {
  auto hook = node_->add_webhook();
  node_->publish(2'000);
  hang();
  ASSERT_TRUE(begin_replay(hook, {}));
  const auto fresh = node_->publish();
  // Eight are in flight; of the next two, one is the new one.
  for (std::size_t i = 0; i < 2; ++i) {
    node_->wire.answer(node_->wire.open.front(), status(200));
    node_->run();
  }
  EXPECT_EQ(std::ranges::count(node_->wire.ids(), fresh), 1);
}

TEST_F(OrderTest, WhatFailsInAReplayIsTriedAgainAndTheReplayIsDone) {
  auto hook = node_->add_webhook();
  node_->publish(3);
  code_ = 500;
  ASSERT_TRUE(begin_replay(hook, {}));
  EXPECT_EQ(progress(hook).state, replay_state::done);
  ASSERT_THAT(node_->retries(hook), SizeIs(3));
  for (const auto& r : node_->retries(hook))
    EXPECT_TRUE(r.resent);
  code_ = 200;
  node_->advance(6s);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(OrderTest, AReplayEndsAlthoughOneOfItsOwnIsBeingSentAgain) {
  auto hook = node_->add_webhook();
  node_->publish(10);
  node_->wire.script = [](const fake_wire::exchange& e) {
    return e.what->id == 8 ? std::nullopt : std::optional{status(200)};
  };
  ASSERT_TRUE(begin_replay(hook, {.rate = 1}));
  ASSERT_TRUE(resend(hook, 8));
  ASSERT_THAT(node_->wire.open, SizeIs(1));
  node_->advance(25s);
  EXPECT_EQ(progress(hook).state, replay_state::done);
  node_->wire.answer(node_->wire.open.front(), status(200));
  node_->run();
  EXPECT_TRUE(begin_replay(hook, {.since = clock_.now()}));
  node_->advance(1h);
  EXPECT_EQ(std::ranges::count(node_->wire.ids(), position{8}), 2);
  EXPECT_THAT(replayed(hook), SizeIs(10));
}

TEST_F(OrderTest, AReplayTakesTheRetryOfAFailedResendOver) {
  auto hook = node_->add_webhook();
  node_->publish(10);
  ASSERT_TRUE(begin_replay(hook, {.rate = 1}));
  code_ = 500;
  ASSERT_TRUE(resend(hook, 8));
  EXPECT_THAT(node_->retries(hook), SizeIs(5)) << "1 is sent, 8 has failed";
  code_ = 200;
  node_->advance(1h);
  EXPECT_EQ(progress(hook).state, replay_state::done);
  EXPECT_EQ(std::ranges::count(node_->wire.ids(), position{8}), 3);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(OrderTest, AResendBringsForwardWhatAReplayHasStored) {
  auto hook = node_->add_webhook();
  node_->publish(5);
  std::optional<result<retry>> answer;
  std::size_t commits = 0;
  node_->store.on_commit = [&]() -> result<void> {
    if (++commits == 2) { // of the portion that is handed over
      node_->crew.router().send(
        atom::order_v, hook,
        std::make_shared<const webhook_order>(resend_order{
          5, reply<retry>{[&](result<retry> r) { answer = std::move(r); }}}));
      node_->sys.sched.run();
    }
    return {};
  };
  ASSERT_TRUE(begin_replay(hook, {.rate = 1}));
  ASSERT_TRUE(answer && *answer);
  EXPECT_TRUE((*answer)->by_replay);
  EXPECT_THAT(replayed(hook), ElementsAre(1, 5));
  node_->advance(1h);
  EXPECT_THAT(replayed(hook), ElementsAre(1, 5, 2, 3, 4));
  EXPECT_EQ(progress(hook).state, replay_state::done);
}

TEST_F(OrderTest, WhatIsSentAgainBeforeItsTurnIsSentOnce) {
  node_options options;
  options.max_in_flight = 2;
  start(options);
  auto hook = node_->add_webhook();
  hang();
  node_->publish(4);
  ASSERT_TRUE(resend(hook, 4));
  for (std::size_t i = 0; i < 3; ++i) {
    node_->wire.answer(i, status(200));
    node_->run();
  }
  ASSERT_THAT(node_->wire.ids(), ElementsAre(1, 2, 3, 4)) << "4 is in flight";
  node_->wire.answer(3, status(200));
  node_->advance(1h);
  EXPECT_THAT(node_->wire.sent, SizeIs(4));
  EXPECT_EQ(node_->slots[hook]->settled_upto, 4U);
}

TEST_F(OrderTest, AnActorWithAReplayIsNotPassivated) {
  start({.idle_checkpoints = 1});
  auto hook = node_->add_webhook();
  node_->publish(3);
  ASSERT_TRUE(begin_replay(hook, {.rate = 0.1}));
  for (int i = 0; i < 5; ++i)
    node_->checkpoint();
  node_->advance(60s);
  EXPECT_THAT(replayed(hook), SizeIs(3));
  for (int i = 0; i < 5; ++i)
    node_->checkpoint();
  EXPECT_EQ(node_->active_webhooks, 0U);
}

} // namespace

} // namespace fanfare::test
