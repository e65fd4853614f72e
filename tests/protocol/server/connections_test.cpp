// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Many clients, too many clients, and not enough descriptors for them.

#include "tests/protocol/server/server_test.hpp"
#include "tests/support/eventually.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <map>
#include <optional>
#include <vector>

namespace fanfare::protocol::server {

namespace {

TEST(HttpServer, LimitsConnections) {
  scripted handler;
  http_server_options options;
  options.max_connections = 2;
  const auto server = serve(handler, options);
  raw_client first{server->port()};
  std::optional<raw_client> second{server->port()};
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
  second->send(get());
  EXPECT_EQ(second->read().status, 200);
  for (int i = 0; i < 5; ++i) {
    raw_client third{server->port()};
    third.send(get());
    const auto reply = third.read();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.headers.at("retry-after"), "1");
    EXPECT_TRUE(third.closed());
  }
  second.reset();
  EXPECT_TRUE(test::eventually(patience, [&] {
    raw_client next{server->port()};
    next.send(get());
    return next.read().status == 200;
  }));
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
}

TEST(HttpServer, LimitsConnectionsPerAddress) {
  scripted handler;
  http_server_options options;
  options.max_connections_per_address = 1;
  const auto server = serve(handler, options);
  raw_client first{server->port()};
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
  raw_client second{server->port()};
  second.send(get());
  EXPECT_EQ(second.read().status, 429);
  EXPECT_TRUE(second.closed());
  raw_client elsewhere{server->port(), "127.0.0.2"};
  elsewhere.send(get());
  EXPECT_EQ(elsewhere.read().status, 200);
}

TEST(HttpServer, ClosesAtOnceWhenTooManyAreTurnedAway) {
  scripted handler;
  http_server_options options;
  options.max_connections = 1;
  const auto server = serve(handler, options);
  raw_client first{server->port()};
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
  std::vector<raw_client> crowd;
  for (int i = 0; i < 200; ++i)
    crowd.emplace_back(server->port());
  std::map<int, int> statuses;
  for (auto& client : crowd)
    ++statuses[client.read().status];
  EXPECT_GE(statuses[503], 64);
  EXPECT_GT(statuses[0], 0);
  EXPECT_EQ(statuses[503] + statuses[0], 200);
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
}

TEST(HttpServer, ServesManyConnections) {
  scripted handler;
  http_server_options options;
  options.threads = 2;
  const auto server = serve(handler, options);
  std::vector<raw_client> crowd;
  for (int i = 0; i < 400; ++i)
    crowd.emplace_back(server->port());
  for (int round = 0; round < 3; ++round) {
    for (auto& client : crowd)
      client.send(post("x"));
    for (auto& client : crowd)
      ASSERT_EQ(client.read().body, "POST / x");
  }
}

TEST(HttpServer, RecoversFromALackOfDescriptors) {
#ifdef __SANITIZE_ADDRESS__
  // It looks at objects through a pipe, so it takes a lack of descriptors for
  // bad objects.
  GTEST_SKIP() << "sanitizers need descriptors themselves";
#endif
  scripted handler;
  const auto server = serve(handler);
  raw_client client{raw_client::unconnected{}};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  auto scarce = before;
  const auto next = ::dup(client.fd()); // the lowest free number
  ::close(next);
  scarce.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &scarce), 0);
  ASSERT_TRUE(client.connect(server->port()));
  client.send(get());
  const auto used = std::clock();
  EXPECT_TRUE(client.silent(300ms));
  // It waits, it does not spin.
  EXPECT_LT(static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC, 0.15);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.read().status, 200);
}

} // namespace

} // namespace fanfare::protocol::server
