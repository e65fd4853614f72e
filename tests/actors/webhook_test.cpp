// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// One webhook under a clock that the test moves.

#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

#include <numeric>
#include <set>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<position> upto(position last) {
  std::vector<position> all(last);
  std::iota(all.begin(), all.end(), position{1});
  return all;
}

class WebhookTest : public NodeTest {
protected:
  [[nodiscard]] std::size_t sent() const {
    return node_->wire.sent.size();
  }
};

// -- the schedule -------------------------------------------------------------

TEST_F(WebhookTest, DeliversWhatIsPublishedAndLogsTheCall) {
  auto hook = node_->add_webhook("http://u:secret@a.example/x");
  node_->publish();
  ASSERT_EQ(sent(), 1U);
  auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].subject, 1U);
  EXPECT_EQ(calls[0].result, outcome::delivered);
  EXPECT_EQ(calls[0].status, 200);
  EXPECT_EQ(calls[0].attempt, 1);
  EXPECT_EQ(calls[0].settled_upto, 1U);
  EXPECT_EQ(calls[0].target_url, "http://u:***@a.example/x");
  EXPECT_EQ(node_->in_flight, 0U);
  node_->advance(100h);
  EXPECT_EQ(sent(), 1U);
}

TEST_F(WebhookTest, RetriesAfterEachDelayOfTheScheduleAndNoSooner) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  const auto schedule = backoff_policy::default_schedule();
  ASSERT_THAT(schedule, SizeIs(11));
  for (std::size_t k = 0; k < schedule.size(); ++k) {
    ASSERT_EQ(sent(), k + 1);
    auto pending = node_->retries(hook);
    ASSERT_THAT(pending, SizeIs(1));
    EXPECT_EQ(pending[0].attempt, k + 2);
    const auto wait = pending[0].due - clock_.now();
    EXPECT_GE(wait, schedule[k]);
    EXPECT_LE(wait, schedule[k] + schedule[k] / 10);
    node_->advance(schedule[k] - 1ms);
    EXPECT_EQ(sent(), k + 1) << "1 ms before the shortest delay";
    node_->advance(wait - (schedule[k] - 1ms) - 1ms);
    EXPECT_EQ(sent(), k + 1) << "1 ms before it is due";
    node_->advance(1ms);
    EXPECT_EQ(sent(), k + 2) << "when it is due";
  }
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(12));
  for (std::size_t k = 0; k < 11; ++k) {
    EXPECT_EQ(calls[k].result, outcome::retried);
    EXPECT_EQ(calls[k].attempt, k + 1);
  }
  EXPECT_EQ(calls[11].result, outcome::given_up);
  EXPECT_EQ(calls[11].status, 500);
  EXPECT_THAT(calls[11].reason, HasSubstr("given up after 12 attempts"));
  node_->advance(1'000h);
  EXPECT_EQ(sent(), 12U);
}

