// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Clients that keep the server waiting.

#include "tests/protocol/server/server_test.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string_view>

namespace fanfare::protocol::server {

namespace {

using clock = std::chrono::steady_clock;

/// Sends a piece now and then until the server speaks or closes; how long it
/// took.
std::chrono::milliseconds trickle(raw_client& client, std::string_view piece) {
  const auto start = clock::now();
  while (clock::now() - start < patience && client.silent(10ms))
    client.send(piece);
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now()
                                                               - start);
}

TEST(HttpServer, LosesPatienceWithSlowHeads) {
  scripted handler;
  http_server_options options;
  options.head_timeout = 200ms;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(get("/first"));
  EXPECT_EQ(client.read().status, 200);
  client.send("GET / HTTP/1.1\r\nHost: x\r\nA: ");
  EXPECT_GE(trickle(client, "a"), 190ms);
  EXPECT_EQ(client.read().status, 408);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(handler.calls, 1U);
}

TEST(HttpServer, LosesPatienceWithSlowBodies) {
  scripted handler;
  http_server_options options;
  options.body_timeout = 200ms;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_GE(trickle(client, "a"), 190ms);
  EXPECT_EQ(client.read().status, 408);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(handler.calls, 0U);
}

TEST(HttpServer, ClosesIdleConnectionsWithoutAWord) {
  waiting_room room;
  scripted handler{room.door()};
  http_server_options options;
  options.idle_timeout = 200ms;
  const auto server = serve(handler, options);
  raw_client used{server->port()};
  used.send(get());
  ASSERT_TRUE(room.wait_for(1));
  // A slow handler is no idle client: the one who came later leaves earlier.
  raw_client fresh{server->port()};
  EXPECT_TRUE(fresh.closed());
  EXPECT_TRUE(used.silent());
  room.answer(0);
  EXPECT_EQ(used.read().status, 200);
  const auto start = clock::now();
  EXPECT_TRUE(used.closed());
  EXPECT_GE(clock::now() - start, 190ms);
}

} // namespace

} // namespace fanfare::protocol::server
