// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What the end of an attempt means, decided from values alone.

#include "actors/webhook/outcome.hpp"

#include "protocol/target/target.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr timestamp now{std::chrono::days{20'000}};

class OutcomeTest : public ::testing::Test {
protected:
  OutcomeTest() {
    hook_.id = 7;
    hook_.target_url = "https://u:secret@a.example/x";
    hook_.versions.push_back({.from = 0, .value = {.types = {1}}});
    plan_to(hook_.target_url);
    plan_.backoff.schedule = {5s, 30s};
    plan_.backoff.max_age = 72h;
  }

  void plan_to(const std::string& url) {
    plan_.to = *protocol::target::parse(url);
  }

  [[nodiscard]] circumstances known() const {
    return {.hook = hook_,
            .plan = plan_,
            .progress = progress_,
            .now = now,
            .held_until = held_until_,
            .disable_after = 120h,
            .disabling = disabling_,
            .draining = draining_};
  }

  [[nodiscard]] attempt_result answered(std::uint16_t status,
                                        std::string reason = {}) const {
    attempt_result r;
    r.to = plan_.to;
    r.attempt = attempt_.number;
    r.started = now - 1s;
    r.exchange.status = status;
    r.exchange.reason = std::move(reason);
    return r;
  }

  /// The entry of an attempt that was answered so.
  [[nodiscard]] call log_of(std::uint16_t status, std::string reason = {}) {
    auto r = answered(status, std::move(reason));
    r.exchange.whose = whose_;
    auto entry = describe(r, hook_);
    if (busy_)
      entry.shows = evidence::busy;
    settle(entry, attempt_, published_, reason_to_disable(r, attempt_, known()),
           known());
    return entry;
  }

  [[nodiscard]] std::string disabling(std::uint16_t status) const {
    return std::string{reason_to_disable(answered(status), attempt_, known())};
  }

  webhook_record hook_;
  delivery_plan plan_;
  storage::progress progress_;
  attempt attempt_{.subject = 12, .number = 1, .holds_cursor = true};
  timestamp published_ = now - 10s;
  timestamp held_until_{};
  bool disabling_ = false;
  bool draining_ = false;
  bool busy_ = false; ///< the receiver has said when to come back
  protocol::fault whose_ = protocol::fault::receiver;
};

// -- what is logged -----------------------------------------------------------

TEST_F(OutcomeTest, ASuccessIsLoggedWithWhatItWas) {
  attempt_ = {.subject = 12,
              .number = 3,
              .resent = true,
              .by_replay = true,
              .thin = true};
  const auto entry = log_of(204);
  EXPECT_EQ(entry.hook, 7U);
  EXPECT_EQ(entry.subject, 12U);
  EXPECT_EQ(entry.attempt, 3);
  EXPECT_TRUE(entry.resent);
  EXPECT_TRUE(entry.by_replay);
  EXPECT_TRUE(entry.thin);
  EXPECT_FALSE(entry.unsent);
  EXPECT_EQ(entry.time, now - 1s);
  EXPECT_EQ(entry.status, 204);
  EXPECT_EQ(entry.result, outcome::delivered);
  EXPECT_EQ(entry.retry_due, timestamp{});
  EXPECT_EQ(entry.reason, "");
  EXPECT_EQ(entry.target_url, "https://u:***@a.example/x");
}

TEST_F(OutcomeTest, AFailureSaysWhatWasAnswered) {
  EXPECT_EQ(log_of(500).reason, "answered 500");
  EXPECT_EQ(log_of(302).reason, "answered 302, redirects are not followed");
  EXPECT_EQ(log_of(500, "too large: body cut").reason,
            "answered 500; too large: body cut");
  EXPECT_EQ(log_of(0, "connect: refused").reason, "connect: refused");
  EXPECT_EQ(log_of(200, "too large: body cut").reason,
            "answered 200; too large: body cut");
}

TEST_F(OutcomeTest, ARequestThatWentOutTwiceIsMarked) {
  auto r = answered(200);
  EXPECT_FALSE(describe(r, hook_).repeated);
  r.exchange.repeated = true;
  EXPECT_TRUE(describe(r, hook_).repeated);
}

