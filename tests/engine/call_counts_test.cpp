// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/call_counts.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

/// Says what it was asked, and counts one call in each step.
class counting_log final : public storage::call_log {
public:
  result<std::vector<call>> newest(webhook_id, call_id,
                                   std::size_t) const override {
    return std::vector<call>{};
  }
  result<found_calls> search(organizer_id, const call_search&) const override {
    return found_calls{};
  }
  result<newer_calls> newer(organizer_id, call_id,
                            const feed_limits&) const override {
    return newer_calls{};
  }
  call_id last() const override {
    return 0;
  }
  result<call_id> last_before(timestamp) const override {
    return call_id{0};
  }
  result<call> find(webhook_id, call_id) const override {
    return error{ec::not_found, "There is no such call."};
  }
  result<std::vector<call_tally>>
  count(const tally_query& which) const override {
    asked = which;
    call c;
    c.status = 500;
    c.attempt = 2;
    c.timings.total = 20ms;
    call_tally one;
    one.add(classify(c));
    return std::vector<call_tally>(which.steps, one);
  }

  mutable tally_query asked;
};

class CallCountsTest : public ::testing::Test {
protected:
  /// An hour and a bit into a day.
  static constexpr timestamp now{seconds{1'800'057'600} + 3'700s};
  static constexpr timestamp hour{seconds{1'800'057'600} + 3'600s};

  call_statistics ask(const statistics_query& which) {
    auto found = count_calls(log_, 1, 2, which, now);
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : call_statistics{};
  }

  /// Field and sentence.
  std::pair<std::string, std::string> refused(const statistics_query& which) {
    const auto found = count_calls(log_, 1, 2, which, now);
    EXPECT_FALSE(found);
    if (found)
      return {};
    EXPECT_EQ(found.error().code, ec::invalid_argument);
    return {found.error().field, found.error().detail};
  }

  counting_log log_;
};

TEST_F(CallCountsTest, AreByDefaultThoseOfADayByFiveMinutes) {
  const auto found = ask({});
  EXPECT_EQ(found.step, 5min);
  EXPECT_EQ(found.since, hour - 24h);
  EXPECT_EQ(found.until, hour + 5min) << "the step that has begun is there";
  EXPECT_EQ(found.buckets.size(), 289U);
  EXPECT_EQ(log_.asked.owner, 1U);
  EXPECT_EQ(log_.asked.hook, 2U);
  EXPECT_EQ(log_.asked.since, found.since);
  EXPECT_EQ(log_.asked.steps, 289U);
}

TEST_F(CallCountsTest, HaveStepsOneAfterTheOtherAndTheirSum) {
  const auto found = ask({.since = hour - 2h, .step = 1h});
  ASSERT_EQ(found.buckets.size(), 3U);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(found.buckets[static_cast<std::size_t>(i)].since,
              hour - 2h + i * 1h);
  const auto& one = found.buckets.front().counted;
  EXPECT_EQ(one.calls, 1U);
  EXPECT_EQ(one.failures, 1U);
  EXPECT_EQ(one.failures_by_kind.at("http_5xx"), 1U);
  EXPECT_EQ(one.retries, 1U);
  EXPECT_NEAR(static_cast<double>(one.answer_time.value().p50.count()), 2e4,
              2e3);
  EXPECT_EQ(found.total.calls, 3U);
  EXPECT_EQ(found.total.failures_by_kind.at("http_5xx"), 3U);
}

TEST_F(CallCountsTest, TakeWholeStepsOfTheDay) {
  const auto day = ask({.since = hour - 30h, .step = 24h});
  EXPECT_EQ(day.since, hour - 49h) << "midnight";
  EXPECT_EQ(day.until, hour + 23h);
  EXPECT_EQ(day.buckets.size(), 3U);
  const auto part = ask({.since = hour - 1s, .until = hour + 1s, .step = 5min});
  EXPECT_EQ(part.since, hour - 5min);
  EXPECT_EQ(part.until, hour + 5min);
  const auto exact = ask({.since = hour - 5min, .until = hour});
  EXPECT_EQ(exact.buckets.size(), 1U);
}

TEST_F(CallCountsTest, EndNow) {
  EXPECT_EQ(ask({.until = now + 1000h}).until, hour + 5min);
}

TEST_F(CallCountsTest, BeginWhereTheyAreKept) {
  const auto found = ask({.since = now - 1000h});
  EXPECT_EQ(found.step, 1h) << "not kept by 5 minutes";
  EXPECT_EQ(found.since, hour - 30 * 24h);
  EXPECT_EQ(ask({.since = now - 1000h, .step = 24h}).buckets.size(), 31U);
}

TEST_F(CallCountsTest, OfTwoDaysCanBeByFiveMinutes) {
  EXPECT_EQ(ask({.since = now - 48h}).step, 5min);
  EXPECT_EQ(ask({.since = now - 48h, .step = 5min}).buckets.size(), 577U);
  EXPECT_EQ(refused({.since = now - 50h, .step = 55min}).first, "step");
  EXPECT_EQ(ask({.since = now - 50h}).step, 1h);
}

TEST_F(CallCountsTest, NeedATime) {
  EXPECT_EQ(refused({.since = now, .until = now}).first, "since");
  EXPECT_EQ(refused({.since = now + 1h}).second,
            "This must not be in the future.");
  EXPECT_EQ(refused({.since = now - 1h, .until = now - 2h}).second,
            "This must be before until.");
  EXPECT_EQ(refused({.until = now - 31 * 24h}).first, "until");
  EXPECT_EQ(refused({.until = timestamp::min()}).first, "until");
}

TEST_F(CallCountsTest, TakeOnlyStepsThatDivideWhatIsKept) {
  for (const seconds bad : {seconds{0}, seconds{-300}, seconds{1}, seconds{299},
                            seconds{301}, seconds{5400}, seconds{3601},
                            seconds{25 * 3600}, seconds::max(), seconds::min()})
    EXPECT_EQ(refused({.step = bad}).first, "step") << bad.count();
  for (const seconds good : {seconds{300}, seconds{900}, seconds{3300},
                             seconds{3600}, seconds{7200}, seconds{24 * 3600}})
    EXPECT_EQ(ask({.step = good}).step, good);
}

TEST_F(CallCountsTest, AreNoMoreThanAThousandSteps) {
  EXPECT_LE(ask({.since = timestamp::min()}).buckets.size(), most_steps);
  EXPECT_LE(ask({.since = timestamp::min(), .step = 1h}).buckets.size(),
            most_steps);
}

} // namespace
} // namespace fanfare
