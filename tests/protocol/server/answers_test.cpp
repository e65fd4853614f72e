// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Answers from anywhere, late, lost or not wanted any more.

#include "tests/protocol/server/server_test.hpp"
#include "tests/support/eventually.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::protocol::server {

namespace {

TEST(HttpServer, TakesAnswersFromOtherThreads) {
  std::mutex mutex;
  std::vector<std::thread> threads;
  scripted handler{[&](http_request request, respond_fn respond) {
    const std::lock_guard guard{mutex};
    threads.emplace_back(
      [request = std::move(request), respond = std::move(respond)] {
        respond(scripted::echo(request));
      });
  }};
  http_server_options options;
  options.threads = 2;
  const auto server = serve(handler, options);
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c)
    clients.emplace_back([&, c] {
      raw_client client{server->port()};
      for (int i = 0; i < 25; ++i) {
        const auto body = std::to_string(c * 1000 + i);
        client.send(post(body) + get('/' + body));
        EXPECT_EQ(client.read().body, "POST / " + body);
        EXPECT_EQ(client.read().body, "GET /" + body + ' ');
      }
    });
  for (auto& client : clients)
    client.join();
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(handler.calls, 400U);
}

TEST(HttpServer, ClosesWhenNobodyWillAnswer) {
  scripted handler{[](const http_request& request, const respond_fn& respond) {
    if (request.target != "/dropped")
      respond(scripted::echo(request));
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/good") + get("/dropped") + get("/behind"));
  EXPECT_EQ(client.read().body, "GET /good ");
  EXPECT_TRUE(client.closed());
  expect_alive(*server);
}

TEST(HttpServer, ClosesWhenAnAnswerIsDroppedLater) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/first") + get("/dropped"));
  ASSERT_TRUE(room.wait_for(2));
  room.drop(1);
  catch_up(*server);
  EXPECT_TRUE(client.silent());
  room.echo(0);
  EXPECT_EQ(client.read().body, "GET /first ");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, TurnsAnExceptionInto500) {
  scripted handler{[](const http_request& request, const respond_fn& respond) {
    if (request.target == "/throw")
      throw std::runtime_error{"secret"};
    respond(scripted::echo(request));
    if (request.target == "/late")
      throw 1;
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/throw") + get("/late") + get("/good"));
  const auto reply = client.read();
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body, R"({"detail":"internal error"})");
  EXPECT_EQ(client.read().body, "GET /late ");
  EXPECT_EQ(client.read().body, "GET /good ");
}

TEST(HttpServer, CountsOnlyTheFirstAnswer) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/1") + get("/2") + get("/3"));
  ASSERT_TRUE(room.wait_for(3));
  room.answer(0, {200, {}, "first"});
  room.answer(0, {200, {}, "again"});
  room.answer(1, {200, {}, "second"});
  room.answer(1, {200, {}, "again"});
  room.answer(2, {200, {}, "third"});
  EXPECT_EQ(client.read().body, "first");
  EXPECT_EQ(client.read().body, "second");
  EXPECT_EQ(client.read().body, "third");
}

TEST(HttpServer, SurvivesAnswersToClientsThatLeft) {
  waiting_room room;
  scripted handler{room.door()};
  auto server = serve(handler);
  {
    raw_client client{server->port()};
    client.send(get());
    ASSERT_TRUE(room.wait_for(1));
  }
  room.answer(0, {200, {}, std::string(1'000'000, 'x')});
  raw_client client{server->port()};
  client.send(get("/next"));
  ASSERT_TRUE(room.wait_for(2));
  room.echo(1);
  EXPECT_EQ(client.read().body, "GET /next ");
  client.send(get("/too-late"));
  ASSERT_TRUE(room.wait_for(3));
  server.reset();
  room.echo(2);
}

TEST(HttpServer, GivesUpClientsThatDoNotTakeTheirAnswers) {
  scripted handler{[](const http_request& request, const respond_fn& respond) {
    respond(
      {200, {}, std::string(request.target == "/large" ? 32'000'000 : 2, 'x')});
  }};
  http_server_options options;
  options.idle_timeout = 200ms;
  options.max_connections = 1;
  const auto server = serve(handler, options);
  raw_client lazy{server->port(), nullptr, 4096};
  lazy.send(get("/large"));
  EXPECT_TRUE(test::eventually(patience, [&] {
    raw_client other{server->port()};
    other.send(get());
    return other.read().status == 200;
  }));
  EXPECT_LT(lazy.read_all().size(), 32'000'000U);
}

TEST(HttpServer, RefusesLargeAnswersWhileTooManyAreNotTaken) {
  scripted handler{[](const http_request& request, const respond_fn& respond) {
    respond(
      {200,
       {{"Content-Type", "text/plain"}, {"X-Of-Handler", "yes"}},
       std::string(request.target == "/large" ? 30'000'000 : 8'000, 'x')});
  }};
  const auto server = serve(handler);
  raw_client first{server->port(), nullptr, 4096};
  first.send(get("/large"));
  raw_client second{server->port(), nullptr, 4096};
  second.send(get("/large"));
  catch_up(*server);
  raw_client third{server->port()};
  third.send(get("/small") + get("/large"));
  EXPECT_EQ(third.read().body.size(), 8'000U);
  const auto refused = third.read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("connection"), "close");
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_EQ(refused.headers.at("content-type"), "application/json");
  EXPECT_EQ(refused.headers.count("x-of-handler"), 0U);
  EXPECT_EQ(
    refused.body,
    R"({"detail":"too many answers wait to be read by their clients"})");
  EXPECT_TRUE(third.closed());
}

TEST(HttpServer, WaitsForSlowReadersThatGoOn) {
  scripted handler{[](const http_request&, const respond_fn& respond) {
    respond({200, {}, std::string(3'000'000, 'x')});
  }};
  const auto server = serve(handler);
  raw_client client{server->port(), nullptr, 4096};
  std::string bytes;
  for (int i = 0; i < 8; ++i)
    bytes += get();
  client.send(bytes);
  // The server asks for no more than it can write off.
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(client.read().body.size(), 3'000'000U);
}

} // namespace

} // namespace fanfare::protocol::server
