// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Large bodies: admitted by their head, read when there is room. And those
// that a client announces and holds back, with Expect: 100-continue.

#include "tests/protocol/server/server_test.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::protocol::server {

namespace {

/// Looks at heads; lets in what has no header "refuse".
class doorman final : public http_handler {
public:
  void handle(http_request request, respond_fn respond) override {
    handled.fetch_add(1);
    respond(scripted::echo(request));
  }
  std::optional<http_response> check_head(const http_request& head) override {
    checked.fetch_add(1);
    EXPECT_EQ(head.peer_address, "127.0.0.1");
    if (head.header("refuse").empty())
      return std::nullopt;
    return http_response{401, {{"WWW-Authenticate", "Token"}}, "who are you?"};
  }

  std::atomic<std::size_t> checked{0};
  std::atomic<std::size_t> handled{0};
};

TEST(HttpServer, AsksForTheBodyWhenTheClientWaits) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: "
              "100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read().head, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.read().body, "POST / abc");
  // Not if the body is there anyway, nor for HTTP/1.0.
  client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: "
              "100-Continue\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
  client.send(
    "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  catch_up(*server);
  EXPECT_TRUE(client.silent());
  client.send("abc");
  EXPECT_EQ(client.read().status, 200);
}

TEST(HttpServer, AsksForTheBodyAfterEarlierAnswers) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/first")
              + "POST /second HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                "Content-Length: 3\r\n\r\n");
  ASSERT_TRUE(room.wait_for(1));
  catch_up(*server);
  EXPECT_TRUE(client.silent());
  room.echo(0);
  EXPECT_EQ(client.read().body, "GET /first ");
  EXPECT_EQ(client.read().status, 100);
  client.send("abc");
  ASSERT_TRUE(room.wait_for(2));
  room.echo(1);
  EXPECT_EQ(client.read().body, "POST /second abc");
}

TEST(HttpServer, AsksForNoBodyBehindItsLastAnswer) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  const auto bytes = get("/last") + post_head(3, "Expect: 100-continue\r\n");
  raw_client told{server->port()};
  told.send(bytes);
  ASSERT_TRUE(room.wait_for(1));
  room.answer(0, {200, {{"Connection", "close"}}, ""});
  EXPECT_EQ(told.read().status, 200);
  EXPECT_TRUE(told.closed());
  raw_client gone{server->port()};
  gone.send(bytes);
  gone.half_close();
  ASSERT_TRUE(room.wait_for(2));
  catch_up(*server);
  room.echo(1);
  EXPECT_EQ(gone.read().body, "GET /last ");
  EXPECT_TRUE(gone.closed());
}