TEST_F(WebhookTest, SpreadsRetriesOverTenPercentOfTheDelay) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(400);
  std::set<std::int64_t> waits;
  for (const auto& r : node_->retries(hook))
    waits.insert((r.due - clock_.now()).count());
  EXPECT_GE(*waits.begin(), 5'000);
  EXPECT_LE(*waits.begin(), 5'030);
  EXPECT_LE(*waits.rbegin(), 5'500);
  EXPECT_GE(*waits.rbegin(), 5'470);
  EXPECT_GT(waits.size(), 200U);
}

TEST_F(WebhookTest, SendsTheSameBytesOnEveryAttempt) {
  code_ = 503;
  node_->add_webhook();
  node_->publish();
  node_->advance(1h);
  ASSERT_GE(sent(), 5U);
  for (const auto& e : node_->wire.sent)
    EXPECT_EQ(e.what->body, R"({"notification_id": 1})");
}

TEST_F(WebhookTest, StopsRetryingOnceOneSucceeds) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  code_ = 204;
  node_->advance(1h);
  EXPECT_EQ(sent(), 2U);
  auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_EQ(calls[1].result, outcome::delivered);
  EXPECT_EQ(calls[1].attempt, 2);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(WebhookTest, OnlyTwoHundredsAreSuccess) {
  auto hook = node_->add_webhook();
  for (auto code : {0U, 101U, 199U, 200U, 204U, 299U, 300U, 301U, 304U, 400U,
                    401U, 404U, 429U, 500U, 599U}) {
    code_ = static_cast<std::uint16_t>(code);
    node_->publish();
    auto last = node_->calls(hook).back();
    EXPECT_EQ(last.status, code);
    EXPECT_EQ(last.result == outcome::delivered, code >= 200 && code <= 299)
      << code;
  }
}

TEST_F(WebhookTest, GivesUpWhenTheNextAttemptWouldBeTooLate) {
  node_options options;
  options.backoff.max_age = 30s; // 5 s, then 30 s more
  start(options);
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  node_->advance(6s);
  EXPECT_EQ(sent(), 2U);
  auto last = node_->calls(hook).back();
  EXPECT_EQ(last.result, outcome::given_up);
  EXPECT_THAT(last.reason, HasSubstr("30 s after publish"));
  node_->advance(10h);
  EXPECT_EQ(sent(), 2U);
}

TEST_F(WebhookTest, MakesNoFirstAttemptOfWhatIsTooOld) {
  node_options options;
  options.backoff.max_age = 60s;
  options.max_in_flight = 1;
  start(options);
  hang();
  auto hook = node_->add_webhook();
  node_->publish(3);
  EXPECT_EQ(sent(), 1U);
  node_->advance(61s);
  node_->publish(1);
  node_->wire.answer(0, status(200));
  node_->run();
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 4));
  auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(3));
  EXPECT_EQ(calls[0].subject, 2U);
  EXPECT_EQ(calls[0].result, outcome::given_up);
  EXPECT_EQ(calls[0].status, 0);
  EXPECT_TRUE(calls[0].unsent);
  EXPECT_THAT(calls[0].reason, HasSubstr("60 s since publish"));
  EXPECT_EQ(calls[1].subject, 3U);
  EXPECT_EQ(calls[2].subject, 1U);
  EXPECT_EQ(calls[2].settled_upto, 3U);
}

TEST_F(WebhookTest, GivesUpARetryThatIsTooOldAfterAnOutage) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  clock_.set(clock_.now() + 73h);
  restart();
  EXPECT_EQ(sent(), 0U);
  auto last = node_->calls(hook).back();
  EXPECT_EQ(last.result, outcome::given_up);
  EXPECT_EQ(last.attempt, 2);
  EXPECT_THAT(last.reason, HasSubstr("72 h since publish"));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(WebhookTest, GivesUpARetryWhoseNotificationIsNoLongerKept) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(2);
  std::erase_if(node_->store.contents().journal,
                [](const auto& n) { return n->id == 1; });
  code_ = 200;
  node_->advance(10s);
  EXPECT_EQ(sent(), 3U);
  std::vector<outcome> of_first;
  for (const auto& c : node_->calls(hook))
    if (c.subject == 1)
      of_first.push_back(c.result);
  EXPECT_THAT(of_first, ElementsAre(outcome::retried, outcome::given_up));
}

TEST_F(WebhookTest, FollowsItsOwnSettings) {
  webhook_record w;
  w.owner = 1;
  w.target_url = "https://b.example/";
  w.versions.push_back({.from = 0, .value = {.types = {1}}});
  w.delivery.schedule = std::vector{2'000ms, 0ms};
  w.delivery.max_in_flight = 3;
  w.delivery.timeouts.connect = 123ms;
  w.delivery.timeouts.total = 456ms;
  hang();
  auto hook = node_->add_webhook(w);
  node_->publish(10);
  ASSERT_EQ(sent(), 3U);
  EXPECT_EQ(node_->wire.sent[0].limits.connect, 123ms);
  EXPECT_EQ(node_->wire.sent[0].limits.total, 456ms);
  EXPECT_EQ(node_->wire.sent[0].limits.tls, protocol::exchange_limits{}.tls);
  for (auto i : {0U, 1U, 2U})
    node_->wire.answer(i, status(400)); // about the content: no sign of load
  node_->run();
  EXPECT_EQ(sent(), 6U);
  node_->wire.script = [](const auto&) { return std::optional{status(500)}; };
  node_->advance(1'999ms);
  EXPECT_EQ(sent(), 10U);
  node_->advance(201ms);
  EXPECT_EQ(sent(), 30U) << "the third attempt follows at once";
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  EXPECT_THAT(node_->calls(hook).back().reason,
              HasSubstr("given up after 3 attempts"));
}

TEST_F(WebhookTest, AnEmptyScheduleMeansOneAttempt) {
  code_ = 500;
  webhook_record w;
  w.owner = 1;
  w.target_url = "https://b.example/";
  w.delivery.schedule.emplace();
  auto hook = node_->add_webhook(w);
  node_->publish();
  EXPECT_EQ(node_->calls(hook).back().result, outcome::given_up);
  EXPECT_THAT(node_->calls(hook).back().reason,
              HasSubstr("given up after 1 attempt"));
}

TEST_F(WebhookTest, AnUnusableTargetIsAFailedCallThatSaysWhy) {
  auto hook = node_->add_webhook("ftp://a.example/");
  node_->publish();
  EXPECT_EQ(sent(), 0U);
  auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].result, outcome::retried);
  EXPECT_THAT(calls[0].reason, HasSubstr("target URL"));
  EXPECT_EQ(node_->in_flight, 0U);
}

