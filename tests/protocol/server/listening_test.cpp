// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Where the server listens, and why it cannot.

#include "tests/protocol/server/server_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <string>
#include <string_view>

namespace fanfare::protocol::server {

namespace {

using ::testing::HasSubstr;

TEST(HttpServer, TellsItsAddress) {
  scripted handler;
  const auto url_of = [&](const std::string& host) {
    http_server_options options;
    options.host = host;
    const auto server = serve(handler, options);
    expect_alive(*server);
    const auto url = server->url();
    EXPECT_TRUE(url.ends_with(':' + std::to_string(server->port()))) << url;
    return url.substr(0, url.rfind(':'));
  };
  EXPECT_EQ(url_of("127.0.0.1"), "http://127.0.0.1");
  EXPECT_EQ(url_of("0.0.0.0"), "http://0.0.0.0");
}

TEST(HttpServer, ListensOnNamesAndIpv6) {
  scripted handler;
  for (const auto* host : {"localhost", "::1", "[::1]"}) {
    http_server_options options;
    options.host = host;
    options.port = 0;
    const auto server = http_server::start(options, handler);
    if (!server && std::string_view{host} != "localhost")
      GTEST_SKIP() << "no IPv6 here: " << server.error().detail;
    ASSERT_TRUE(server) << server.error().detail;
    EXPECT_THAT((*server)->url(),
                HasSubstr(std::string_view{host} == "localhost"
                            ? "http://localhost:"
                            : "http://[::1]:"));
  }
}

TEST(HttpServer, NormalizesMappedAddresses) {
  std::promise<std::string> peer;
  scripted handler{[&](const http_request& request, const respond_fn& respond) {
    peer.set_value(request.peer_address);
    respond({});
  }};
  http_server_options options;
  options.host = "::";
  options.port = 0;
  const auto server = http_server::start(options, handler);
  if (!server)
    GTEST_SKIP() << "no IPv6 here: " << server.error().detail;
  raw_client client{(*server)->port()};
  client.send(get());
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(peer.get_future().get(), "127.0.0.1");
}

TEST(HttpServer, SaysWhyItCannotListen) {
  scripted handler;
  const auto first = serve(handler);
  http_server_options options;
  options.port = first->port();
  const auto taken = http_server::start(options, handler);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ec::bind_failed);
  EXPECT_THAT(taken.error().detail,
              HasSubstr("127.0.0.1:" + std::to_string(first->port())));
  EXPECT_THAT(taken.error().detail, HasSubstr("in use"));
  EXPECT_THAT(taken.error().detail, HasSubstr("another port"));
  for (const auto* host : {"192.0.2.1", "no.such.host.invalid"}) {
    options.host = host;
    const auto failed = http_server::start(options, handler);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ec::bind_failed);
    EXPECT_THAT(failed.error().detail, HasSubstr(host));
  }
}

TEST(HttpServer, RefusesOptionsThatMakeNoSense) {
  scripted handler;
  const auto field_of = [&](auto change) {
    http_server_options options;
    options.port = 0;
    change(options);
    const auto made = http_server::start(options, handler);
    return made                                      ? "none"
         : made.error().code == ec::invalid_argument ? made.error().field
                                                     : "wrong code";
  };
  using o = http_server_options;
  EXPECT_EQ(field_of([](o& x) { x.host = ""; }), "host");
  EXPECT_EQ(field_of([](o& x) { x.threads = 0; }), "threads");
  EXPECT_EQ(field_of([](o& x) { x.head_limit = 255; }), "head_limit");
  EXPECT_EQ(field_of([](o& x) { x.head_limit = 256; }), "none");
  EXPECT_EQ(field_of([](o& x) { x.target_limit = 0; }), "target_limit");
  EXPECT_EQ(field_of([](o& x) { x.head_timeout = 0ms; }), "head_timeout");
  EXPECT_EQ(field_of([](o& x) { x.body_timeout = -1ms; }), "body_timeout");
  EXPECT_EQ(field_of([](o& x) { x.idle_timeout = 0ms; }), "idle_timeout");
  EXPECT_EQ(field_of([](o& x) { x.max_connections = 0; }), "max_connections");
  EXPECT_EQ(field_of([](o& x) { x.max_connections_per_address = 0; }),
            "max_connections_per_address");
  EXPECT_EQ(field_of([](o& x) { x.max_pipelined = 0; }), "max_pipelined");
}

} // namespace

} // namespace fanfare::protocol::server
