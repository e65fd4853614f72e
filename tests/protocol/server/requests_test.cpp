// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the handler gets of a request, and the client of its answer.

#include "tests/protocol/server/server_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::protocol::server {

namespace {

using ::testing::HasSubstr;

TEST(HttpServer, HandsOverTheRequestAsSent) {
  std::promise<http_request> got;
  scripted handler{[&](http_request request, const respond_fn& respond) {
    got.set_value(std::move(request));
    respond({202, {{"X-One", "1"}}, "body"});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(
    "PATCH /a/b?c=%20d HTTP/1.1\r\nHOST: example.org:80\r\nX-Twice:  1 \r\n"
    "x-twice:2\r\nEmpty:\r\nContent-Length: 5\r\n\r\nhello");
  const auto reply = client.read();
  const auto request = got.get_future().get();
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.target, "/a/b?c=%20d");
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(request.peer_address, "127.0.0.1");
  EXPECT_FALSE(request.secure);
  const std::vector<std::pair<std::string, std::string>> headers{
    {"host", "example.org:80"},
    {"x-twice", "1"},
    {"x-twice", "2"},
    {"empty", ""},
    {"content-length", "5"}};
  EXPECT_EQ(request.headers, headers);
  EXPECT_EQ(request.header("x-twice"), "1");
  EXPECT_EQ(reply.status, 202);
  EXPECT_THAT(reply.head, HasSubstr("HTTP/1.1 202 Accepted\r\n"));
  EXPECT_EQ(reply.headers.at("x-one"), "1");
  EXPECT_EQ(reply.headers.at("content-length"), "4");
  EXPECT_EQ(reply.headers.count("connection"), 0U);
  std::tm parts{};
  EXPECT_NE(::strptime(reply.headers.at("date").c_str(),
                       "%a, %d %b %Y %H:%M:%S GMT", &parts),
            nullptr);
  EXPECT_LE(std::abs(std::difftime(::timegm(&parts), std::time(nullptr))), 5.0);
}

TEST(HttpServer, KeepsTheConnectionAlive) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  for (int i = 0; i < 100; ++i) {
    client.send(post(std::to_string(i)));
    ASSERT_EQ(client.read().body, "POST / " + std::to_string(i));
  }
}

TEST(HttpServer, TakesRequestsByteByByte) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  for (const auto c : "\r\n" + post("abc") + get("/next"))
    ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.read().body, "POST / abc");
  EXPECT_EQ(client.read().body, "GET /next ");
}

TEST(HttpServer, DecodesChunkedBodies) {
  scripted handler;
  const auto server = serve(handler);
  const std::string
    bytes = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\nA;name=\"va;lue\"\r\n0123456789\r\n0\r\n"
            "X-Trailer: 1\r\nHost: evil\r\n\r\n"
          + get("/after");
  raw_client at_once{server->port()};
  at_once.send(bytes);
  EXPECT_EQ(at_once.read().body, "POST /c abc0123456789");
  EXPECT_EQ(at_once.read().body, "GET /after ");
  raw_client in_bytes{server->port()};
  for (const auto& c : bytes)
    ASSERT_TRUE(in_bytes.send({&c, 1}));
  EXPECT_EQ(in_bytes.read().body, "POST /c abc0123456789");
  EXPECT_EQ(in_bytes.read().body, "GET /after ");
}

TEST(HttpServer, DoesNotTakeTrailersForHeaders) {
  std::promise<http_request> got;
  scripted handler{[&](http_request request, const respond_fn& respond) {
    got.set_value(std::move(request));
    respond({});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
              "1\r\na\r\n0\r\nAuthorization: Token secret\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(got.get_future().get().header("authorization"), "");
}

TEST(HttpServer, CarriesLargeBodiesBothWays) {
  scripted handler;
  http_server_options options;
  options.body_limit = 32 * 1024 * 1024;
  const auto server = serve(handler, options);
  std::string body(9'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 7)
    body[i] = static_cast<char>('a' + i % 23);
  raw_client client{server->port()};
  std::thread writer{[&] {
    for (int i = 0; i < 3; ++i)
      client.send(post(body));
    client.send(get("/end"));
  }};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(client.read().body == "POST / " + body);
  EXPECT_EQ(client.read().body, "GET /end ");
  writer.join();
}

TEST(HttpServer, AnswersHeadWithoutBody) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n" + get("/g"));
  const auto head = client.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"),
            std::to_string(std::strlen("HEAD /h ")));
  EXPECT_EQ(client.read().body, "GET /g ");
}

TEST(HttpServer, SendsNoBodyWithNoContent) {
  scripted handler{[](const http_request&, const respond_fn& respond) {
    respond({204, {}, "lost"});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get() + get());
  for (int i = 0; i < 2; ++i) {
    const auto reply = client.read();
    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(reply.headers.count("content-length"), 0U);
  }
}

TEST(HttpServer, ClosesWhenAsked) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/", "Connection: close\r\n") + get("/ignored"));
  const auto reply = client.read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(handler.calls, 1U);
}

TEST(HttpServer, ClosesWhenTheHandlerSaysSo) {
  scripted handler{[](const http_request&, const respond_fn& respond) {
    respond({200, {{"Connection", "close"}}, ""});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  EXPECT_EQ(client.read().headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, SpeaksHttp10) {
  scripted handler;
  const auto server = serve(handler);
  raw_client once{server->port()};
  once.send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(once.read().body, "GET /old ");
  EXPECT_TRUE(once.closed());
  raw_client kept{server->port()};
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(kept.read().headers.at("connection"), "keep-alive");
  }
}

TEST(HttpServer, AnswersAfterTheClientClosedItsSide) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/half"));
  client.half_close();
  ASSERT_TRUE(room.wait_for(1));
  room.echo(0);
  EXPECT_EQ(client.read().body, "GET /half ");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, LetsNoHeaderOfTheHandlerBreakTheAnswer) {
  scripted handler{[](const http_request&, const respond_fn& respond) {
    respond({200,
             {{"X-Bad", "a\r\nInjected: 1\r\n\r\nbody"},
              {"Content-Length", "7"},
              {"Transfer-Encoding", "chunked"}},
             "ok"});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  const auto reply = client.read();
  EXPECT_EQ(reply.body, "ok");
  EXPECT_EQ(reply.headers.count("injected"), 0U);
  EXPECT_EQ(reply.headers.count("transfer-encoding"), 0U);
  EXPECT_EQ(reply.headers.at("content-length"), "2");
}

} // namespace

} // namespace fanfare::protocol::server