// -- 410, disabling, other targets --------------------------------------------

TEST_F(WebhookTest, AnAnswerOf410DisablesAndEndsRetries) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(3);
  ASSERT_THAT(node_->retries(hook), SizeIs(3));
  code_ = 410;
  node_->store.kinds.clear();
  node_->publish();
  EXPECT_FALSE(node_->store.registry().find_webhook(hook)->current().enabled);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  auto last = node_->calls(hook).back();
  EXPECT_EQ(last.result, outcome::gone);
  EXPECT_EQ(last.status, 410);
  EXPECT_THAT(last.reason, HasSubstr("410"));
  const storage::operation appended = storage::append_call{};
  const storage::operation changed = storage::change_webhook{};
  const auto& kinds = node_->store.kinds;
  auto i = std::ranges::find(kinds, appended.index());
  ASSERT_NE(i, kinds.end());
  ASSERT_NE(i + 1, kinds.end());
  EXPECT_EQ(*(i + 1), changed.index());
  const auto before = sent();
  node_->publish(3);
  node_->advance(100h);
  EXPECT_EQ(sent(), before);
}

TEST_F(WebhookTest, A410OfTheOldTargetDoesNotDisableTheNewOne) {
  hang();
  auto hook = node_->add_webhook("http://old.example/");
  node_->publish();
  node_->edit(hook,
              [](webhook_record& w) { w.target_url = "http://new.example/"; });
  node_->wire.answer(0, status(410));
  node_->run();
  EXPECT_TRUE(node_->store.registry().find_webhook(hook)->current().enabled);
  EXPECT_EQ(node_->calls(hook).back().result, outcome::retried);
  node_->advance(6s);
  ASSERT_EQ(sent(), 2U);
  EXPECT_EQ(node_->wire.sent[1].url, "http://new.example/");
}

TEST_F(WebhookTest, A410MeetsAnEditThatIsCommittedButNotHeardOf) {
  hang();
  auto hook = node_->add_webhook("http://old.example/");
  node_->publish();
  node_->edit_later(
    hook, [](webhook_record& w) { w.target_url = "http://new.example/"; });
  node_->wire.answer(0, status(410));
  node_->run();
  EXPECT_TRUE(node_->store.registry().find_webhook(hook)->current().enabled);
  node_->publish();
  ASSERT_EQ(sent(), 3U);
  EXPECT_EQ(node_->wire.sent[1].url, "http://new.example/");
  EXPECT_EQ(node_->wire.sent[2].url, "http://new.example/");
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 1, 2));
}

TEST_F(WebhookTest, DisablingEndsRetriesAndEnablingDoesNotReviveThem) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(3);
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  node_->advance(10s);
  EXPECT_EQ(sent(), 3U);
  node_->publish(2);
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = true; });
  node_->advance(100h);
  EXPECT_EQ(sent(), 3U);
  code_ = 200;
  node_->publish();
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2, 3, 6));
}

TEST_F(WebhookTest, DisablingForgetsFailuresAsTheStoreDoes) {
  node_options options;
  options.pace.breaker_failures = 2;
  start(options);
  auto hook = node_->add_webhook();
  code_ = 500;
  node_->publish(2);
  ASSERT_EQ(inspect(hook).breaker, delivery_state::breaker_state::open);
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = true; });
  EXPECT_EQ(node_->store.progress_of(hook).failures, 0U);
  EXPECT_EQ(inspect(hook).failures, 0U);
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::closed);
}

TEST_F(WebhookTest, DisablingEndsWhatWaitsInTheWindow) {
  node_options options;
  options.max_in_flight = 1;
  start(options);
  hang();
  auto hook = node_->add_webhook();
  node_->publish(5);
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = true; });
  node_->wire.answer(0, status(200));
  node_->publish();
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 6));
}

