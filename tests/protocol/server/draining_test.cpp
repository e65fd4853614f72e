// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Stopping: what runs is finished, up to a deadline.

#include "tests/protocol/server/server_test.hpp"
#include "tests/support/eventually.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::protocol::server {

namespace {

using clock = std::chrono::steady_clock;

TEST(HttpServer, FinishesWhatRunsWhenItStops) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client idle{server->port()};
  raw_client busy{server->port()};
  raw_client halfway{server->port()};
  halfway.send("POST /half HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
               "Content-Length: 3\r\n\r\n");
  EXPECT_EQ(halfway.read().status, 100); // so it has been seen
  busy.send(get("/busy"));
  ASSERT_TRUE(room.wait_for(1));
  auto stopped = std::async(std::launch::async,
                            [&] { server->stop(patience); });
  EXPECT_TRUE(idle.closed());
  halfway.send("abc");
  ASSERT_TRUE(room.wait_for(2));
  EXPECT_EQ(stopped.wait_for(0ms), std::future_status::timeout);
  room.echo(0);
  room.echo(1);
  const auto last = busy.read();
  EXPECT_EQ(last.body, "GET /busy ");
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_TRUE(busy.closed());
  EXPECT_EQ(halfway.read().body, "POST /half abc");
  EXPECT_TRUE(halfway.closed());
  EXPECT_EQ(stopped.wait_for(patience), std::future_status::ready);
  raw_client late{raw_client::unconnected{}};
  EXPECT_FALSE(late.connect(server->port()));
}

TEST(HttpServer, StopsAtTheDeadline) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  ASSERT_TRUE(room.wait_for(1));
  const auto start = clock::now();
  server->stop(200ms);
  EXPECT_GE(clock::now() - start, 200ms);
  EXPECT_LT(clock::now() - start, patience);
  EXPECT_EQ(client.read().status, 0);
  server->stop(patience); // nothing more to do
  room.answer(0);
}

TEST(HttpServer, StopsAlsoIfItsTimerIsDueAtThatMoment) {
  std::promise<void> called;
  std::promise<void> never;
  scripted handler{[&](const http_request&, const respond_fn&) {
    called.set_value();
    // The thread is held until it has both to stop and to look at its clock.
    never.get_future().wait_for(200ms);
  }};
  http_server_options options;
  options.idle_timeout = 40ms; // a tick is an eighth of it
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(get());
  called.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server->stop(0ms); });
  ASSERT_EQ(stopped.wait_for(patience), std::future_status::ready);
}

TEST(HttpServer, StopsUnderLoadAndStartsAgainOnTheSamePort) {
  scripted handler;
  http_server_options options;
  options.threads = 2;
  options.port = 0;
  for (int round = 0; round < 5; ++round) {
    auto made = http_server::start(options, handler);
    ASSERT_TRUE(made) << made.error().detail;
    options.port = (*made)->port();
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c)
      clients.emplace_back([client = raw_client{options.port}]() mutable {
        while (client.send(post("x"))) {
          const auto reply = client.read();
          if (reply.status == 0)
            break;
          EXPECT_EQ(reply.body, "POST / x");
        }
      });
    const auto before = handler.calls.load();
    EXPECT_TRUE(
      test::eventually(patience, [&] { return handler.calls > before + 50; }));
    (*made)->stop(patience);
    for (auto& client : clients)
      client.join();
  }
}

} // namespace

} // namespace fanfare::protocol::server
