// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// How fast a webhook may be called, by times that the test gives.

#include "actors/webhook/pace.hpp"

#include "tests/actors/support/start.hpp"

#include <gtest/gtest.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using reason = pace::reason;
using breaker = pace::breaker_state;

class PaceTest : public ::testing::Test {
protected:
  pace_policy policy_{.cap = 8,
                      .breaker_failures = 3,
                      .breaker_pause = 10s,
                      .breaker_longest = 300s};
  pace pace_;
  timestamp now_ = start;

  void configure() {
    pace_.configure(policy_);
  }

  reason ask(std::size_t in_flight = 0, bool resumed = false) {
    return pace_.ask(now_, in_flight, resumed).why;
  }

  /// A request that takes so long and ends with this status.
  bool call(std::uint16_t status, std::chrono::milliseconds took = 10ms,
            std::optional<timestamp> retry_after = {}) {
    const auto began = now_;
    pace_.started(began, false);
    now_ += took;
    const pace::ending how{.status = status,
                           .started = began,
                           .took = took,
                           .answer = took,
                           .retry_after = retry_after};
    if (status >= 200 && status < 300)
      return pace_.succeeded(how);
    pace_.failed(now_, how);
    return false;
  }
};

// -- rate ---------------------------------------------------------------------

TEST_F(PaceTest, ARateLetsItsCountGoAtOnceAndThenOnePerShare) {
  policy_.rate = {.count = 3, .period = 3'000ms};
  configure();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(ask(), reason::none);
    pace_.started(now_, false);
  }
  const auto held = pace_.ask(now_, 0, false);
  EXPECT_EQ(held.why, reason::rate);
  EXPECT_EQ(held.until, now_ + 1'000ms);
  now_ += 999ms;
  EXPECT_EQ(ask(), reason::rate);
  now_ += 1ms;
  EXPECT_EQ(ask(), reason::none);
  pace_.started(now_, false);
  EXPECT_EQ(ask(), reason::rate);
  now_ += 1h; // no more than its count is saved up
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(), reason::none);
    pace_.started(now_, false);
  }
  EXPECT_EQ(ask(), reason::rate);
}

