// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Filters, failures in a row and networks: what settings of delivery ask of
/// the store.

#include "model/payload_filter.hpp"
#include "tests/storage/every_store.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

filter_ref filter(std::string_view text) {
  return {*payload_filter::parse(text)};
}

class SettingsTest : public every_store_test {
protected:
  logged_call failure(webhook_id hook, position subject, std::int64_t at) {
    auto c = call_of(hook, subject, outcome::retried, subject);
    c.time = at_ms(at);
    return c;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, SettingsTest, every_store(), name_of_store);

TEST_P(SettingsTest, ABacklogIsFilteredByTheVersionOfItsTime) {
  const auto hook = add_hook(1, {1});
  publish(draft_of(1, 1, "a"));
  change(hook.id, [](webhook_record& w) {
    w.current().filter = filter(R"({"text": "b"})");
  });
  publish(draft_of(1, 1, "a"));
  publish(draft_of(1, 1, "b"));
  change(hook.id, [](webhook_record& w) { w.current().filter = {}; });
  publish(draft_of(1, 1, "a"));
  reopen();
  EXPECT_THAT(backlog_of(hook.id), ElementsAre(1, 3, 4));
  const auto count = store_->deliveries().count_backlog(load(hook.id).hook,
                                                        100);
  ASSERT_TRUE(count);
  EXPECT_EQ(count->count, 3U);
}

TEST_P(SettingsTest, AReplaySelectsByTheFilterInForce) {
  const auto hook = add_hook(1, {1});
  for (const auto* text : {"a", "b", "a"})
    publish(draft_of(1, 1, text));
  for (position p = 1; p <= 3; ++p)
    append(call_of(hook.id, p, outcome::delivered, p));
  const auto filtered = change(hook.id, [](webhook_record& w) {
    w.current().filter = filter(R"({"text": "a"})");
  });
  const replay wanted{.asked = {.since = {}, .until = timestamp::max()},
                      .upto = store_->journal().tail(),
                      .selecting = filtered.current(),
                      .started = at_ms(1)};
  const auto found = store_->deliveries().select(filtered, wanted);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->count, 2U);
  EXPECT_TRUE(found->chosen.contains(1));
  EXPECT_FALSE(found->chosen.contains(2));
}

TEST_P(SettingsTest, TheNewestMatchesComeNewestFirst) {
  for (int i = 0; i < 3; ++i) {
    publish(draft_of(1));
    publish(draft_of(2));
    publish(draft_of(1, 2));
  }
  const auto newest = [this](std::size_t limit, std::size_t scan) {
    return ids_of(
      *store_->journal().newest_matches(1, {.types = {1}}, limit, scan));
  };
  EXPECT_THAT(newest(100, 100), ElementsAre(7, 4, 1));
  EXPECT_THAT(newest(2, 100), ElementsAre(7, 4));
  EXPECT_THAT(newest(100, 2), ElementsAre(7)) << "8 and 7 were looked at";
  EXPECT_THAT(newest(0, 100), IsEmpty());
  EXPECT_THAT(
    ids_of(*store_->journal().newest_matches(9, {.types = {1}}, 9, 9)),
    IsEmpty());
}

TEST_P(SettingsTest, FailuresInARowSurviveACrash) {
  const auto hook = add_hook(1, {1});
  for (int i = 0; i < 4; ++i)
    publish(draft_of(1));
  append(failure(hook.id, 1, 100));
  checkpoint(4);
  append(failure(hook.id, 2, 300));
  append(failure(hook.id, 3, 200));
  auto unsent = call_of(hook.id, 4, outcome::given_up, 4);
  unsent.unsent = true;
  append(unsent);
  for (int i = 0; i < 2; ++i) {
    const auto upto = load(hook.id).upto;
    EXPECT_EQ(upto.failures, 3U) << "what was not attempted did not fail";
    EXPECT_EQ(upto.failing_since, at_ms(100));
    EXPECT_EQ(upto.last_failure, at_ms(300));
    reopen();
  }
  append(call_of(hook.id, 1, outcome::delivered, 4));
  EXPECT_EQ(load(hook.id).upto.failures, 0U);
}

TEST_P(SettingsTest, AnotherTargetBeginsWithoutFailures) {
  const auto hook = add_hook(1, {1});
  publish(draft_of(1));
  publish(draft_of(1));
  append(failure(hook.id, 1, 100));
  change(hook.id, [](webhook_record& w) { w.comment = "the same target"; });
  EXPECT_EQ(load(hook.id).upto.failures, 1U);
  change(hook.id,
         [](webhook_record& w) { w.target_url = "http://127.0.0.2/"; });
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(load(hook.id).upto.failures, 0U);
    EXPECT_THAT(subjects_of(*store_->deliveries().retries(hook.id)),
                ElementsAre(1))
      << "what waits still waits";
    reopen();
  }
  append(failure(hook.id, 2, 200));
  reopen();
  EXPECT_EQ(load(hook.id).upto.failures, 1U);
}

