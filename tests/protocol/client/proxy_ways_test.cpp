// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Which targets go through the client's proxy, and which do not.

#include "protocol/client/egress.hpp"
#include "protocol/client/http_client.hpp"
#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/support/http_sink.hpp"
#include "tests/support/proxy_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::proxy_options;
using test::proxy_server;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

asio::ip::address ip_of(const char* text) {
  return asio::ip::make_address(text);
}

class ProxyWaysTest : public HttpClientTest {
protected:
  /// All go through the server.
  void use(const proxy_server& server) {
    auto made = proxy::parse(server.url()).value();
    made.fenced = false;
    options.via = std::make_shared<const proxy>(std::move(made));
  }

  /// The server looks up names.
  void use_resolving(const proxy_server& server) {
    auto made = proxy::parse(server.url()).value();
    made.fenced = false;
    made.resolves = true;
    options.via = std::make_shared<const proxy>(std::move(made));
  }

  void exempt(const std::vector<std::string>& hosts) {
    options.not_via = std::make_shared<const host_list>(
      host_list::parse(hosts).value());
  }

  std::shared_ptr<scripted_resolver::state> script_names() {
    auto out = std::make_shared<scripted_resolver::state>();
    out->at_once = {{ip_of("127.0.0.1")}, ""};
    options.names = std::make_unique<scripted_resolver>(out);
    return out;
  }
};

// -- several addresses --------------------------------------------------------

TEST_F(ProxyWaysTest, AnAddressThatCannotBeReachedLeavesRetriesWhereTheyAre) {
  http_sink sink{[](const test::request_record&) {
    return test::response_plan::answer(500);
  }};
  const proxy_server server{{.judge = [](const std::string& place) {
    return place.starts_with("127.0.0.9") ? 502U : 0U;
  }}};
  for (const auto* other : {"127.0.0.9", "10.0.0.1"}) {
    client_ = nullptr;
    options = {};
    options.policy = loopback_allowed();
    options.tick = 5ms;
    use(server);
    script_names()->at_once = {{ip_of(other), ip_of("127.0.0.1")}, ""};
    for (std::uint16_t number = 1; number <= 4; ++number) {
      auto of = std::make_shared<notification>();
      of->id = 1;
      exchange_request request{
        target::parse(sink.url("/", "two.example")).value(), std::move(of), {}};
      request.attempt = number;
      EXPECT_EQ(run(std::move(request)).status, 500);
    }
    EXPECT_LE(client().connects(), 2U) << other;
    EXPECT_LE(client().idle(), 2U) << other;
  }
}

// -- without the proxy --------------------------------------------------------

TEST_F(ProxyWaysTest, ANameThatIsExemptIsCalledDirectly) {
  proxy_server server;
  http_sink sink;
  use(server);
  exempt({"internal.example"});
  script_names();
  EXPECT_EQ(call(sink.url("/", "a.internal.example")).status, 200);
  EXPECT_THAT(server.asked(), IsEmpty());
  EXPECT_EQ(call(sink.url("/", "internal.example.org")).status, 200);
  EXPECT_THAT(server.asked(),
              ElementsAre("127.0.0.1:" + std::to_string(sink.port())));
}