TEST_F(OutcomeTest, WhatWasNotSentNamesTheWebhooksUrl) {
  plan_.to = nullptr;
  EXPECT_EQ(log_of(0, "target URL: bad").target_url,
            "https://u:***@a.example/x");
}

// -- final statuses -----------------------------------------------------------

TEST_F(OutcomeTest, OnlyTheReceiverOfNowCanAnswerFinally) {
  plan_.final_statuses = {301, 422, 503};
  EXPECT_TRUE(is_final(answered(422), plan_));
  EXPECT_TRUE(is_final(answered(503), plan_));
  for (const int other : {0, 200, 400, 410, 423, 500})
    EXPECT_FALSE(is_final(answered(static_cast<std::uint16_t>(other)), plan_))
      << other;
  const auto before = answered(422);
  plan_to("https://u:secret@b.example/x");
  EXPECT_FALSE(is_final(before, plan_));
}

TEST_F(OutcomeTest, AFinalAnswerGivesUpAtOnceAndDisablesNothing) {
  plan_.final_statuses = {422};
  progress_.failures = 1'000;
  progress_.failing_since = now - 1'000h;
  EXPECT_EQ(disabling(422), "");
  EXPECT_NE(disabling(423), "");
  auto r = answered(422);
  auto entry = describe(r, hook_);
  entry.result = outcome::given_up;
  settle(entry, attempt_, published_, {}, known());
  EXPECT_EQ(entry.result, outcome::given_up);
  EXPECT_EQ(entry.retry_due, timestamp{});
  EXPECT_EQ(entry.reason, "answered 422; final by its settings");
}

// -- retried ------------------------------------------------------------------

TEST_F(OutcomeTest, AFailureIsRetriedAfterTheDelayOfItsAttempt) {
  for (const auto& [number, delay] : {std::pair{1, 5'000ms}, {2, 30'000ms}}) {
    attempt_.number = static_cast<std::uint16_t>(number);
    const auto entry = log_of(500);
    EXPECT_EQ(entry.result, outcome::retried);
    EXPECT_GE(entry.retry_due, now + delay);
    EXPECT_LE(entry.retry_due, now + delay + delay / 10);
  }
}

TEST_F(OutcomeTest, TheSameSpreadGivesTheSameDueTime) {
  // So the members of a batch come back together.
  const auto first = log_of(500);
  attempt_.subject = 13;
  EXPECT_EQ(log_of(500).retry_due, first.retry_due);
}

TEST_F(OutcomeTest, ARetryWaitsForWhatTheReceiverAskedFor) {
  held_until_ = now + 60s;
  EXPECT_EQ(log_of(503).retry_due, now + 60s);
  held_until_ = now + 1s;
  EXPECT_GE(log_of(503).retry_due, now + 5s);
}

TEST_F(OutcomeTest, WhatAStopHasCutShortDoesNotUseUpTheSchedule) {
  attempt_.number = 3; // the last one
  draining_ = true;
  whose_ = protocol::fault::stop;
  const auto entry = log_of(0, "cancelled: the engine is stopping");
  EXPECT_EQ(entry.result, outcome::retried);
  EXPECT_EQ(entry.shows, evidence::none);
  EXPECT_EQ(entry.retry_due, now);
  whose_ = protocol::fault::receiver;
  EXPECT_EQ(log_of(0, "connect: refused").result, outcome::given_up)
    << "it failed by itself";
}

TEST_F(OutcomeTest, WantOfSomethingHereDoesNotUseUpTheSchedule) {
  attempt_.number = 3; // the last one
  whose_ = protocol::fault::here;
  const auto entry = log_of(0, "connect: too many open files");
  EXPECT_EQ(entry.result, outcome::retried);
  EXPECT_EQ(entry.shows, evidence::none);
  EXPECT_GE(entry.retry_due, now + 1s);
  EXPECT_LE(entry.retry_due, now + 2s);
  published_ = now - 73h;
  EXPECT_EQ(log_of(0, "connect: too many open files").result, outcome::given_up)
    << "age still ends it";
}