TEST_F(WebhookTest, AnAttemptInFlightWhileDisabledLeavesNoRetry) {
  hang();
  auto hook = node_->add_webhook();
  node_->publish();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  node_->wire.answer(0, status(500));
  node_->run();
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  EXPECT_EQ(node_->calls(hook).back().result, outcome::given_up);
  EXPECT_THAT(node_->calls(hook).back().reason, HasSubstr("disabled"));
}

TEST_F(WebhookTest, AFailureCommittedAfterTheDisablingLeavesNoRetry) {
  hang();
  auto hook = node_->add_webhook();
  node_->publish();
  // The disabling is committed first, the webhook hears of it last.
  node_->edit_later(hook,
                    [](webhook_record& w) { w.current().enabled = false; });
  node_->wire.answer(0, status(500));
  caf::anon_send(node_->workers[hook], atom::nudge_v);
  node_->run();
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(WebhookTest, AnAttemptInFlightDuringOffAndOnIsNotRetried) {
  hang();
  auto hook = node_->add_webhook();
  node_->publish();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = true; });
  node_->wire.answer(0, status(500));
  node_->run();
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  EXPECT_EQ(node_->calls(hook).back().result, outcome::given_up);
  node_->advance(10s);
  EXPECT_EQ(sent(), 1U);
}

TEST_F(WebhookTest, AChangedTargetRedirectsPendingRetries) {
  code_ = 500;
  auto hook = node_->add_webhook("http://old.example/");
  node_->publish();
  node_->edit(hook,
              [](webhook_record& w) { w.target_url = "http://new.example/"; });
  node_->advance(6s);
  ASSERT_EQ(sent(), 2U);
  EXPECT_EQ(node_->wire.sent[0].url, "http://old.example/");
  EXPECT_EQ(node_->wire.sent[1].url, "http://new.example/");
  EXPECT_EQ(node_->calls(hook).back().target_url, "http://new.example/");
}

TEST_F(WebhookTest, UnsubscribingDoesNotStopPendingRetries) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  node_->edit(hook, [](webhook_record& w) { w.current().types = {2}; });
  node_->publish();
  node_->advance(6s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 1));
}

TEST_F(WebhookTest, AnEditRightAfterTheLoadIsNotLost) {
  auto hook = node_->add_webhook("http://old.example/");
  for (const auto enabled : {true, false}) {
    restart();
    // The webhook's actor starts, and what it loads is committed together
    // with the edit behind it.
    node_->publish_later();
    node_->sys.sched.run_jobs_filtered([this](caf::resumable* job) {
      auto loads = node_->starts > 0 && node_->slots.contains(1);
      return !loads
          || job
               != dynamic_cast<caf::resumable*>(
                 caf::actor_cast<caf::abstract_actor*>(
                   node_->crew.committer()));
    });
    node_->edit_later(hook, [enabled](webhook_record& w) {
      w.target_url = "http://new.example/";
      w.current().enabled = enabled;
    });
    node_->run();
    const auto before = sent();
    node_->publish();
    if (enabled) {
      ASSERT_EQ(sent(), before + 1);
      EXPECT_EQ(node_->wire.sent.back().url, "http://new.example/");
    } else {
      EXPECT_EQ(sent(), before);
    }
  }
}

// -- limits -------------------------------------------------------------------

TEST_F(WebhookTest, KeepsToItsLimitOfAttemptsInFlight) {
  hang();
  node_->add_webhook();
  node_->publish(20);
  EXPECT_EQ(sent(), 8U);
  EXPECT_EQ(node_->in_flight, 8U);
  node_->wire.answer(3, status(200));
  node_->run();
  EXPECT_EQ(sent(), 9U);
  EXPECT_EQ(node_->in_flight, 8U);
}

TEST_F(WebhookTest, StartsFirstAttemptsInJournalOrder) {
  hang();
  node_->add_webhook();
  node_->publish(40);
  // Answers come in any order.
  while (!node_->wire.open.empty()) {
    node_->wire.answer(node_->wire.open[node_->wire.open.size() / 2],
                       status(200));
    node_->run();
  }
  EXPECT_EQ(node_->wire.ids(), upto(40));
}

