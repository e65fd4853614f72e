// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/forwarding.hpp"

#include "tests/protocol/server/server_test.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol::server {

namespace {

std::vector<network> networks(const std::vector<std::string>& texts) {
  std::vector<network> out;
  for (const auto& text : texts)
    out.push_back(network::parse(text).value());
  return out;
}

/// What the API gets to see of a request from 10.0.0.1, a trusted proxy like
/// all of 10.0.0.0/8.
http_request
forwarded(std::vector<std::pair<std::string, std::string>> headers) {
  http_request out;
  out.headers = std::move(headers);
  out.headers.emplace_back("host", "inside:8080");
  out.peer_address = "10.0.0.1";
  const auto trusted = networks({"10.0.0.0/8", "fd00::/8"});
  read_forwarding(out, trusted);
  auto again = out;
  read_forwarding(again, trusted);
  EXPECT_EQ(again.peer_address, out.peer_address);
  EXPECT_EQ(again.secure, out.secure);
  EXPECT_EQ(again.headers, out.headers);
  return out;
}

std::string client_of(const std::string& list) {
  return forwarded({{"x-forwarded-for", list}}).peer_address;
}

TEST(ForwardingTest, TakesTheLastAddressThatIsNoTrustedProxys) {
  EXPECT_EQ(client_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(client_of("198.51.100.1, 192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(client_of("192.0.2.7,10.0.0.2 , 10.0.0.3"), "192.0.2.7");
  EXPECT_EQ(client_of("192.0.2.7, fd00::1"), "192.0.2.7");
  EXPECT_EQ(client_of("10.0.0.9, 10.0.0.8"), "10.0.0.9"); // all are ours
  EXPECT_EQ(forwarded({{"x-forwarded-for", "198.51.100.1"},
                       {"x-forwarded-for", "192.0.2.7, 10.0.0.2"}})
              .peer_address,
            "192.0.2.7");
}

TEST(ForwardingTest, ReadsAddressesAsProxiesWriteThem) {
  EXPECT_EQ(client_of("192.0.2.7:4711"), "192.0.2.7");
  EXPECT_EQ(client_of("2001:db8::7"), "2001:db8::7");
  EXPECT_EQ(client_of("[2001:db8::7]:4711"), "2001:db8::7");
  EXPECT_EQ(client_of("[2001:db8::7]"), "2001:db8::7");
  EXPECT_EQ(client_of("::ffff:192.0.2.7"), "192.0.2.7");
}

TEST(ForwardingTest, StopsAtWhatIsNoAddress) {
  for (const std::string bad :
       {"", " ", "unknown", "_hidden", "[", "[]", ":80", "a b", "1.2.3"}) {
    EXPECT_EQ(client_of(bad), "10.0.0.1") << bad;
    EXPECT_EQ(client_of("192.0.2.7, " + bad), "10.0.0.1") << bad;
    EXPECT_EQ(client_of(bad + ", 192.0.2.7"), "192.0.2.7") << bad;
    EXPECT_EQ(client_of(bad + ", 10.0.0.5"), "10.0.0.5") << bad;
  }
}

TEST(ForwardingTest, KnowsHowTheClientReachedTheProxy) {
  const auto secure = [](const std::string& scheme) {
    return forwarded({{"x-forwarded-proto", scheme}}).secure;
  };
  EXPECT_TRUE(secure("https"));
  EXPECT_TRUE(secure("HTTPS"));
  EXPECT_FALSE(secure("http"));
  EXPECT_FALSE(secure("gopher"));
  http_request over_tls;
  over_tls.secure = true;
  over_tls.headers = {{"x-forwarded-proto", "http"}};
  read_forwarding(over_tls, networks({"10.0.0.0/8"}));
  EXPECT_FALSE(over_tls.secure);
}

TEST(ForwardingTest, TakesSchemeAndHostOfTheProxyThatTheClientReached) {
  const auto two = forwarded({
    {"x-forwarded-for", "192.0.2.7, 10.0.0.2"},
    {"x-forwarded-proto", "https, http"},
    {"x-forwarded-host", "hooks.example.com, inner.example"},
  });
  EXPECT_TRUE(two.secure);
  EXPECT_EQ(two.header("host"), "hooks.example.com");
  // What a client put before is not believed.
  const auto forged = forwarded({
    {"x-forwarded-for", "10.0.0.7, 192.0.2.7"},
    {"x-forwarded-proto", "http, https"},
    {"x-forwarded-host", "evil.example, hooks.example.com"},
  });
  EXPECT_TRUE(forged.secure);
  EXPECT_EQ(forged.header("host"), "hooks.example.com");
}

TEST(ForwardingTest, KeepsTheHostIfTheOtherIsNone) {
  for (const std::string bad :
       {"", "a/b", "a b", "me@there", "a?b", "a#b", "a\\b", "\x01", "\xc3\xa9"})
    EXPECT_EQ(forwarded({{"x-forwarded-host", bad}}).header("host"),
              "inside:8080")
      << bad;
  EXPECT_EQ(forwarded({{"x-forwarded-host", "a.example:8443"}}).header("host"),
            "a.example:8443");
  http_request old;
  old.headers = {{"x-forwarded-host", "a.example"}};
  read_forwarding(old, {});
  EXPECT_EQ(old.header("host"), "a.example");
}

// -- through the server -------------------------------------------------------

class ForwardingServerTest : public ::testing::Test {
protected:
  /// "CLIENT SCHEME HOST", as the API sees them.
  scripted handler_{[](http_request request, respond_fn respond) {
    respond({200,
             {},
             request.peer_address + (request.secure ? " https " : " http ")
               + std::string{request.header("host")}});
  }};
  const std::string headers_ = "X-Forwarded-For: 192.0.2.7\r\n"
                               "X-Forwarded-Proto: https\r\n"
                               "X-Forwarded-Host: hooks.example.com\r\n";
};

TEST_F(ForwardingServerTest, BelievesTrustedProxiesOnly) {
  http_server_options options;
  options.trusted_proxies = networks({"127.0.0.2"});
  const auto server = serve(handler_, options);
  raw_client proxy{server->port(), "127.0.0.2"};
  proxy.send(get("/", headers_));
  EXPECT_EQ(proxy.read().body, "192.0.2.7 https hooks.example.com");
  proxy.send(get());
  EXPECT_EQ(proxy.read().body, "127.0.0.2 http x");
  raw_client other{server->port(), "127.0.0.3"};
  other.send(get("/", headers_));
  EXPECT_EQ(other.read().body, "127.0.0.3 http x");
}

TEST_F(ForwardingServerTest, BelievesNobodyByDefault) {
  const auto server = serve(handler_);
  raw_client client{server->port()};
  client.send(get("/", headers_));
  EXPECT_EQ(client.read().body, "127.0.0.1 http x");
}

TEST_F(ForwardingServerTest, DoesNotLimitTheConnectionsOfAProxy) {
  http_server_options options;
  options.max_connections_per_address = 1;
  options.trusted_proxies = networks({"127.0.0.2"});
  const auto server = serve(handler_, options);
  raw_client first{server->port(), "127.0.0.2"};
  raw_client second{server->port(), "127.0.0.2"};
  for (auto* client : {&first, &second}) {
    client->send(get());
    EXPECT_EQ(client->read().status, 200);
  }
  std::optional<raw_client> other{std::in_place, server->port(), "127.0.0.3"};
  other->send(get());
  EXPECT_EQ(other->read().status, 200);
  raw_client more{server->port(), "127.0.0.3"};
  more.send(get());
  EXPECT_EQ(more.read().status, 429);
}

} // namespace

} // namespace fanfare::protocol::server