TEST_F(OutcomeTest, AReceiverThatNamesATimeUsesNoAttemptOfTheSchedule) {
  attempt_.number = 3; // the last one
  busy_ = true;
  held_until_ = now + 30s;
  EXPECT_EQ(log_of(429).result, outcome::retried);
  EXPECT_EQ(log_of(429).retry_due, now + 30s);
  held_until_ = now + 1ms;
  EXPECT_GE(log_of(429).retry_due, now + 1s) << "not at once for ever";
  published_ = now - 73h;
  EXPECT_EQ(log_of(429).result, outcome::given_up) << "age still ends it";
  published_ = now - 10s;
  attempt_.resent = true;
  EXPECT_EQ(log_of(429).result, outcome::given_up)
    << "what is sent again has no age";
}

TEST_F(OutcomeTest, TimeLostForReasonsOfOursDoesNotCountAsFailing) {
  progress_.failures = 100;
  progress_.failing_since = now - 1'000h;
  progress_.excused = 900h;
  EXPECT_EQ(disabling(500), "");
  progress_.excused = 800h;
  EXPECT_NE(disabling(500), "");
}

// -- given up -----------------------------------------------------------------

TEST_F(OutcomeTest, TheLastAttemptOfTheScheduleIsTheEnd) {
  attempt_.number = 3;
  const auto entry = log_of(500);
  EXPECT_EQ(entry.result, outcome::given_up);
  EXPECT_EQ(entry.retry_due, timestamp{});
  EXPECT_EQ(entry.reason, "answered 500; given up after 3 attempts");
  plan_.backoff.schedule.clear();
  attempt_.number = 1;
  EXPECT_EQ(log_of(500).reason, "answered 500; given up after 1 attempt");
}

TEST_F(OutcomeTest, AnAttemptThatWouldBeTooLateIsNotMade) {
  plan_.backoff.max_age = 30s;
  plan_.backoff.schedule = {10s};
  published_ = now - 18'999ms; // due after 10 to 11 s
  EXPECT_EQ(log_of(500).result, outcome::retried);
  published_ = now - 20'001ms;
  const auto entry = log_of(500);
  EXPECT_EQ(entry.result, outcome::given_up);
  EXPECT_THAT(entry.reason, HasSubstr("more than 30 s after publish"));
}

TEST_F(OutcomeTest, AgeCountsFromTheEndOfAPause) {
  plan_.backoff.max_age = 30s;
  published_ = now - 100h;
  plan_.resumed = now - 1s;
  EXPECT_EQ(log_of(500).result, outcome::retried);
}

TEST_F(OutcomeTest, AgeOfAReplayCountsFromItsFirstAttempt) {
  attempt_.resent = true;
  published_ = now - 24h * 30;
  plan_.backoff.max_age = 35s;
  EXPECT_EQ(log_of(500).result, outcome::retried);
  attempt_.number = 2; // 35 s after the first
  EXPECT_EQ(log_of(500).result, outcome::retried);
  plan_.backoff.max_age = 34s;
  const auto entry = log_of(500);
  EXPECT_EQ(entry.result, outcome::given_up);
  EXPECT_THAT(entry.reason, HasSubstr("more than 34 s after the first"));
}

TEST_F(OutcomeTest, ATestIsNotTriedAgain) {
  attempt_ = {.subject = 12, .test = true};
  const auto entry = log_of(500);
  EXPECT_EQ(entry.result, outcome::given_up);
  EXPECT_THAT(entry.reason, HasSubstr("a test is not tried again"));
}

TEST_F(OutcomeTest, WhatWasEndedWhileInFlightIsNotRetried) {
  attempt_.last_because = ended_by::dropping;
  EXPECT_EQ(log_of(500).reason,
            "answered 500; given up: its retries were dropped");
  attempt_.last_because = ended_by::cancellation;
  EXPECT_THAT(log_of(500).reason, HasSubstr("its replay was cancelled"));
  attempt_.last_because = ended_by::disabling;
  EXPECT_THAT(log_of(500).reason, HasSubstr("was disabled meanwhile"));
  EXPECT_EQ(log_of(500).result, outcome::given_up);
  EXPECT_EQ(log_of(200).result, outcome::delivered)
    << "it arrived all the same";
}

TEST_F(OutcomeTest, ADisabledWebhookRetriesNothing) {
  hook_.current().enabled = false;
  EXPECT_THAT(log_of(500).reason, HasSubstr("was disabled meanwhile"));
  EXPECT_EQ(log_of(500).result, outcome::given_up);
}

