// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Which connections are kept, for whom, and for how long.

#include "tests/protocol/client/client_test.hpp"
#include "tests/support/http_sink.hpp"

#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::request_record;
using test::response_plan;

class ConnectionPoolTest : public HttpClientTest {};

TEST_F(ConnectionPoolTest, KeepsConnections) {
  http_sink sink;
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
  EXPECT_EQ(client().connects(), 1u);
  EXPECT_EQ(client().idle(), 1u);
  const auto again = call(sink.url());
  EXPECT_EQ(again.timings.connect, 0us);
  EXPECT_EQ(again.timings.dns, 0us);
}

TEST_F(ConnectionPoolTest, SharesConnectionsBetweenTargetsOfADestination) {
  http_sink sink;
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(call(sink.url("/" + std::to_string(i))).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
  // Another spelling is another destination.
  EXPECT_EQ(call(sink.url("/", "localhost")).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
}

TEST_F(ConnectionPoolTest, RunsManyExchangesOverFewConnections) {
  http_sink sink;
  const auto to = target::parse(sink.url()).value();
  std::size_t started = 0;
  std::size_t succeeded = 0;
  std::size_t ended = 0;
  std::function<void()> next = [&] {
    if (started == 5'000)
      return;
    ++started;
    client().send({to, body_of("{}"), {}}, [&](exchange_result&& result) {
      ++ended;
      succeeded += result.status == 200;
      next();
    });
  };
  for (int i = 0; i < 32; ++i)
    next();
  EXPECT_EQ(client().active(), 32u);
  ASSERT_TRUE(run_until([&] { return ended == 5'000; }));
  EXPECT_EQ(succeeded, 5'000u);
  EXPECT_EQ(sink.size(), 5'000u);
  EXPECT_LE(sink.connections(), 32u);
  EXPECT_EQ(client().active(), 0u);
}

TEST_F(ConnectionPoolTest, HonoursConnectionClose) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.after = response_plan::ending::close;
    return plan;
  }};
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(ConnectionPoolTest, DoesNotKeepHttp10Connections) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.raw = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
    return plan;
  }};
  EXPECT_EQ(call(sink.url()).response_body, "ok");
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(ConnectionPoolTest, NoticesWhenTheReceiverClosesAnIdleConnection) {
  http_sink sink;
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(client().idle(), 1u);
  sink.stop();
  EXPECT_TRUE(run_until([&] { return client().idle() == 0; }));
}

TEST_F(ConnectionPoolTest, ClosesConnectionsThatWaitedTooLong) {
  options.idle_timeout = 50ms;
  http_sink sink;
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(client().idle(), 1u);
  EXPECT_TRUE(run_until([&] { return client().idle() == 0; }));
  EXPECT_TRUE(run_until([&] { return sink.open_connections() == 0; }));
}

TEST_F(ConnectionPoolTest, KeepsNoMoreIdleConnectionsThanToldTo) {
  options.max_idle_per_destination = 2;
  options.max_idle = 3;
  http_sink first;
  http_sink second;
  std::size_t ended = 0;
  for (const auto* sink : {&first, &second})
    for (int i = 0; i < 5; ++i)
      client().send({target::parse(sink->url()).value(), body_of("{}"), {}},
                    [&](exchange_result&& result) {
                      EXPECT_EQ(result.status, 200);
                      ++ended;
                    });
  ASSERT_TRUE(run_until([&] { return ended == 10; }));
  EXPECT_EQ(client().connects(), 10u);
  EXPECT_EQ(client().idle(), 3u);
}

TEST_F(ConnectionPoolTest, DropsAConnectionWithSurplusBytes) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 "
               "smuggled\r\nContent-Length: 0\r\n\r\n";
    return plan;
  }};
  for (std::size_t i = 1; i < 4; ++i) {
    const auto result = call(sink.url());
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.response_body, "ok");
    EXPECT_EQ(sink.connections(), i);
  }
  EXPECT_EQ(client().idle(), 0u);
}

} // namespace
} // namespace fanfare::protocol