TEST_F(WebhookTest, RetriesAndFirstAttemptsTakeTurns) {
  node_options options;
  options.max_in_flight = 1;
  start(options);
  auto hook = node_->add_webhook();
  code_ = 500;
  node_->publish(3);
  hang();
  node_->publish(4); // waits behind 4
  node_->advance(6s);
  node_->wire.script = [](const auto&) { return std::optional{status(200)}; };
  node_->run();
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2, 3, 4, 5, 1, 6, 2, 7, 3));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(WebhookTest, QuickOnesRunAheadOfAHangingOneUpToALimit) {
  node_options options;
  options.max_ahead = 10;
  start(options);
  node_->wire.script = [](const fake_wire::exchange& e)
    -> std::optional<protocol::exchange_result> {
    if (e.what->id == 1)
      return std::nullopt;
    return status(200);
  };
  auto hook = node_->add_webhook();
  node_->publish(100);
  EXPECT_GE(sent(), 11U);
  EXPECT_LE(sent(), 11U + 8U);
  for (const auto& c : node_->calls(hook))
    EXPECT_EQ(c.settled_upto, 0U);
  node_->wire.answer(0, status(200));
  node_->run();
  EXPECT_EQ(sent(), 100U);
  EXPECT_EQ(node_->calls(hook).back().settled_upto, 100U);
}

TEST_F(WebhookTest, TheLimitOfRunningAheadDoesNotBlockItAfterARestart) {
  node_options options;
  options.max_ahead = 5;
  start(options);
  node_->wire.script = [](const fake_wire::exchange& e)
    -> std::optional<protocol::exchange_result> {
    if (e.what->id % 4 == 1)
      return std::nullopt;
    return status(200);
  };
  auto hook = node_->add_webhook();
  node_->publish(20);
  ASSERT_GE(node_->store.progress_of(hook).ahead.size(), 5U);
  restart(options);
  EXPECT_EQ(node_->store.progress_of(hook).cursor, 20U);
}

TEST_F(WebhookTest, AFullWindowIsRefilledFromTheJournal) {
  node_options options;
  options.window = 8;
  options.max_in_flight = 2;
  start(options);
  hang();
  node_->add_webhook();
  node_->publish(100);
  EXPECT_EQ(sent(), 2U);
  while (!node_->wire.open.empty()) {
    node_->wire.answer(node_->wire.open.front(), status(200));
    node_->run();
  }
  EXPECT_EQ(node_->wire.ids(), upto(100));
  EXPECT_GT(node_->reader.backlog_reads, 0U);
  EXPECT_LE(node_->reader.largest_limit, 8U);
  // It has caught up: what comes now is sent without reading.
  const auto reads = node_->reader.backlog_reads;
  node_->publish();
  EXPECT_EQ(node_->reader.backlog_reads, reads);
}

