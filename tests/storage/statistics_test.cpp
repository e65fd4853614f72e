// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/every_store.hpp"

#include <numeric>

namespace fanfare::test {

using namespace std::chrono_literals;

class StatisticsTest : public every_store_test {
protected:
  /// A day that begins with a row of the tables.
  static constexpr timestamp day{std::chrono::seconds{1'800'014'400}};

  StatisticsTest() {
    run(add_organizer{.slug = "a", .name = "A"});
    run(add_organizer{.slug = "b", .name = "B"});
    for (const organizer_id owner : {1U, 1U, 2U})
      add_hook(owner, {1});
  }

  static logged_call made(webhook_id hook, timestamp time,
                          std::uint16_t status = 200,
                          std::chrono::microseconds took = 10ms) {
    auto c = call_of(hook, 1, outcome::delivered, 0);
    c.time = time;
    c.status = status;
    c.timings.total = took;
    if (status < 200 || status >= 300)
      c.result = outcome::given_up;
    return c;
  }

  [[nodiscard]] std::vector<call_tally>
  count(webhook_id hook, timestamp since, std::chrono::seconds step,
        std::size_t steps, organizer_id owner = 1) const {
    return store_->call_log()
      .count({.owner = owner,
              .hook = hook,
              .since = since,
              .step = step,
              .steps = steps})
      .value();
  }

  /// Calls by step, of those steps that have any.
  using sums = std::vector<std::pair<std::size_t, std::uint64_t>>;
  [[nodiscard]] sums calls(webhook_id hook, timestamp since,
                           std::chrono::seconds step, std::size_t steps,
                           organizer_id owner = 1) const {
    sums out;
    const auto found = count(hook, since, step, steps, owner);
    for (std::size_t i = 0; i < found.size(); ++i)
      if (found[i].calls() != 0)
        out.emplace_back(i, found[i].calls());
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, StatisticsTest, every_store(), name_of_store);

TEST_P(StatisticsTest, CountACallAtOnceAndAfterACrash) {
  append(made(1, day));
  EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 1}}));
  reopen();
  EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 1}}));
  checkpoint(0);
  EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 1}}));
  reopen();
  EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 1}}));
  checkpoint(0);
  EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 1}})) << "a second time";
}

TEST_P(StatisticsTest, HaveStepsOfTheTimeInWhichACallBegan) {
  append(made(1, day));
  append(made(1, day + 5min - 1ms));
  append(made(1, day + 5min));
  checkpoint(0);
  append(made(1, day + 4min)); // a slow one
  append(made(1, day + 60min));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(calls(1, day, 5min, 13), (sums{{0, 3}, {1, 1}, {12, 1}}));
    EXPECT_EQ(calls(1, day, 1h, 2), (sums{{0, 4}, {1, 1}}));
    EXPECT_EQ(calls(1, day + 5min, 5min, 1), (sums{{0, 1}}));
    EXPECT_EQ(calls(1, day - 24h, 24h, 2), (sums{{1, 5}}));
    checkpoint(0);
  }
}

TEST_P(StatisticsTest, OfAnOrganizerAreThoseOfItsWebhooks) {
  append(made(1, day));
  append(made(2, day));
  append(made(3, day));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 1}}));
    EXPECT_EQ(calls(2, day, 5min, 1), (sums{{0, 1}}));
    EXPECT_EQ(calls(0, day, 5min, 1, 1), (sums{{0, 2}}));
    EXPECT_EQ(calls(0, day, 5min, 1, 2), (sums{{0, 1}}));
    EXPECT_EQ(calls(0, day, 5min, 1, 3), sums{});
    checkpoint(0);
  }
}

TEST_P(StatisticsTest, KnowWhatBecameOfCallsAndHowLongAnswersTook) {
  append(made(1, day, 200, 1ms));
  append(made(1, day, 503, 100ms));
  checkpoint(0);
  auto none = made(1, day, 0, 5s);
  none.reason = "timeout: no answer";
  none.attempt = 2;
  append(none);
  for (int i = 0; i < 2; ++i) {
    const auto found = count(1, day, 5min, 1).front();
    EXPECT_EQ(found.calls(), 3U);
    EXPECT_EQ(found.successes(), 1U);
    EXPECT_EQ(found.all_failures(), 2U);
    EXPECT_EQ(found.retries, 1U);
    EXPECT_EQ(found.given_up, 2U);
    EXPECT_EQ(found.answers.total(), 2U);
    EXPECT_NEAR(static_cast<double>(found.answers.quantile(0.5).count()), 1e3,
                100);
    EXPECT_NEAR(static_cast<double>(found.answers.quantile(0.9).count()), 1e5,
                1e4);
    checkpoint(0);
    append(made(2, day + 1h));
    checkpoint(0);
    reopen();
  }
}

TEST_P(StatisticsTest, OutliveTheCalls) {
  append(made(1, day));
  append(made(1, day));
  checkpoint(0);
  append(made(1, day));
  checkpoint(0);
  run(expire{.notifications = {}, .calls_upto = 3});
  EXPECT_TRUE(store_->call_log().newest(1, 0, 9).value().empty());
  EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 3}}));
  reopen();
  EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 3}}));
}

TEST_P(StatisticsTest, KeepThoseOfADisabledWebhook) {
  append(made(1, day));
  set_enabled(1, false);
  reopen();
  EXPECT_EQ(calls(1, day, 5min, 1), (sums{{0, 1}}));
  EXPECT_EQ(calls(0, day, 5min, 1), (sums{{0, 1}}));
}

TEST_P(StatisticsTest, TakeTimesFromBeforeTheEpochForIt) {
  append(made(1, at_ms(-1)));
  append(made(1, at_ms(0)));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(calls(1, at_ms(0), 5min, 1), (sums{{0, 2}}));
    checkpoint(0);
  }
}

TEST_P(StatisticsTest, KeepEveryHourOfAMonth) {
  constexpr auto hours = 30 * 24;
  for (int i = 0; i < hours; ++i) {
    append(made(1 + static_cast<webhook_id>(i) % 2, day + i * 1h));
    append(made(3, day + i * 1h + 55min));
    checkpoint(0);
    if (i % 97 == 0)
      reopen();
  }
  sums every;
  for (std::size_t i = 0; i < hours; ++i)
    every.emplace_back(i, 1);
  EXPECT_EQ(calls(3, day, 1h, hours), every);
  EXPECT_EQ(calls(0, day, 1h, hours), every);
  EXPECT_EQ(calls(3, day, 24h, 31).size(), 30U);
  const auto last_days = day + (hours - 48) * 1h;
  sums fine;
  for (std::size_t i = 0; i < 48; ++i)
    fine.emplace_back(i * 12 + 11, 1);
  EXPECT_EQ(calls(3, last_days, 5min, 48 * 12), fine);
}

TEST_P(StatisticsTest, CountWhatIsMuchOlderThanTheRest) {
  append(made(1, day));
  checkpoint(0);
  for (int i = 1; i < 5; ++i) {
    append(made(1, day + i * 50h));
    checkpoint(0);
    append(made(1, day + 5min)); // its hour has been moved on, later on
    checkpoint(0);
  }
  EXPECT_EQ(calls(1, day, 1h, 1), (sums{{0, 5}}));
  EXPECT_EQ(calls(1, day, 1h, 500),
            (sums{{0, 5}, {50, 1}, {100, 1}, {150, 1}, {200, 1}}));
}

} // namespace fanfare::test