TEST(HttpServer, AsksAboutTheHeadOfALargeBodyBeforeItIsRead) {
  doorman handler;
  http_server_options options;
  options.free_body = 1'000;
  const auto server = serve(handler, options);
  {
    raw_client client{server->port()};
    client.send(post_head(1'001, "Refuse: yes\r\n"));
    const auto reply = client.read();
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.body, "who are you?");
    EXPECT_EQ(reply.headers.at("www-authenticate"), "Token");
    EXPECT_EQ(reply.headers.at("connection"), "close");
    EXPECT_TRUE(client.closed());
  }
  {
    raw_client client{server->port()};
    client.send(post_head(1'001, "Refuse: yes\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(client.read().status, 401);
  }
  {
    raw_client client{server->port()};
    client.send("POST / HTTP/1.1\r\nHost: x\r\nRefuse: yes\r\n"
                "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"
                + std::string(1'001, 'a'));
    EXPECT_EQ(client.read().status, 401);
  }
  EXPECT_EQ(handler.handled, 0U);
  EXPECT_EQ(handler.checked, 3U);
  raw_client client{server->port()};
  client.send(post_head(1'000, "Refuse: yes\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.read().status, 100);
  client.send(std::string(1'000, 'a'));
  EXPECT_EQ(client.read().status, 200); // small: the handler is to say
  EXPECT_EQ(handler.checked, 3U);
  client.send(post_head(1'001, "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.read().status, 100);
  client.send(std::string(1'001, 'a'));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(handler.checked, 4U);
}

TEST(HttpServer, LetsLargeBodiesWaitForRoom) {
  waiting_room room;
  scripted handler{[&](http_request request, const respond_fn& respond) {
    if (request.body.size() <= 1'000)
      return respond(scripted::echo(request));
    room.door()(std::move(request), respond);
  }};
  http_server_options options;
  options.free_body = 1'000;
  options.body_budget = 10'000;
  const auto server = serve(handler, options);
  raw_client first{server->port()};
  raw_client second{server->port()};
  raw_client third{server->port()};
  const auto wants = [](raw_client& client, std::size_t size) {
    client.send(post_head(size, "Expect: 100-continue\r\n"));
  };
  wants(first, 6'000);
  EXPECT_EQ(first.read().status, 100);
  wants(second, 4'001); // one byte too many
  catch_up(*server);
  EXPECT_TRUE(second.silent());
  wants(third, 4'000); // would fit, but it is not its turn
  catch_up(*server);
  EXPECT_TRUE(third.silent());
  expect_alive(*server);
  first.send(std::string(6'000, 'a'));
  ASSERT_TRUE(room.wait_for(1));
  catch_up(*server);
  EXPECT_TRUE(second.silent()); // not answered: it is still in memory
  room.answer(0);
  EXPECT_EQ(first.read().status, 200);
  EXPECT_EQ(second.read().status, 100);
  EXPECT_EQ(third.read().status, 100);
  third.send(std::string(4'000, 'a'));
  second.send(std::string(4'001, 'a'));
  ASSERT_TRUE(room.wait_for(3));
  room.answer(1);
  room.answer(2);
  EXPECT_EQ(second.read().status, 200);
  EXPECT_EQ(third.read().status, 200);
}

TEST(HttpServer, GivesTheRoomOfABodyThatDoesNotComeToOthers) {
  scripted handler;
  http_server_options options;
  options.free_body = 1'000;
  options.body_budget = 10'000;
  options.body_timeout = 300ms;
  const auto server = serve(handler, options);
  raw_client leaver{server->port()};
  leaver.send(post_head(10'000, "Expect: 100-continue\r\n"));
  EXPECT_EQ(leaver.read().status, 100);
  EXPECT_EQ(leaver.read().status, 408);
  // Larger than the budget: alone it is read.
  raw_client last{server->port()};
  last.send(post_head(20'000, "Expect: 100-continue\r\n"));
  EXPECT_EQ(last.read().status, 100);
  last.send(std::string(20'000, 'a'));
  EXPECT_EQ(last.read().status, 200);
}

/// Keeps all requests in order itself, so that they need not wait for each
/// other.
class order_keeper final : public http_handler {
public:
  request_kind kind_of(const http_request&) const override {
    return request_kind::ordered;
  }
  void handle(http_request request, respond_fn respond) override {
    room.door()(std::move(request), std::move(respond));
  }

  waiting_room room;
};

TEST(HttpServer, BeginsNothingElseBehindALargeBodyUntilItIsAnswered) {
  order_keeper handler;
  auto& room = handler.room;
  http_server_options options;
  options.free_body = 1'000;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(post(std::string(1'000, 'a')) + post(std::string(1'001, 'b'))
              + get("/behind"));
  ASSERT_TRUE(room.wait_for(2)); // a small one is no reason to wait
  room.answer(0);
  EXPECT_EQ(client.read().status, 200);
  catch_up(*server);
  EXPECT_EQ(room.size(), 2U);
  room.answer(1);
  EXPECT_EQ(client.read().status, 200);
  ASSERT_TRUE(room.wait_for(3));
  room.answer(2);
  EXPECT_EQ(client.read().status, 200);
}

} // namespace

} // namespace fanfare::protocol::server