TEST_F(WebhookTest, TriesAgainWhenReadingTheBacklogFails) {
  node_options options;
  options.window = 2;
  options.max_in_flight = 1;
  start(options);
  auto hook = node_->add_webhook();
  hang();
  node_->publish(6);
  node_->reader.failing = true;
  node_->wire.script = [this](const auto&) {
    return std::optional{status(code_)};
  };
  node_->run();
  EXPECT_EQ(sent(), 3U);
  node_->advance(5s);
  EXPECT_EQ(sent(), 3U);
  node_->reader.failing = false;
  node_->advance(1s);
  EXPECT_EQ(node_->wire.ids(), upto(6));
  // The same for retries.
  code_ = 500;
  node_->publish();
  node_->reader.failing = true;
  code_ = 200;
  node_->advance(10s);
  EXPECT_THAT(node_->retries(hook), SizeIs(1));
  node_->reader.failing = false;
  node_->advance(1s);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(WebhookTest, AHangingReceiverDelaysNoOtherWebhook) {
  node_->wire.script = [](const fake_wire::exchange& e)
    -> std::optional<protocol::exchange_result> {
    if (e.url == "http://hangs.example/")
      return std::nullopt;
    return status(200);
  };
  auto hangs = node_->add_webhook("http://hangs.example/");
  auto works = node_->add_webhook("http://works.example/");
  node_->publish(1'000);
  EXPECT_THAT(node_->calls(hangs), IsEmpty());
  EXPECT_THAT(node_->calls(works), SizeIs(1'000));
}

TEST_F(WebhookTest, HoldsNewAttemptsWhileTheDiskRefusesCalls) {
  hang();
  auto hook = node_->add_webhook();
  node_->publish(12);
  ASSERT_EQ(sent(), 8U);
  // While the disk refuses, other actors go on.
  std::size_t refused = 0;
  std::size_t held_at = 0;
  node_->store.on_commit = [&]() -> result<void> {
    if (refused == 5)
      return {};
    if (++refused == 2) {
      for (auto i : {1U, 2U, 3U, 4U, 5U, 6U, 7U})
        node_->wire.answer(i, status(200));
      node_->sys.sched.run();
      held_at = sent();
    }
    return error{ec::store_full, "the disk is full"};
  };
  node_->wire.answer(0, status(200));
  node_->run();
  EXPECT_EQ(refused, 5U);
  EXPECT_EQ(held_at, 9U) << "only the first answer came before the disk "
                            "refused";
  EXPECT_EQ(sent(), 12U);
  node_->wire.script = [](const auto&) { return std::optional{status(200)}; };
  node_->run();
  EXPECT_THAT(node_->calls(hook), SizeIs(12));
  EXPECT_FALSE(node_->queue.congested());
}

TEST_F(WebhookTest, StartsNothingWhileTheQueueToTheDiskIsTooLong) {
  auto hook = node_->add_webhook();
  node_->publish();
  node_->queue.set_failing(true);
  ASSERT_TRUE(node_->queue.congested());
  // Publishes are answered by the committer; here nothing refuses yet.
  node_->publish(2);
  EXPECT_EQ(sent(), 1U);
  node_->queue.set_failing(false);
  node_->queue.announce_writable();
  node_->run();
  EXPECT_EQ(sent(), 3U);
  EXPECT_THAT(node_->calls(hook), SizeIs(3));
}

TEST_F(WebhookTest, AnAttemptCutShortByAStopIsLoggedAndMadeAgain) {
  webhook_record w;
  w.owner = 1;
  w.target_url = "https://b.example/";
  w.versions.push_back({.from = 0, .value = {.types = {1}}});
  w.delivery.schedule.emplace(); // a failure would be the end
  hang();
  auto hook = node_->add_webhook(w);
  node_->publish();
  node_->crew.drain();
  node_->run();
  protocol::exchange_result cut;
  cut.reason = "cancelled: the engine is stopping";
  cut.whose = protocol::fault::stop;
  node_->wire.answer(0, cut);
  node_->run();
  ASSERT_THAT(node_->calls(hook), SizeIs(1));
  EXPECT_EQ(node_->calls(hook)[0].result, outcome::retried);
  EXPECT_THAT(node_->calls(hook)[0].reason, HasSubstr("cancelled"));
  ASSERT_THAT(node_->retries(hook), SizeIs(1));
  EXPECT_EQ(node_->retries(hook)[0].attempt, 1) << "it has used up no number";
  node_->checkpoint();
  restart();
  node_->advance(1s);
  EXPECT_EQ(sent(), 1U) << "by the node that was started again";
}

TEST_F(WebhookTest, DrainingStartsNothingFurther) {
  hang();
  auto hook = node_->add_webhook();
  node_->publish(10);
  ASSERT_EQ(sent(), 8U);
  node_->crew.drain();
  node_->run();
  code_ = 500;
  node_->wire.script = [this](const auto&) {
    return std::optional{status(code_)};
  };
  node_->advance(1h);
  EXPECT_EQ(sent(), 8U);
  EXPECT_EQ(node_->in_flight, 0U);
  EXPECT_THAT(node_->calls(hook), SizeIs(8));
  code_ = 200;
  node_->checkpoint();
  restart();
  node_->advance(1s);
  auto again = node_->wire.ids();
  std::ranges::sort(again);
  EXPECT_EQ(again, upto(10));
}

TEST_F(WebhookTest, NothingIsInFlightBeforeItsCallIsOnItsWayToTheDisk) {
  hang();
  auto hook = node_->add_webhook();
  node_->publish();
  node_->wire.answer(0, status(200));
  while (node_->in_flight != 0)
    ASSERT_TRUE(node_->sys.sched.try_run_once());
  EXPECT_EQ(node_->slots[hook]->settled_upto, 1U);
}

// -- crashes and restarts -----------------------------------------------------

TEST_F(WebhookTest, ADeliveryThatCrashesIsAFailedCall) {
  hang();
  auto hook = node_->add_webhook();
  node_->publish();
  // The wire loses the exchange, and with it the last reference to its actor.
  node_->wire.sent[0].done = nullptr;
  node_->wire.open.clear();
  node_->run();
  auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].result, outcome::retried);
  EXPECT_EQ(calls[0].status, 0);
  EXPECT_THAT(calls[0].reason, HasSubstr("internal"));
  EXPECT_EQ(node_->in_flight, 0U);
  EXPECT_EQ(node_->gate->active(), 0U);
}

TEST_F(WebhookTest, ARequestWhoseEndThrowsIsInFlightNoMore) {
  auto hook = node_->add_webhook();
  hang();
  node_->publish(2);
  ASSERT_EQ(node_->in_flight, 2U);
  node_->on_told = [] { throw std::runtime_error{"out of something"}; };
  auto answer = status(200);
  answer.certificate_expires = clock_.now() + 24h;
  node_->wire.answer(0, answer);
  node_->run();
  EXPECT_EQ(node_->in_flight, 0U) << "a stop would wait for it";
  EXPECT_THAT(node_->calls(hook), IsEmpty());
}

TEST_F(WebhookTest, ABeginningThatThrowsIsAnErrorForWhoWaitsForIt) {
  code_ = 500;
  node_->add_webhook();
  node_->publish();
  auto left = node_->store.contents();
  node_.reset();
  node_ = std::make_unique<node>(clock_, std::move(left));
  node_->fail_starts = true;
  node_->begin();
  ASSERT_TRUE(node_->begun());
  const auto how = node_->beginning();
  ASSERT_FALSE(how);
  EXPECT_THAT(how.error().detail, HasSubstr("the router died"));
}

TEST_F(WebhookTest, ACrashedWebhookComesBackFromTheStore) {
  node_options options;
  options.max_in_flight = 2;
  start(options);
  auto hook = node_->add_webhook();
  code_ = 400;
  node_->publish(2);
  hang();
  node_->publish(5);
  ASSERT_EQ(sent(), 4U);
  caf::anon_send_exit(node_->workers[hook], caf::exit_reason::kill);
  node_->run();
  EXPECT_EQ(node_->in_flight, 0U)
    << "attempts of a dead webhook count for nobody";
  node_->publish(2);
  EXPECT_EQ(sent(), 4U);
  node_->crew.router().send(atom::revive_v, hook);
  node_->wire.script = [](const auto&) { return std::optional{status(200)}; };
  node_->advance(10s);
  // 3 and 4 were in flight; they are made again. 1 and 2 were to be retried.
  auto ids = node_->wire.ids();
  EXPECT_EQ(std::vector<position>(ids.begin() + 4, ids.end()),
            (std::vector<position>{3, 4, 5, 6, 7, 8, 9, 1, 2}));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(WebhookTest, OverdueRetriesAreSentAtOnceAfterARestartButPaced) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish(100);
  ASSERT_THAT(node_->retries(hook), SizeIs(100));
  clock_.set(clock_.now() + 1h);
  node_options options;
  options.max_fetch = 10;
  auto left = node_->store.contents();
  node_.reset();
  node_ = std::make_unique<node>(clock_, std::move(left), options);
  node_->begin(); // its receiver hangs
  EXPECT_EQ(sent(), 8U) << "no more at a time than otherwise";
  node_->wire.script = [](const auto&) { return std::optional{status(200)}; };
  node_->run();
  EXPECT_EQ(sent(), 100U) << "without time passing";
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  EXPECT_EQ(node_->reader.largest_fetch, 10U);
}

TEST_F(WebhookTest, RetriesNotYetDueWaitExactlyAfterARestart) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  node_->advance(2s);
  restart();
  const auto due = node_->retries(hook).at(0).due;
  node_->advance(due - clock_.now() - 1ms);
  EXPECT_EQ(sent(), 0U);
  node_->advance(1ms);
  EXPECT_EQ(sent(), 1U);
  EXPECT_EQ(node_->calls(hook).back().attempt, 2);
}

TEST_F(WebhookTest, GoesOnWhereItWasAfterACrashInMidFlow) {
  hang();
  auto hook = node_->add_webhook();
  node_->publish(20);
  for (auto i : {2U, 4U, 5U})
    node_->wire.answer(i, status(200));
  node_->run();
  ASSERT_EQ(sent(), 11U);
  restart();
  // 3, 5 and 6 are settled ahead of the cursor.
  std::vector<position> rest{1, 2, 4};
  for (position p = 7; p <= 20; ++p)
    rest.push_back(p);
  EXPECT_EQ(node_->wire.ids(), rest);
  EXPECT_EQ(node_->calls(hook).back().settled_upto, 20U);
}

TEST_F(WebhookTest, EditsThatAreGoneThroughAgainAfterARestartEndNothingNewer) {
  auto hook = node_->add_webhook();
  node_->publish();
  node_->checkpoint();
  node_->publish();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  node_->publish();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = true; });
  code_ = 500;
  node_->publish();
  ASSERT_THAT(node_->retries(hook), SizeIs(1));
  restart();
  ASSERT_THAT(node_->retries(hook), SizeIs(1));
  code_ = 200;
  node_->advance(10s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(4));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(WebhookTest, AnIdleOneIsEndedAndStartsAgainWhenNeeded) {
  node_options options;
  options.idle_checkpoints = 2;
  start(options);
  auto hook = node_->add_webhook();
  node_->publish();
  EXPECT_EQ(node_->active_webhooks, 1U);
  for (int i = 0; i < 4; ++i)
    node_->checkpoint();
  EXPECT_EQ(node_->active_webhooks, 0U);
  code_ = 500;
  node_->publish();
  EXPECT_EQ(node_->active_webhooks, 1U);
  EXPECT_EQ(node_->starts, 2U);
  for (int i = 0; i < 10; ++i)
    node_->checkpoint();
  EXPECT_EQ(node_->active_webhooks, 1U) << "it has a retry to wait for";
  code_ = 200;
  node_->advance(10s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2, 2));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(WebhookTest, TheCertificateOfAnIdleOneIsNotForgotten) {
  node_options options;
  options.idle_checkpoints = 1;
  start(options);
  auto hook = node_->add_webhook();
  const auto expires = clock_.now() + std::chrono::days{10};
  node_->wire.script = [expires](const auto&) {
    auto r = status(200);
    r.certificate_expires = expires;
    return std::optional{r};
  };
  const auto call_after = [&](std::chrono::milliseconds pause) {
    for (int i = 0; i < 4; ++i)
      node_->checkpoint();
    EXPECT_EQ(node_->active_webhooks, 0U);
    node_->advance(pause);
    node_->publish();
  };
  node_->publish();
  for (int i = 0; i < 3; ++i)
    call_after(2min);
  EXPECT_EQ(node_->starts, 4U);
  ASSERT_THAT(node_->told, SizeIs(1)) << "once a day";
  EXPECT_EQ(node_->told[0].action, "fanfare.webhook.certificate_expiring");
  for (int i = 0; i < 4; ++i)
    node_->checkpoint();
  EXPECT_EQ(inspect(hook).certificate_expires, expires);
  call_after(24h);
  EXPECT_THAT(node_->told, SizeIs(2));
  // Of another receiver nothing is known, also while no actor runs.
  for (int i = 0; i < 4; ++i)
    node_->checkpoint();
  node_->edit(hook, [](webhook_record& w) { w.target_url += "x"; });
  EXPECT_FALSE(inspect(hook).certificate_expires);
}

