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

} // namespace
} // namespace fanfare::protocol
