// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Several requests of one connection at the same time.

#include "tests/protocol/server/server_test.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <utility>

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

/// Keeps the order of requests to "/log" itself.
class log_keeper final : public http_handler {
public:
  request_kind kind_of(const http_request& head) const override {
    return head.target == "/log" ? request_kind::ordered
                                 : kind_of_method(head.method);
  }
  std::uint64_t mark_of(const http_request& head) const override {
    return head.header("mark").size();
  }
  void handle(http_request request, respond_fn respond) override {
    room.door()(std::move(request), std::move(respond));
  }
  std::optional<http_response> check_head(const http_request&) override {
    checked.fetch_add(1);
    return std::nullopt;
  }

  waiting_room room;
  std::atomic<std::size_t> checked{0};
};

std::string request(std::string_view method, std::string_view target,
                    std::string_view body = "") {
  return std::string{method} + ' ' + std::string{target}
       + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
       + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

/// Sends both in one write and says whether the second one began before the
/// first one was answered.
bool begins_beside(std::string_view first, std::string_view second) {
  log_keeper handler;
  auto& room = handler.room;
  const auto server = serve(handler, {.threads = 1});
  raw_client client{server->port()};
  client.send(std::string{first} + std::string{second});
  EXPECT_TRUE(room.wait_for(1));
  catch_up(*server);
  const bool beside = room.size() == 2;
  room.answer(0, {200, {}, "first"});
  EXPECT_TRUE(room.wait_for(2));
  room.answer(1, {200, {}, "second"});
  EXPECT_EQ(client.read().body, "first");
  EXPECT_EQ(client.read().body, "second");
  return beside;
}

TEST(HttpServer, LetsNoRequestOvertakeAnother) {
  const auto change = request("PATCH", "/a", "body");
  const auto look = request("GET", "/a");
  const auto append = request("POST", "/log", "body");
  EXPECT_FALSE(begins_beside(change, change));
  EXPECT_FALSE(begins_beside(change, look));
  EXPECT_FALSE(begins_beside(change, append));
  EXPECT_FALSE(begins_beside(look, change));
  EXPECT_FALSE(begins_beside(look, append));
  EXPECT_FALSE(begins_beside(append, change));
  EXPECT_FALSE(begins_beside(append, look));
  EXPECT_TRUE(begins_beside(look, look));
  EXPECT_TRUE(begins_beside(look, request("OPTIONS", "/a")));
  EXPECT_TRUE(begins_beside(append, append));
}

TEST(HttpServer, LetsNoRequestBeginBesideAnotherOfTheSameMark) {
  const auto marked = [](std::string mark) {
    return "POST /log HTTP/1.1\r\nHost: x\r\nMark: " + mark
         + "\r\nContent-Length: 0\r\n\r\n";
  };
  EXPECT_FALSE(begins_beside(marked("a"), marked("a")));
  EXPECT_TRUE(begins_beside(marked("a"), marked("bb")));
  EXPECT_TRUE(begins_beside(marked("a"), request("POST", "/log")));
  EXPECT_TRUE(begins_beside(request("POST", "/log"), marked("a")));
}

TEST(HttpServer, LooksAtALargeRequestWhenThoseBeforeItAreAnswered) {
  log_keeper handler;
  auto& room = handler.room;
  http_server_options options;
  options.threads = 1;
  options.free_body = 1000;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  const std::string large(5000, 'x');
  client.send(request("DELETE", "/key") + request("PUT", "/a", large));
  ASSERT_TRUE(room.wait_for(1));
  catch_up(*server);
  EXPECT_EQ(handler.checked, 0U);
  room.answer(0);
  EXPECT_EQ(client.read().status, 200);
  ASSERT_TRUE(room.wait_for(2));
  EXPECT_EQ(handler.checked, 1U);
  room.echo(1);
  EXPECT_EQ(client.read().body, "PUT /a " + large);
}

TEST(HttpServer, AsksForALargeBodyWhenItsTurnHasCome) {
  log_keeper handler;
  auto& room = handler.room;
  http_server_options options;
  options.threads = 1;
  options.free_body = 1000;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(request("PATCH", "/a")
              + post_head(5000, "Expect: 100-continue\r\n"));
  ASSERT_TRUE(room.wait_for(1));
  catch_up(*server);
  EXPECT_TRUE(client.silent());
  room.answer(0);
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(client.read().status, 100);
  client.send(std::string(5000, 'x'));
  ASSERT_TRUE(room.wait_for(2));
  room.answer(1, {201, {}, ""});
  EXPECT_EQ(client.read().status, 201);
}

TEST(HttpServer, AnswersWhatWaitsForAClientThatClosedItsSide) {
  log_keeper handler;
  auto& room = handler.room;
  const auto server = serve(handler, {.threads = 1});
  raw_client client{server->port()};
  client.send(request("PATCH", "/a") + request("PATCH", "/b")
              + request("GET", "/c"));
  client.half_close();
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(room.wait_for(i + 1));
    catch_up(*server);
    EXPECT_EQ(room.size(), i + 1);
    room.echo(i);
  }
  EXPECT_EQ(client.read().body, "PATCH /a ");
  EXPECT_EQ(client.read().body, "PATCH /b ");
  EXPECT_EQ(client.read().body, "GET /c ");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, IsPatientWithARequestThatHasToWait) {
  log_keeper handler;
  auto& room = handler.room;
  http_server_options options;
  options.threads = 1;
  options.body_timeout = options.head_timeout = options.idle_timeout = 200ms;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(request("PATCH", "/a") + request("PATCH", "/b") + "GET /c");
  ASSERT_TRUE(room.wait_for(1));
  // Who came later and is slow is given up earlier.
  raw_client slow{server->port()};
  slow.send(post_head(3));
  EXPECT_EQ(slow.read().status, 408);
  EXPECT_TRUE(client.silent());
  room.echo(0);
  EXPECT_EQ(client.read().body, "PATCH /a ");
  ASSERT_TRUE(room.wait_for(2));
  room.echo(1);
  EXPECT_EQ(client.read().body, "PATCH /b ");
  EXPECT_EQ(client.read().status, 408);
}

} // namespace

} // namespace fanfare::protocol::server
