// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The limits of one request: just within and just beyond.

#include "tests/protocol/server/server_test.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace fanfare::protocol::server {

namespace {

TEST(HttpServer, AllowsHeadsTargetsAndBodiesUpToTheirLimits) {
  scripted handler;
  http_server_options options;
  options.head_limit = 1024;
  options.target_limit = 100;
  options.body_limit = 1000;
  const auto server = serve(handler, options);
  const auto status_of = [&](const std::string& bytes) {
    raw_client client{server->port()};
    client.send(bytes);
    return client.read().status;
  };
  const auto head = [](std::size_t size) {
    const std::string rest = "GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n";
    return "GET / HTTP/1.1\r\nHost: x\r\nA: "
         + std::string(size - rest.size(), 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(status_of(head(1024)), 200);
  EXPECT_EQ(status_of(head(1025)), 431);
  EXPECT_EQ(status_of(get('/' + std::string(99, 'a'))), 200);
  EXPECT_EQ(status_of(get('/' + std::string(100, 'a'))), 414);
  EXPECT_EQ(status_of(post(std::string(1000, 'a'))), 200);
  EXPECT_EQ(status_of(post(std::string(1001, 'a'))), 413);
  const auto chunked = [](std::size_t second) {
    std::string size = "000";
    for (std::size_t i = 0; i < 3; ++i)
      size[2 - i] = "0123456789abcdef"[second >> (4 * i) & 15U];
    return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
           "1\r\na\r\n"
         + size + "\r\n" + std::string(second, 'a') + "\r\n0\r\n\r\n";
  };
  EXPECT_EQ(status_of(chunked(999)), 200);
  EXPECT_EQ(status_of(chunked(1000)), 413);
}

TEST(HttpServer, LimitsTheNumberOfHeaders) {
  scripted handler;
  const auto server = serve(handler);
  const auto status_of = [&](int count) {
    std::string headers;
    for (int i = 1; i < count; ++i) // one is Host
      headers += "A: b\r\n";
    raw_client client{server->port()};
    client.send(get("/", headers));
    return client.read().status;
  };
  EXPECT_EQ(status_of(200), 200);
  EXPECT_EQ(status_of(201), 431);
}

TEST(HttpServer, ShowsTheRefusalEvenToAClientThatWritesOn) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  // Written in whole before a byte is read, as simple clients do.
  EXPECT_TRUE(client.send(post(std::string(16'000'000, 'a'))));
  EXPECT_EQ(client.read().status, 413);
  EXPECT_TRUE(client.closed());
  EXPECT_FALSE(client.was_reset());
  EXPECT_EQ(handler.calls, 0U);
}

} // namespace

} // namespace fanfare::protocol::server