TEST_F(WebhookTest, NoticesOfAnIdleOneKeepTheirDistance) {
  node_options options;
  options.idle_checkpoints = 1;
  options.backoff.schedule = {};
  start(options);
  code_ = 500;
  node_->add_webhook();
  node_->publish();
  ASSERT_THAT(node_->told, SizeIs(1));
  for (int i = 0; i < 4; ++i)
    node_->checkpoint();
  node_->advance(30s);
  node_->publish();
  EXPECT_THAT(node_->told, SizeIs(1));
  node_->advance(30s);
  EXPECT_THAT(node_->told, SizeIs(2));
  node_->advance(1min);
  for (int i = 0; i < 4; ++i)
    node_->checkpoint();
  EXPECT_EQ(node_->active_webhooks, 0U);
}

TEST_F(WebhookTest, IsNotTakenForIdleBeforeItsStateIsLoaded) {
  code_ = 500;
  auto hook = node_->add_webhook();
  node_->publish();
  node_->checkpoint();
  auto left = node_->store.contents();
  node_options options;
  options.idle_checkpoints = 1;
  node_.reset();
  node_ = std::make_unique<node>(clock_, std::move(left), options);
  code_ = 200;
  node_->wire.script = [this](const auto&) {
    return std::optional{status(code_)};
  };
  // Loading takes longer than idle ones are kept.
  auto* slow = dynamic_cast<caf::resumable*>(
    caf::actor_cast<caf::abstract_actor*>(node_->crew.committer()));
  node_->begin_later();
  for (int i = 0; i < 5; ++i) {
    node_->crew.router().send(atom::checkpoint_v);
    node_->sys.sched.run_jobs_filtered(
      [slow](caf::resumable* job) { return job != slow; });
  }
  EXPECT_EQ(node_->active_webhooks, 1U);
  node_->advance(10s);
  EXPECT_EQ(sent(), 1U);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

} // namespace

} // namespace fanfare::test