// -- disabled -----------------------------------------------------------------

TEST_F(OutcomeTest, AnAnswerOf410IsTheEndOfTheWebhook) {
  const auto entry = log_of(410);
  EXPECT_EQ(entry.result, outcome::gone);
  EXPECT_EQ(entry.retry_due, now) << "if its target was changed meanwhile";
  EXPECT_EQ(entry.reason, "answered 410; gone: the webhook is disabled and its "
                          "retries end");
}

TEST_F(OutcomeTest, FailingForDaysIsTheEndOfTheWebhook) {
  progress_.failures = 4;
  progress_.failing_since = now - 1s - 120h; // this attempt began 1 s ago
  EXPECT_THAT(disabling(500), HasSubstr("only failed"));
  EXPECT_EQ(disabling(200), "");
  progress_.failing_since += 1ms;
  EXPECT_EQ(disabling(500), "") << "not for long enough";
  progress_.failing_since -= 1h;
  progress_.failures = 3;
  EXPECT_EQ(disabling(500), "") << "too few to mean that it has only failed";
}

TEST_F(OutcomeTest, TimeBeforeAPauseDoesNotCountAsFailing) {
  progress_.failures = 100;
  progress_.failing_since = now - 1'000h;
  EXPECT_NE(disabling(500), "");
  plan_.resumed = now - 24h;
  EXPECT_EQ(disabling(500), "");
}

TEST_F(OutcomeTest, WithoutALimitFailingForDaysDisablesNothing) {
  progress_.failures = 100;
  progress_.failing_since = now - 1'000h;
  auto known_without = known();
  known_without.disable_after = 0ms;
  EXPECT_EQ(reason_to_disable(answered(500), attempt_, known_without), "");
}

TEST_F(OutcomeTest, OnlyTheCurrentTargetCanSayThatItIsGone) {
  const auto from_old = answered(410);
  plan_to("https://b.example/");
  EXPECT_EQ(reason_to_disable(from_old, attempt_, known()), "");
}

TEST_F(OutcomeTest, WhatHasEndedAlreadyIsNotDisabledAgain) {
  ASSERT_NE(disabling(410), "");
  disabling_ = true;
  EXPECT_EQ(disabling(410), "");
  disabling_ = false;
  attempt_.last_because = ended_by::dropping;
  EXPECT_EQ(disabling(410), "");
  attempt_ = {.subject = 12, .test = true};
  EXPECT_EQ(disabling(410), "") << "a test changes nothing";
  attempt_ = {.subject = 12};
  hook_.current().enabled = false;
  EXPECT_EQ(disabling(410), "");
}

// -- without an attempt -------------------------------------------------------

TEST_F(OutcomeTest, IsTooOldOneMillisecondAfterItsAge) {
  plan_.backoff.max_age = 60s;
  EXPECT_FALSE(is_too_old(attempt_, now - 60s, plan_, now));
  EXPECT_TRUE(is_too_old(attempt_, now - 60s - 1ms, plan_, now));
  EXPECT_EQ(too_old(plan_), "given up: more than 60 s since publish");
  attempt_.resent = true;
  EXPECT_FALSE(is_too_old(attempt_, now - 60s - 1ms, plan_, now))
    << "it is sent again because somebody wants it";
}

TEST_F(OutcomeTest, WhatIsGivenUpUnsentIsLoggedToo) {
  attempt_.number = 2;
  const auto entry = unsent(attempt_, hook_, 11, now, too_old(plan_));
  EXPECT_EQ(entry.hook, 7U);
  EXPECT_EQ(entry.subject, 12U);
  EXPECT_EQ(entry.settled_upto, 11U);
  EXPECT_EQ(entry.attempt, 2);
  EXPECT_EQ(entry.result, outcome::given_up);
  EXPECT_TRUE(entry.unsent);
  EXPECT_EQ(entry.time, now);
  EXPECT_EQ(entry.target_url, "https://u:***@a.example/x");
  EXPECT_EQ(entry.reason, "given up: more than 72 h since publish");
}

} // namespace

} // namespace fanfare::test
