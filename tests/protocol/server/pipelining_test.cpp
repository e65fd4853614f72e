// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Several requests of one connection at the same time.

#include "tests/protocol/server/server_test.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <thread>

namespace fanfare::protocol::server {

namespace {

TEST(HttpServer, KeepsTheOrderOfPipelinedRequests) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  std::string bytes;
  for (int i = 0; i < 10; ++i)
    bytes += get('/' + std::to_string(i));
  client.send(bytes);
  ASSERT_TRUE(room.wait_for(10));
  for (std::size_t i = 10; i-- > 1;)
    room.echo(i);
  catch_up(*server);
  EXPECT_TRUE(client.silent());
  room.echo(0);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(client.read().body, "GET /" + std::to_string(i) + ' ');
}

TEST(HttpServer, HandlesOnlySoManyPipelinedRequestsAtOnce) {
  waiting_room room;
  scripted handler{room.door()};
  http_server_options options;
  options.max_pipelined = 2;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  std::string bytes;
  for (int i = 0; i < 50; ++i)
    bytes += get('/' + std::to_string(i));
  client.send(bytes);
  for (std::size_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(room.wait_for(std::min<std::size_t>(i + 2, 50)));
    if (i < 3) {
      catch_up(*server);
      EXPECT_EQ(room.size(), i + 2);
    }
    room.echo(i);
    EXPECT_EQ(client.read().body, "GET /" + std::to_string(i) + ' ');
  }
}

TEST(HttpServer, AnswersAFloodOfPipelinedRequests) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  constexpr int count = 20'000;
  std::thread writer{[&] {
    std::string bytes;
    for (int i = 0; i < count; ++i)
      bytes += post(std::to_string(i));
    client.send(bytes);
  }};
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(client.read().body, "POST / " + std::to_string(i));
  writer.join();
}

} // namespace

} // namespace fanfare::protocol::server
