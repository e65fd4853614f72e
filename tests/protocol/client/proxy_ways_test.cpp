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
using ::testing::IsEmpty;
using ::testing::StartsWith;

asio::ip::address address(const char* text) {
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
    out->at_once = {{address("127.0.0.1")}, ""};
    options.names = std::make_unique<scripted_resolver>(out);
    return out;
  }
};

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
  names->at_once = {{address("127.0.0.1"), address("::1")}, ""};
  EXPECT_EQ(call(sink.url("/", "some-inside.example")).status, 200);
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(ProxyWaysTest, WhatIsExemptIsJudgedAllTheSame) {
  proxy_server server;
  use(server);
  exempt({"internal.example"});
  script_names()->at_once = {{address("10.0.0.1")}, ""};
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

} // namespace
} // namespace fanfare::protocol
