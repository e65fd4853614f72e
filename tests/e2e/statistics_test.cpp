// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What a server has called is what it counts, also one that was killed.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <string>

namespace fanfare::test {

namespace {

namespace json = boost::json;

class CallStatisticsTest : public E2eTest {
protected:
  json::value statistics(const std::string& path,
                         const std::string& query = {}) {
    const auto answer = api().get(path + "statistics/" + query);
    EXPECT_EQ(answer.status, 200U) << answer.body;
    return answer.json();
  }

  /// Calls by what became of them, as the log of a webhook has it.
  using outcomes = std::map<std::string, std::uint64_t>;
  outcomes in_log(hook_id hook) {
    outcomes out;
    for (const auto& call : calls("acme", hook)) {
      ++out["calls"];
      ++out[flag_of(call, "success") ? "successes" : "failures"];
      out["retries"] += number_of(call, "attempt") > 1 ? 1U : 0U;
    }
    return out;
  }

  static outcomes in(const json::value& counts) {
    outcomes out;
    for (const auto* key : {"calls", "successes", "failures", "retries"})
      out[key] = number_of(counts, key);
    return out;
  }
};

TEST_F(CallStatisticsTest, AreThoseOfTheLogWheneverTheServerIsKilled) {
  start({"--schedule", "1ms,1h"});
  add_organizer("acme");
  add_organizer("other");
  std::atomic<std::size_t> requests = 0;
  http_sink sink{[&](const request_record&) {
    return response_plan::answer(++requests % 5 == 0 ? 503 : 200, "");
  }};
  const auto first = add_webhook("acme", {.url = sink.url("/1")});
  const auto second = add_webhook("acme", {.url = sink.url("/2")});
  std::size_t published = 0;
  for (int round = 0; round < 3; ++round) {
    const auto before = sink.size();
    for (int i = 0; i < 40; ++i, ++published)
      publish();
    ASSERT_TRUE(sink.wait_for(before + 20, patience));
    kill();
    start({"--schedule", "1ms,1h"});
    for (const auto hook : {first, second})
      wait_for_calls("acme", hook, published);
    // Until nothing comes between the two looks any more.
    for (const auto hook : {first, second})
      ASSERT_TRUE(eventually(patience,
                             [&] {
                               const auto path = webhook_path("acme", hook);
                               return in(statistics(path).at("total"))
                                   == in_log(hook);
                             }))
        << json::serialize(statistics(webhook_path("acme", hook)));
  }
  const auto all = statistics(organizer_path("acme"));
  EXPECT_EQ(number_of(all.at("total"), "calls"),
            in_log(first)["calls"] + in_log(second)["calls"]);
  EXPECT_GT(number_of(all.at("total").at("failures_by_kind"), "http_5xx"), 0U);
  EXPECT_GT(all.at("total").at("answer_time").at("p50").to_number<double>(), 0);
  std::uint64_t sum = 0;
  for (const auto& bucket : all.at("buckets").as_array())
    sum += number_of(bucket, "calls");
  EXPECT_EQ(sum, number_of(all.at("total"), "calls"));
  EXPECT_EQ(number_of(statistics(organizer_path("other")).at("total"), "calls"),
            0U);
  EXPECT_EQ(statistics(organizer_path("acme"), "?step=1d")
              .at("buckets")
              .as_array()
              .size(),
            2U);
  stop();
}

} // namespace

} // namespace fanfare::test