TEST_F(ProxyWaysTest, ANetworkExemptsAddressesAndNamesOfNoOther) {
  proxy_server server;
  http_sink sink;
  use(server);
  exempt({"127.0.0.0/8"});
  const auto names = script_names();
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(call(sink.url("/", "all-inside.example")).status, 200);
  EXPECT_THAT(server.asked(), IsEmpty());
  names->at_once = {{ip_of("127.0.0.1"), ip_of("::1")}, ""};
  EXPECT_EQ(call(sink.url("/", "some-inside.example")).status, 200);
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(ProxyWaysTest, WhatIsExemptIsJudgedAllTheSame) {
  proxy_server server;
  use(server);
  exempt({"internal.example"});
  script_names()->at_once = {{ip_of("10.0.0.1")}, ""};
  EXPECT_THAT(call("http://internal.example/").reason,
              StartsWith("policy: 10.0.0.1"));
}

TEST_F(ProxyWaysTest, NothingIsExemptFromAProxyOfItsOwn) {
  proxy_server server;
  proxy_server own;
  http_sink sink;
  use(server);
  exempt({"127.0.0.0/8"});
  auto by = std::make_shared<egress>();
  by->via = std::make_shared<const proxy>(proxy::parse(own.url()).value());
  by->tag = "own";
  request_style style;
  style.tag = by->tag;
  exchange_request request{
    target::parse(sink.url(), style).value(), body_of("{}"), {}};
  request.by = by;
  EXPECT_EQ(run(std::move(request)).status, 200);
  EXPECT_EQ(own.connections(), 1U);
  EXPECT_EQ(server.connections(), 0U);
}

// -- names for the proxy ------------------------------------------------------

class ResolvingProxyTest : public ProxyWaysTest,
                           public ::testing::WithParamInterface<bool> {};

TEST_P(ResolvingProxyTest, IsAskedForNamesThatNobodyLooksUpHere) {
  http_sink sink;
  proxy_server server{{.socks = GetParam(), .relay_to = sink.port()}};
  use_resolving(server);
  const auto names = script_names();
  for (int i = 0; i < 2; ++i) {
    const auto result = call("http://Shop.Example:8080/x");
    EXPECT_EQ(result.status, 200) << result.reason;
  }
  EXPECT_THAT(server.asked(), ElementsAre("shop.example:8080"));
  EXPECT_THAT(names->asked, IsEmpty());
  EXPECT_EQ(sink.records().at(0).header("Host"), "shop.example:8080");
}

TEST_P(ResolvingProxyTest, IsAskedForAddressesThatPass) {
  http_sink sink;
  proxy_server server{{.socks = GetParam(), .relay_to = sink.port()}};
  use_resolving(server);
  options.policy = address_policy{{*network::parse("192.0.2.0/24")}};
  EXPECT_EQ(call("http://192.0.2.7/").status, 200);
  EXPECT_THAT(server.asked(), ElementsAre("192.0.2.7:80"));
  EXPECT_THAT(call("http://10.0.0.1/").reason, StartsWith("policy: 10.0.0.1"));
  EXPECT_THAT(server.asked(), ElementsAre("192.0.2.7:80"));
}

TEST_P(ResolvingProxyTest, IsNotAskedForNamesThatAreDeniedOrNone) {
  http_sink sink;
  proxy_server server{{.socks = GetParam(), .relay_to = sink.port()}};
  use_resolving(server);
  options.policy = address_policy{
    {*network::parse("192.0.2.0/24")},
    {},
    host_list::parse({"internal.example"}).value()};
  EXPECT_EQ(call("http://a.internal.example/").reason,
            "policy: a.internal.example is denied by the configuration");
  EXPECT_THAT(call("http://localhost/").reason,
              StartsWith("policy: 127.0.0.1"));
  EXPECT_THAT(call("http://a.localhost/").reason,
              StartsWith("policy: 127.0.0.1"));
  for (const auto* url : {"http://127.1/", "http://2130706433/",
                          "http://0x7f000001/", "http://0x7F.1/"})
    EXPECT_THAT(call(url).reason, StartsWith("policy: a proxy may read "))
      << url;
  EXPECT_EQ(server.connections(), 0U);
}

TEST_P(ResolvingProxyTest, SaysWhatItWasRefused) {
  http_sink sink;
  const bool socks = GetParam();
  proxy_server server{{.socks = socks, .judge = [=](const std::string&) {
                         return socks ? 4U : 502U;
                       }}};
  use_resolving(server);
  EXPECT_EQ(call("http://shop.example/").reason,
            socks ? "proxy: SOCKS5 host unreachable (shop.example:80)"
                  : "proxy: refused with 502 Bad Gateway (shop.example:80)");
  EXPECT_EQ(server.asked().size(), 1U) << "there is no other address to try";
}

TEST_P(ResolvingProxyTest, IsNotAskedForExemptNames) {
  proxy_server server{{.socks = GetParam()}};
  http_sink sink;
  use_resolving(server);
  exempt({"internal.example"});
  const auto names = script_names();
  EXPECT_EQ(call(sink.url("/", "internal.example")).status, 200);
  EXPECT_THAT(names->asked, ElementsAre("internal.example"));
  EXPECT_EQ(server.connections(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Http, ResolvingProxyTest, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Socks, ResolvingProxyTest, ::testing::Values(true));

TEST_F(ProxyWaysTest, ADeniedNameIsNotLookedUp) {
  options.policy = address_policy{
    {*network::parse("127.0.0.0/8")},
    {},
    host_list::parse({".internal.example"}).value()};
  const auto names = script_names();
  EXPECT_EQ(call("http://a.internal.example/").reason,
            "policy: a.internal.example is denied by the configuration");
  EXPECT_THAT(names->asked, IsEmpty());
}

TEST_F(ProxyWaysTest, AProxyOfItsOwnIsNotCalledByADeniedName) {
  options.policy = address_policy{
    {*network::parse("127.0.0.0/8")},
    {},
    host_list::parse({"internal.example"}).value()};
  proxy_server server;
  http_sink sink;
  const auto names = script_names();
  const auto proxy_url = "http://squid.internal.example:"
                       + std::to_string(server.port());
  auto by = std::make_shared<egress>();
  by->via = std::make_shared<const proxy>(proxy::parse(proxy_url).value());
  by->tag = "own";
  request_style style;
  style.tag = by->tag;
  exchange_request request{
    target::parse(sink.url(), style).value(), body_of("{}"), {}};
  request.by = by;
  EXPECT_EQ(run(request).reason, "policy: the proxy's name "
                                 "squid.internal.example is denied by the "
                                 "configuration");
  EXPECT_THAT(names->asked, IsEmpty());
  EXPECT_EQ(server.connections(), 0U);
  // That of the operator may have any name.
  auto own = proxy::parse(proxy_url).value();
  own.fenced = false;
  auto trusted = std::make_shared<egress>(*by);
  trusted->via = std::make_shared<const proxy>(std::move(own));
  request.by = trusted;
  EXPECT_EQ(run(request).status, 200);
}

// -- a proxy that forwards ----------------------------------------------------

TEST_F(ProxyWaysTest, AProxyThatDoesNotConnectGetsTheAbsoluteForm) {
  http_sink sink;
  proxy_server server{{.forwards_after = 403}};
  auto made = proxy::parse(server.url("me:pw@")).value();
  options.via = std::make_shared<const proxy>(std::move(made));
  const auto place = "127.0.0.1:" + std::to_string(sink.port());
  for (int i = 0; i < 2; ++i) {
    const auto result = call(sink.url("/hook?a=b"));
    EXPECT_EQ(result.status, 200) << result.reason;
  }
  EXPECT_THAT(server.last_head(),
              StartsWith("POST http://" + place
                         + "/hook?a=b HTTP/1.1\r\nHost: " + place + "\r\n"));
  EXPECT_THAT(server.last_head(),
              HasSubstr("\r\nProxy-Authorization: Basic bWU6cHc=\r\n"));
  EXPECT_EQ(server.connections(), 2U) << "one for CONNECT, one that is kept";
  ASSERT_EQ(sink.size(), 2U);
  EXPECT_THAT(sink.records().at(1).header("Proxy-Authorization"),
              "Basic bWU6cHc=")
    << "on each request";
}

TEST_F(ProxyWaysTest, WhatAForwardingProxyRefusesIsTold) {
  http_sink sink{[](const test::request_record&) {
    return test::response_plan::answer(403);
  }};
  proxy_server server{{.forwards_after = 403}};
  use(server);
  const auto result = call(sink.url());
  EXPECT_EQ(result.status, 403);
  EXPECT_EQ(result.reason, "forwarded by a proxy, whose own answer it may be");
}

TEST_F(ProxyWaysTest, AllButSuccessesMayBeTheForwardingProxysOwn) {
  const std::pair<const char*, const char*> table[] = {
    {"HTTP/1.1 204 No Content\r\n\r\n", ""},
    {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
     "forwarded by a proxy, whose own answer it may be"},
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n",
     "switched to another protocol, which was not asked for; forwarded by a "
     "proxy, whose own answer it may be"},
    {"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nno",
     "body ended after 2 of 3 bytes; forwarded by a proxy, whose own answer it "
     "may be"}};
  for (const auto& [raw, reason] : table) {
    http_sink sink{[raw = raw](const test::request_record&) {
      return test::response_plan::bytes(raw);
    }};
    proxy_server server{{.forwards_after = 403}};
    use(server);
    EXPECT_EQ(call(sink.url()).reason, reason);
    client_ = nullptr;
    options.policy = loopback_allowed();
  }
}

TEST_F(ProxyWaysTest, AForwardingProxyHasNoSecondAddress) {
  http_sink sink{
    [](const test::request_record&) { return test::response_plan::closing(); }};
  for (const bool by_name : {false, true}) {
    proxy_server server{{.forwards_after = 403, .relay_to = sink.port()}};
    if (by_name)
      use_resolving(server);
    else
      use(server);
    const auto before = sink.size();
    const auto result = call(by_name ? "http://shop.example/" : sink.url());
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.reason, "reset: connection closed before an answer");
    EXPECT_FALSE(result.repeated);
    EXPECT_EQ(sink.size(), before + 1);
    client_ = nullptr;
    options.policy = loopback_allowed();
  }
}

TEST_F(ProxyWaysTest, ANameIsForwardedOnlyToAProxyThatLooksItUp) {
  http_sink sink;
  proxy_server server{{.forwards_after = 403, .relay_to = sink.port()}};
  script_names();
  use(server);
  EXPECT_THAT(call("http://shop.example:8080/").reason,
              StartsWith("proxy: refused with 403"));
  EXPECT_EQ(sink.size(), 0U);
  client_ = nullptr;
  options.policy = loopback_allowed();
  use_resolving(server);
  EXPECT_EQ(call("http://shop.example/x").status, 200);
  EXPECT_THAT(server.last_head(),
              StartsWith("POST http://shop.example/x HTTP/1.1\r\n"
                         "Host: shop.example\r\n"));
}

TEST_F(ProxyWaysTest, NeitherOtherRefusalsNorPort443LeadToForwarding) {
  http_sink sink;
  // What web servers say, which might take the request for theirs.
  for (const unsigned refusal : {400U, 404U, 405U, 501U, 502U}) {
    proxy_server unwilling{
      {.forwards_after = refusal, .relay_to = sink.port()}};
    use(unwilling);
    EXPECT_THAT(call("http://127.0.0.1:8080/").reason,
                StartsWith("proxy: refused with " + std::to_string(refusal)));
    EXPECT_EQ(unwilling.connections(), 1U);
    client_ = nullptr;
    options.policy = loopback_allowed();
  }
  proxy_server server{{.forwards_after = 403, .relay_to = sink.port()}};
  use(server);
  EXPECT_THAT(call("http://127.0.0.1:443/").reason,
              StartsWith("proxy: refused with 403"));
  EXPECT_THAT(call("http://10.0.0.1:8080/").reason, StartsWith("policy: "));
  EXPECT_EQ(sink.size(), 0U);
}

} // namespace
} // namespace fanfare::protocol