// -- what a receiver has asked for --------------------------------------------

TEST_P(SettingsTest, AHoldThatAFinalAnswerAskedForSurvivesACrash) {
  const auto hook = add_hook(1, {1});
  for (int i = 0; i < 3; ++i)
    publish(draft_of(1));
  auto final = call_of(hook.id, 1, outcome::given_up, 1);
  final.time = at_ms(100);
  final.shows = evidence::unclear;
  final.held_until = at_ms(9'000);
  append(final);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(load(hook.id).upto.held_until, at_ms(9'000)) << i;
    EXPECT_EQ(load(hook.id).upto.failures, 0U) << "it was none";
    reopen();
  }
  checkpoint(3);
  reopen();
  EXPECT_EQ(load(hook.id).upto.held_until, at_ms(9'000));
  append(call_of(hook.id, 2, outcome::delivered, 2));
  reopen();
  EXPECT_EQ(load(hook.id).upto.held_until, timestamp{}) << "a success ends it";
  append(final);
  change(hook.id,
         [](webhook_record& w) { w.target_url = "http://127.0.0.2/"; });
  reopen();
  EXPECT_EQ(load(hook.id).upto.held_until, timestamp{})
    << "the receiver that asked for it is not called any more";
}

TEST_P(SettingsTest, AHoldIsOfTheAnswerAndNotOfTheRetry) {
  const auto hook = add_hook(1, {1});
  publish(draft_of(1));
  auto resent = call_of(hook.id, 1, outcome::retried, 1);
  resent.resent = true;
  resent.shows = evidence::busy;
  resent.retry_due = at_ms(90'000); // by its schedule
  resent.held_until = at_ms(9'000);
  append(resent);
  reopen();
  EXPECT_EQ(load(hook.id).upto.held_until, at_ms(9'000));
}

// -- time that does not count -------------------------------------------------

TEST_P(SettingsTest, TimeOffCountsFromTheStopAndNotFromTheLastFailure) {
  const auto hook = add_hook(1, {1});
  for (int i = 0; i < 4; ++i)
    publish(draft_of(1));
  append(failure(hook.id, 1, 100));
  append(failure(hook.id, 2, 200));
  const auto off = [&](std::int64_t since, std::int64_t until) {
    run(amend_progress{
      .hook = hook.id, .off_since = at_ms(since), .off_until = at_ms(until)});
    reopen();
    return load(hook.id).upto.excused.count();
  };
  EXPECT_EQ(off(900, 1'000), 100);
  EXPECT_EQ(off(900, 1'000), 100) << "once";
  EXPECT_EQ(off(950, 1'050), 150) << "and no part of it twice";
  append(failure(hook.id, 3, 2'000));
  EXPECT_EQ(off(1'500, 1'800), 150) << "it was attempted since";
  EXPECT_EQ(off(1'900, 2'100), 250);
}

TEST_P(SettingsTest, TimeHeldBackCountsFromTheAttemptThatCouldNotBeMade) {
  const auto hook = add_hook(1, {1});
  for (int i = 0; i < 4; ++i)
    publish(draft_of(1));
  append(failure(hook.id, 1, 100));
  const auto held_back = [&](position subject, std::int64_t from,
                             std::int64_t to) {
    auto c = failure(hook.id, subject, from);
    c.shows = evidence::none;
    c.retry_due = at_ms(to);
    append(c);
    reopen();
    return load(hook.id).upto.excused.count();
  };
  EXPECT_EQ(held_back(2, 1'000, 2'000), 1'000);
  EXPECT_EQ(held_back(3, 1'500, 2'500), 1'500) << "at the same time";
  EXPECT_EQ(held_back(4, 2'500, 4'500), 3'500);
}

TEST_P(SettingsTest, TheTimesOfRunningAreKept) {
  EXPECT_EQ(store_->recovered().runs, run_times{});
  const run_times runs{.until = at_ms(900), .off = {{at_ms(1), at_ms(2)}}};
  run(save_checkpoint{.routed_upto = 0, .behind = {}, .runs = runs});
  checkpoint(0);
  reopen();
  EXPECT_EQ(store_->recovered().runs, runs);
  auto later = runs;
  later.until = at_ms(1'000);
  run(save_checkpoint{.routed_upto = 0, .behind = {}, .runs = later});
  reopen();
  EXPECT_EQ(store_->recovered().runs, later) << "although nothing else changed";
}

TEST(RunTimes, EachStartKnowsSinceWhenNobodyRan) {
  EXPECT_THAT(started_again({}, at_ms(5)).off,
              ElementsAre(run_times::pause{{}, at_ms(5)}))
    << "an earlier version did not say";
  auto runs = started_again({.until = at_ms(10)}, at_ms(15));
  EXPECT_THAT(runs.off, ElementsAre(run_times::pause{at_ms(10), at_ms(15)}));
  runs = started_again({.until = at_ms(10)}, at_ms(5));
  EXPECT_THAT(runs.off, IsEmpty()) << "the clock was set back";
  for (std::size_t i = 0; i < run_times::most_pauses + 2; ++i) {
    const auto since = static_cast<std::int64_t>(10 * i);
    runs.until = at_ms(since + 1);
    runs = started_again(std::move(runs), at_ms(since + 2));
  }
  EXPECT_EQ(runs.off.size(), run_times::most_pauses);
  EXPECT_EQ(runs.off.front(), (run_times::pause{at_ms(1), at_ms(22)}))
    << "of what is long ago it is enough to know that";
}

// -- the newest requests ------------------------------------------------------

TEST_P(SettingsTest, TheNewestRequestsAreReadAsFarAsARateNeeds) {
  auto hook = add_hook(1, {1});
  change(hook.id, [](webhook_record& w) {
    w.delivery.rate_limit = {.count = 3, .period = 1'000ms};
  });
  for (int i = 0; i < 9; ++i)
    publish(draft_of(1));
  position next = 0;
  const auto logged_at = [&](std::int64_t ms) {
    ++next;
    auto c = call_of(hook.id, next, outcome::delivered, next);
    c.time = at_ms(ms);
    return c;
  };
  EXPECT_TRUE(load(hook.id).recent_complete) << "there was none";
  append(logged_at(100));
  append(logged_at(1'200));
  append(logged_at(1'300));
  EXPECT_THAT(load(hook.id).recent, ElementsAre(at_ms(1'300), at_ms(1'200)));
  EXPECT_TRUE(load(hook.id).recent_complete) << "one is before its period";
  auto repeated = logged_at(1'400);
  repeated.repeated = true;
  append(repeated);
  EXPECT_THAT(load(hook.id).recent,
              ElementsAre(at_ms(1'400), at_ms(1'400), at_ms(1'300)))
    << "it went out twice";
  EXPECT_FALSE(load(hook.id).recent_complete) << "three are enough";
}

TEST_P(SettingsTest, ABatchIsOneOfTheNewestRequests) {
  auto hook = add_hook(1, {1});
  change(hook.id, [](webhook_record& w) {
    w.delivery.rate_limit = {.count = 1'000, .period = 3'600'000ms};
    w.delivery.batch = {.max_count = 100};
  });
  std::vector<operation> calls;
  for (position p = 1; p <= 5'000; ++p) {
    auto c = call_of(hook.id, p, outcome::delivered, p);
    c.time = at_ms(1'000 + static_cast<std::int64_t>((p - 1) / 100));
    calls.emplace_back(append_call{std::move(c)});
  }
  ASSERT_TRUE(store_->commit(calls));
  const auto known = load(hook.id);
  EXPECT_EQ(known.recent.size(), 40U) << "of as many calls as are looked at";
  EXPECT_EQ(known.recent.back(), at_ms(1'010));
  EXPECT_FALSE(known.recent_complete);
}

TEST_P(SettingsTest, AnOrganizerKeepsItsNetworks) {
  const auto added = run(add_organizer{.slug = "acme", .name = "Acme"}).done;
  ASSERT_TRUE(added);
  const auto edited = [this](organizer_id id, std::string network) {
    return run(change_organizer{.id = id,
                                .edit = [network = std::move(network)](
                                          organizer& o) -> result<void> {
                                  if (network.empty())
                                    return error{ec::conflict, "no"};
                                  o.allow_networks = {network};
                                  o.slug = "other";
                                  return {};
                                }})
      .done;
  };
  ASSERT_TRUE(edited(added->id, "10.0.0.0/8"));
  EXPECT_EQ(edited(added->id, "").error().code, ec::conflict);
  EXPECT_EQ(edited(99, "10.0.0.0/8").error().code, ec::not_found);
  reopen();
  const auto all = *store_->registry().organizers();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all[0].allow_networks, ElementsAre("10.0.0.0/8"));
  EXPECT_EQ(all[0].slug, "acme") << "not to be changed";
}

} // namespace

} // namespace fanfare::test