TEST_F(PaceTest, ARequestThatWentOutTwiceCountsTwice) {
  policy_.rate = {.count = 2, .period = 2'000ms};
  configure();
  pace_.started(now_, false);
  pace_.repeated(now_);
  auto held = pace_.ask(now_, 0, false);
  EXPECT_EQ(held.why, reason::rate);
  EXPECT_EQ(held.until, now_ + 1'000ms);
  // Also if there was no token left for it.
  now_ += 1'000ms;
  EXPECT_EQ(ask(), reason::none);
  pace_.started(now_, false);
  pace_.repeated(now_);
  held = pace_.ask(now_, 0, false);
  EXPECT_EQ(held.until, now_ + 2'000ms);
}

TEST_F(PaceTest, ARateIsKeptByEditsOfOtherSettings) {
  policy_.rate = {.count = 1, .period = 1'000ms};
  configure();
  pace_.started(now_, false);
  policy_.cap = 4;
  configure();
  EXPECT_EQ(ask(), reason::rate);
  policy_.rate = {.count = 2, .period = 1'000ms};
  configure();
  EXPECT_EQ(ask(), reason::none);
  policy_.rate.reset();
  configure();
  for (int i = 0; i < 100; ++i)
    pace_.started(now_, false);
  EXPECT_EQ(ask(), reason::none);
}

TEST_F(PaceTest, OnlyWhatWasHeldByAPauseGoesAtTheRateOfResuming) {
  policy_.resume_rate = {.count = 1, .period = 1'000ms};
  configure();
  EXPECT_EQ(ask(0, true), reason::none);
  pace_.started(now_, true);
  EXPECT_EQ(ask(0, true), reason::rate);
  EXPECT_EQ(ask(0, false), reason::none);
  now_ += 1'000ms;
  EXPECT_EQ(ask(0, true), reason::none);
}

TEST_F(PaceTest, AClockThatIsSetBackDoesNotStopARate) {
  policy_.rate = {.count = 1, .period = 1'000ms};
  configure();
  pace_.started(now_, false);
  now_ -= 24h;
  EXPECT_EQ(ask(), reason::rate);
  now_ += 1'000ms;
  EXPECT_EQ(ask(), reason::none);
}

TEST_F(PaceTest, AChangeOfTheRateCountsWhatWasTaken) {
  policy_.rate = {.count = 10, .period = 60'000ms};
  configure();
  for (int i = 0; i < 10; ++i)
    pace_.started(now_, false);
  EXPECT_EQ(ask(), reason::rate);
  policy_.rate = {.count = 5, .period = 60'000ms};
  configure();
  EXPECT_EQ(ask(), reason::rate);
  policy_.rate = {.count = 12, .period = 60'000ms};
  configure();
  for (int i = 0; i < 7; ++i) {
    ASSERT_EQ(ask(), reason::none);
    pace_.started(now_, false);
  }
  EXPECT_EQ(ask(), reason::rate) << "five of the twelve were taken";
}

TEST_F(PaceTest, ATestDoesNotProbeForTheBreaker) {
  policy_.breaker_failures = 1;
  configure();
  pace_.failed(now_, {.status = 500});
  now_ = pace_.open_until();
  pace_.started(now_, false, true);
  EXPECT_EQ(pace_.breaker(), pace::breaker_state::open);
  pace_.withdrawn(now_);
  pace_.started(now_, false);
  EXPECT_EQ(pace_.breaker(), pace::breaker_state::half_open);
}

TEST_F(PaceTest, AShorterPeriodOwesNothingOfTheLongerOne) {
  policy_.rate = {.count = 1'000, .period = 3'600'000ms};
  configure();
  for (int i = 0; i < 900; ++i)
    pace_.started(now_, false);
  policy_.rate = {.count = 10, .period = 1'000ms};
  configure();
  EXPECT_EQ(ask(), reason::rate);
  now_ += 100ms;
  EXPECT_EQ(ask(), reason::none) << "not after 89 s";
}

TEST_F(PaceTest, ARateSurvivesAClockThatWasSetBack) {
  policy_.rate = {.count = 2, .period = 60'000ms};
  configure();
  // As the log has them: the newest entry first.
  pace_.restore_rate({now_ - 30s, now_ - 1s}, true, now_);
  EXPECT_EQ(ask(), reason::rate);
  now_ += 30s;
  EXPECT_EQ(ask(), reason::none) << "one has come back";
}

TEST_F(PaceTest, ARateSurvivesARestart) {
  policy_.rate = {.count = 10, .period = 60'000ms};
  configure();
  pace_.restore_rate(std::vector<timestamp>(10, now_ - 1s), false, now_);
  EXPECT_EQ(ask(), reason::rate) << "the ten were taken";
  now_ += 5s;
  EXPECT_EQ(ask(), reason::none) << "one has come back";
  pace_.started(now_, false);
  EXPECT_EQ(ask(), reason::rate);

  pace_ = pace{};
  configure();
  pace_.restore_rate({now_ - 1s, now_ - 2s}, true, now_);
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(ask(), reason::none) << i;
    pace_.started(now_, false);
  }
  EXPECT_EQ(ask(), reason::rate);
}

TEST_F(PaceTest, WhatIsNotKnownOfTheTimeBeforeARestartWasUsedUp) {
  policy_.rate = {.count = 1'000, .period = 3'600'000ms};
  configure();
  // Of the rest of the hour nothing is known.
  pace_.restore_rate(std::vector<timestamp>(40, now_ - 1s), false, now_);
  EXPECT_EQ(ask(), reason::rate);
  now_ += 2'600ms; // one comes back in 3.6 s
  EXPECT_EQ(ask(), reason::none);
  pace_.started(now_, false);
  EXPECT_EQ(ask(), reason::rate);

  pace_ = pace{};
  configure();
  pace_.restore_rate({}, false, now_);
  EXPECT_EQ(ask(), reason::rate) << "since the start";
  now_ += 3'600ms;
  EXPECT_EQ(ask(), reason::none);

  pace_ = pace{};
  configure();
  pace_.restore_rate({}, true, now_);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(ask(), reason::none) << i;
    pace_.started(now_, false);
  }
}

// -- Retry-After --------------------------------------------------------------

TEST_F(PaceTest, RetryAfterHoldsEverythingUntilThen) {
  configure();
  call(503, 10ms, now_ + 30s);
  EXPECT_EQ(pace_.ask(now_, 0, false).until, start + 30s);
  EXPECT_EQ(ask(), reason::retry_after);
  now_ = start + 30s - 1ms;
  EXPECT_EQ(ask(), reason::retry_after);
  now_ += 1ms;
  EXPECT_EQ(ask(), reason::none);
}

TEST_F(PaceTest, RetryAfterIsBoundedAndNotTakenFromASuccess) {
  configure();
  call(200, 10ms, now_ + 30s);
  EXPECT_EQ(ask(), reason::none);
  call(429, 10ms, now_ + 24h * 365);
  EXPECT_EQ(pace_.held_until(), now_ + 1h);
  now_ += 1h - 1ms;
  EXPECT_EQ(ask(), reason::retry_after);
  now_ += 1ms;
  EXPECT_EQ(ask(), reason::none);
}

TEST_F(PaceTest, OnlyABusyReceiverIsWaitedFor) {
  configure();
  policy_.breaker_failures = 0;
  configure();
  for (const auto status :
       std::initializer_list<std::uint16_t>{400, 404, 500, 502}) {
    call(status, 10ms, now_ + 30s);
    EXPECT_EQ(ask(), reason::none) << status;
  }
  call(429, 10ms, now_ - 1s);
  EXPECT_EQ(ask(), reason::none) << "that time has passed";
  call(429, 10ms, now_ + 30s);
  EXPECT_EQ(ask(), reason::retry_after);
}

TEST_F(PaceTest, ASuccessEndsAHold) {
  configure();
  call(503, 10ms, now_ + 1h);
  EXPECT_EQ(ask(), reason::retry_after);
  call(200); // it was in flight
  EXPECT_EQ(ask(), reason::none);
}

TEST_F(PaceTest, AHoldIsLiftedByWhoeverWantsItSentNow) {
  configure();
  call(503, 10ms, now_ + 1h);
  pace_.lift_hold();
  EXPECT_EQ(ask(), reason::none);
}

TEST_F(PaceTest, AHoldSurvivesARestart) {
  configure();
  pace_.restore(1, start, start + 30s);
  EXPECT_EQ(ask(), reason::retry_after);
  EXPECT_EQ(pace_.ask(now_, 0, false).until, start + 30s);
  now_ = start + 30s;
  EXPECT_EQ(ask(), reason::none);
}

TEST_F(PaceTest, AShorterRetryAfterDoesNotEndALongerOne) {
  configure();
  call(503, 10ms, now_ + 60s);
  call(503, 10ms, now_ + 1s);
  now_ = start + 30s;
  EXPECT_EQ(ask(), reason::retry_after);
}

// -- concurrency --------------------------------------------------------------

TEST_F(PaceTest, BeginsAtItsCap) {
  configure();
  EXPECT_EQ(ask(7), reason::none);
  EXPECT_EQ(ask(8), reason::concurrency);
}

TEST_F(PaceTest, FailuresThatMeanTooBusyHalveItDownToOne) {
  policy_.breaker_failures = 0;
  configure();
  for (const auto code : {429, 503, 0}) {
    pace_.reset();
    std::vector<std::size_t> seen;
    for (int i = 0; i < 4; ++i) {
      call(static_cast<std::uint16_t>(code));
      seen.push_back(pace_.concurrency());
    }
    EXPECT_EQ(seen, (std::vector<std::size_t>{4, 2, 1, 1})) << code;
  }
}

TEST_F(PaceTest, AnswersAboutTheContentDoNotShrinkIt) {
  policy_.breaker_failures = 0;
  configure();
  for (const auto code : {400, 404, 301, 410, 422})
    call(static_cast<std::uint16_t>(code));
  EXPECT_EQ(pace_.concurrency(), 8U);
}

TEST_F(PaceTest, FailuresOfTheSameRoundCountOnce) {
  policy_.breaker_failures = 0;
  configure();
  for (int i = 0; i < 8; ++i)
    pace_.started(now_, false);
  const auto began = now_;
  now_ += 1s;
  for (int i = 0; i < 8; ++i)
    pace_.failed(now_, {.status = 503, .started = began});
  EXPECT_EQ(pace_.concurrency(), 4U);
}

TEST_F(PaceTest, SuccessesLetItGrowByOneARoundHoweverLongTheyTake) {
  policy_.breaker_failures = 0;
  configure();
  for (const auto took : {1ms, 1'500ms, 25'000ms}) {
    pace_.reset();
    call(503);
    ASSERT_EQ(pace_.concurrency(), 4U);
    for (int i = 0; i < 3; ++i)
      call(200, took);
    EXPECT_EQ(pace_.concurrency(), 4U) << "the round is not over";
    call(200, took);
    EXPECT_EQ(pace_.concurrency(), 5U);
    for (int i = 0; i < 100; ++i)
      call(200, took);
    EXPECT_EQ(pace_.concurrency(), 8U) << "never above its cap";
  }
}

TEST_F(PaceTest, WhatWasTooMuchIsNotTriedAgainAtOnce) {
  policy_.breaker_failures = 0;
  configure();
  call(503);
  for (int i = 0; i < 4 + 5 + 6; ++i)
    call(200);
  ASSERT_EQ(pace_.concurrency(), 7U);
  for (int i = 0; i < 4 * 7; ++i) {
    call(200);
    EXPECT_EQ(pace_.concurrency(), 7U);
  }
  for (int i = 0; i < 7; ++i)
    call(200);
  ASSERT_EQ(pace_.concurrency(), 8U);
  call(503);
  for (int i = 0; i < 4 + 5 + 6 + 8 * 7; ++i)
    call(200);
  EXPECT_EQ(pace_.concurrency(), 7U) << "twice as long";
  for (int i = 0; i < 7; ++i)
    call(200);
  EXPECT_EQ(pace_.concurrency(), 8U);
}

TEST_F(PaceTest, AnswersThatTakeMoreThanTwiceAsLongAsUsualShrinkIt) {
  configure();
  for (int i = 0; i < 8; ++i)
    call(200, 1s);
  for (int i = 0; i < 8; ++i)
    call(200, 2s);
  EXPECT_EQ(pace_.concurrency(), 8U);
  for (int i = 0; i < 8; ++i)
    call(200, 3s);
  EXPECT_EQ(pace_.concurrency(), 7U);
  // Of fewer, fewer wait.
  for (int i = 0; i < 7; ++i)
    call(200, 2'500ms);
  EXPECT_EQ(pace_.concurrency(), 7U);
}

TEST_F(PaceTest, AnswersThatAreQuickInAnyCaseDoNotShrinkIt) {
  configure();
  for (int i = 0; i < 8; ++i)
    call(200, 1ms);
  for (int i = 0; i < 8; ++i)
    call(200, 200ms);
  EXPECT_EQ(pace_.concurrency(), 8U);
}

TEST_F(PaceTest, AClockThatIsSetBackDoesNotFreezeTheConcurrency) {
  policy_.breaker_failures = 0;
  configure();
  call(503);
  now_ -= 24h;
  call(503);
  EXPECT_EQ(pace_.concurrency(), 2U);
  now_ -= 24h;
  for (int i = 0; i < 100; ++i)
    call(200);
  EXPECT_EQ(pace_.concurrency(), 8U);
}

TEST_F(PaceTest, WhatSaysNothingOfTheReceiverDoesNotFreezeTheConcurrency) {
  configure();
  for (int i = 0; i < 3; ++i)
    call(500);
  now_ += policy_.breaker_pause;
  ASSERT_TRUE(call(200));
  ASSERT_EQ(pace_.concurrency(), 1U);
  // As a test call, or one that this machine could not make.
  const auto takes_a_place = [this] {
    const auto began = now_;
    pace_.started(began, false);
    now_ += 10ms;
    pace_.withdrawn(began);
  };
  takes_a_place();
  for (int i = 0; i < 60; ++i) {
    if (i % 7 == 0)
      takes_a_place();
    call(200);
  }
  EXPECT_EQ(pace_.concurrency(), 8U);
}

TEST_F(PaceTest, AnotherCapHoldsAtOnce) {
  configure();
  policy_.cap = 2;
  configure();
  EXPECT_EQ(ask(2), reason::concurrency);
  policy_.cap = 16;
  configure();
  EXPECT_EQ(ask(15), reason::none);
}

// -- breaker ------------------------------------------------------------------

TEST_F(PaceTest, TheBreakerOpensAfterFailuresInARow) {
  configure();
  call(500);
  call(500);
  EXPECT_FALSE(call(200));
  call(400);
  call(500);
  EXPECT_EQ(pace_.breaker(), breaker::closed);
  call(0);
  EXPECT_EQ(pace_.breaker(), breaker::open);
  EXPECT_EQ(ask(), reason::breaker);
  EXPECT_EQ(pace_.ask(now_, 0, false).until, now_ + policy_.breaker_pause);
}

TEST_F(PaceTest, OneCallProbesAndASuccessClosesItWithARamp) {
  configure();
  for (int i = 0; i < 3; ++i)
    call(500);
  now_ += policy_.breaker_pause - 1ms;
  EXPECT_EQ(ask(), reason::breaker);
  now_ += 1ms;
  EXPECT_EQ(ask(1), reason::concurrency) << "it goes alone";
  ASSERT_EQ(ask(0), reason::none);
  pace_.started(now_, false);
  EXPECT_EQ(pace_.breaker(), breaker::half_open);
  EXPECT_EQ(ask(1), reason::concurrency);
  EXPECT_TRUE(pace_.succeeded({.status = 200, .started = now_}));
  EXPECT_EQ(pace_.breaker(), breaker::closed);
  EXPECT_EQ(pace_.concurrency(), 1U);
  // Quickly up to half of what was too much, then by one a round.
  for (std::size_t i = 2; i <= 4; ++i) {
    EXPECT_FALSE(call(200));
    EXPECT_EQ(pace_.concurrency(), i);
  }
  for (int i = 0; i < 60; ++i)
    call(200);
  EXPECT_EQ(pace_.concurrency(), 8U);
}

TEST_F(PaceTest, ItsPauseDoublesWhileProbesFailUpToTheLongest) {
  policy_.breaker_longest = 35s;
  configure();
  for (int i = 0; i < 3; ++i)
    call(500);
  for (const auto pause : {10s, 20s, 35s, 35s}) {
    EXPECT_EQ(pace_.open_until() - now_, pause);
    now_ = pace_.open_until();
    ASSERT_EQ(ask(), reason::none);
    call(500, 0ms);
  }
  now_ = pace_.open_until();
  EXPECT_TRUE(call(200, 0ms));
  for (int i = 0; i < 3; ++i)
    call(500, 0ms);
  EXPECT_EQ(pace_.open_until() - now_, 10s) << "it begins again";
}

TEST_F(PaceTest, StragglersDoNotLengthenThePause) {
  configure();
  for (int i = 0; i < 3; ++i)
    call(500);
  const auto until = pace_.open_until();
  for (int i = 0; i < 5; ++i)
    pace_.failed(now_, {.status = 500, .started = start});
  EXPECT_EQ(pace_.open_until(), until);
}

TEST_F(PaceTest, FailuresBeforeARestartCount) {
  configure();
  pace_.restore(2, start, {});
  EXPECT_EQ(ask(), reason::none);
  pace_.restore(3, start, {});
  EXPECT_EQ(ask(), reason::breaker);
  now_ = start + policy_.breaker_pause;
  EXPECT_EQ(ask(), reason::none);
}

TEST_F(PaceTest, AnotherReceiverBeginsWithoutAPast) {
  configure();
  for (int i = 0; i < 3; ++i)
    call(503, 10ms, now_ + 100s);
  pace_.reset();
  EXPECT_EQ(ask(7), reason::none);
  EXPECT_EQ(pace_.failures(), 0U);
}

TEST_F(PaceTest, WithoutABreakerItNeverOpens) {
  policy_.breaker_failures = 0;
  configure();
  for (int i = 0; i < 1'000; ++i)
    call(500);
  EXPECT_EQ(ask(), reason::none);
}

} // namespace

} // namespace fanfare::test
