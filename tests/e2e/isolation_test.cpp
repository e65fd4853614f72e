// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What one receiver does costs the others nothing.

#include "tests/e2e/support/e2e_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <map>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

using IsolationTest = E2eTest;

TEST_F(IsolationTest, AHangingReceiverDoesNotDelayTheOthers) {
  constexpr std::size_t others = 20;
  constexpr std::size_t rounds = sanitized ? 60 : 200;
  start({"--first-byte-timeout", "2s", "--schedule", "1h"});
  add_organizer("acme");
  http_sink hanging{
    [](const request_record&) { return response_plan::hanging(); }};
  http_sink quick;
  const auto stuck = add_webhook("acme", {.url = hanging.url()});
  for (std::size_t i = 0; i < others; ++i)
    add_webhook("acme", {.url = quick.url('/' + std::to_string(i))});

  std::map<std::uint64_t, steady_clock::time_point> published;
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto before = steady_clock::now();
    published[publish()] = before;
  }

  ASSERT_TRUE(quick.wait_for(others * rounds, patience));
  std::vector<double> latencies;
  for (const auto& record : quick.records())
    latencies.push_back(std::chrono::duration<double, std::milli>(
                          record.time - published.at(id_in(record.body)))
                          .count());
  std::ranges::sort(latencies);
  const auto p50 = latencies[latencies.size() / 2];
  const auto p99 = latencies[latencies.size() * 99 / 100];
  std::printf("latency beside a hanging receiver: p50 %.1f ms, p99 %.1f ms\n",
              p50, p99);
  EXPECT_GE(hanging.size(), 8U); // it did hang meanwhile
  EXPECT_LT(p99, sanitized ? 3000.0 : 1000.0);
  const auto log = wait_for_calls("acme", stuck, 8);
  EXPECT_THAT(text_of(log[0], "reason"), HasSubstr("first_byte"));
  hanging.set_handler({});
  hanging.release();
}

} // namespace

} // namespace fanfare::test
