// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Statistics of calls: what is asked of the engine, and how its report reads.

#include "tests/protocol/rest/delivery_test.hpp"

namespace fanfare::test {
namespace {

class RestStatisticsTest : public RestDeliveryTest {
protected:
  const std::string of_hook = hook + "statistics/";
  const std::string of_organizer = "/api/v1/organizers/dummy/statistics/";
};

TEST_F(RestStatisticsTest, ShowWhatTheEngineCounts) {
  service.counted = {
    .since = timestamp{0s},
    .until = timestamp{600s},
    .step = 300s,
    .buckets =
      {{.since = timestamp{0s}},
       {.since = timestamp{300s},
        .counted = {.calls = 5,
                    .successes = 2,
                    .failures = 3,
                    .failures_by_kind = {{"dns", 1}, {"http_5xx", 2}},
                    .retries = 4,
                    .given_up = 1,
                    .answer_time = {{.p50 = 1ms, .p90 = 20ms, .p99 = 3s}}}}},
    .total = {.calls = 5}};
  const auto none = R"("calls":0,"successes":0,"failures":0,)"
                    R"("failures_by_kind":{},"retries":0,"given_up":0,)"
                    R"("answer_time":{"p50":null,"p90":null,"p99":null}})";
  const auto got = get(of_hook);
  EXPECT_EQ(got.status, 200);
  const auto said = got.json();
  EXPECT_EQ(said.at("since"), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(said.at("until"), "1970-01-01T00:10:00.000Z");
  EXPECT_EQ(said.at("step"), 300);
  EXPECT_EQ(said.at("total").at("calls"), 5);
  EXPECT_EQ(compact(said.at("buckets").at(0)),
            R"({"since":"1970-01-01T00:00:00.000Z",)" + std::string{none});
  EXPECT_EQ(compact(said.at("buckets").at(1)),
            R"({"since":"1970-01-01T00:05:00.000Z","calls":5,"successes":2,)"
            R"("failures":3,"failures_by_kind":{"dns":1,"http_5xx":2},)"
            R"("retries":4,"given_up":1,)"
            R"("answer_time":{"p50":0.001,"p90":0.02,"p99":3}})");
}

TEST_F(RestStatisticsTest, AreOfAWebhookOrOfAllOfThem) {
  EXPECT_EQ(get(of_hook).status, 200);
  EXPECT_EQ(service.counted_of, 1U);
  EXPECT_EQ(get(of_organizer).status, 200);
  EXPECT_EQ(service.counted_of, 0U);
}

TEST_F(RestStatisticsTest, PassOnWhatIsAskedFor) {
  get(of_hook);
  EXPECT_FALSE(service.counted_by.since || service.counted_by.until
               || service.counted_by.step);
  get(of_hook
      + "?since=1970-01-01T00:00:07Z&until=1970-01-01T01:00:09%2B01:00");
  EXPECT_EQ(service.counted_by.since, timestamp{7s});
  EXPECT_EQ(service.counted_by.until, timestamp{9s});
  const std::pair<const char*, std::chrono::seconds> steps[] = {
    {"300", 300s}, {"300s", 300s}, {"5m", 300s}, {"1h", 3600s}, {"1d", 24h}};
  for (const auto& [text, step] : steps) {
    get(of_organizer + "?step=" + text);
    EXPECT_EQ(service.counted_by.step, step) << text;
  }
}

TEST_F(RestStatisticsTest, RefuseWhatIsNoStepOrNoTime) {
  for (const auto* text : {"x", "m", "-5m", "0", "5w", "5mm", "1.5h",
                           "99999999999999999999", "9999999999d", "%35m%20"}) {
    const auto got = get(of_hook + "?step=" + text);
    EXPECT_EQ(got.status, 400) << text;
    EXPECT_EQ(got.body,
              fault("step", "Enter a duration, such as 5m, 1h, 1d, or a number "
                            "of seconds."))
      << text;
  }
  EXPECT_EQ(get(of_hook + "?since=x").status, 400);
  EXPECT_EQ(get(of_organizer + "?until=x").status, 400);
}

TEST_F(RestStatisticsTest, OfAWebhookThatIsNotThereAreNotFound) {
  EXPECT_EQ(get("/api/v1/organizers/dummy/webhooks/99/statistics/").status,
            404);
}

} // namespace
} // namespace fanfare::test
