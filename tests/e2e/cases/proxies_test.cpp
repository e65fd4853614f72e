// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What goes through a proxy, and what the proxy is asked for.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/proxy_server.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <map>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ProxiesTest : public E2eTest {
protected:
  static std::string place(const http_sink& sink,
                           const std::string& host = "127.0.0.1") {
    return host + ':' + std::to_string(sink.port());
  }

  /// Publishes one notification more and returns how it was delivered.
  json::object call_again(hook_id hook) {
    publish();
    return wait_for_calls("acme", hook, ++made_[hook]).back();
  }

  void expect_success(hook_id hook) {
    const auto entry = call_again(hook);
    EXPECT_TRUE(flag_of(entry, "success")) << text_of(entry, "reason");
  }

private:
  std::map<hook_id, std::size_t> made_;
};

// -- without the proxy --------------------------------------------------------

TEST_F(ProxiesTest, TargetsOfNoProxyAreCalledDirectly) {
  proxy_server proxy;
  http_sink inside;
  http_sink outside{{}, {.address = "127.0.0.2"}};
  const auto config = dir_.write("serve.toml",
                                 "no-proxy = [\"127.0.0.1/32\"]\n");
  start({"--proxy", proxy.url(), "--no-proxy", ".internal.example",
         "--schedule", "1h"});
  add_organizer("acme");
  const auto through = add_webhook("acme", {.url = inside.url()});
  expect_success(through);
  EXPECT_THAT(proxy.asked(), ElementsAre(place(inside)));
  stop();
  start(
    {"--proxy", proxy.url(), "--config", config.string(), "--schedule", "1h"});
  expect_success(through);
  EXPECT_THAT(proxy.asked(), ElementsAre(place(inside)));
  change_webhook("acme", through, {{"target_url", outside.url()}});
  expect_success(through);
  EXPECT_THAT(proxy.asked(),
              ElementsAre(place(inside), place(outside, "127.0.0.2")));
}

// -- names for the proxy ------------------------------------------------------

TEST_F(ProxiesTest, AProxyLooksUpNamesIfTheOperatorAllowsIt) {
  http_sink sink;
  proxy_server proxy{{.socks = true, .relay_to = sink.port()}};
  const auto by_name = "socks5h" + proxy.url().substr(6);
  start({"--schedule", "1h"});
  add_organizer("acme");
  const auto own = add_webhook("acme", {.url = "http://shop.example/own"});
  const auto path = webhook_path("acme", own) + "delivery/";
  const auto refused = api().patch(path, {{"proxy", by_name}});
  EXPECT_EQ(refused.status, 400U);
  EXPECT_THAT(refused.body, HasSubstr("--proxy-resolves"));
  stop();
  // No name server is there to be asked.
  start({"--proxy-resolves", "--dns-server", "127.0.0.1:1", "--deny-network",
         "denied.example", "--schedule", "1h"});
  change_delivery("acme", own, {{"proxy", by_name}});
  EXPECT_EQ(text_of(api().get(path).json(), "proxy"), by_name);
  expect_success(own);
  EXPECT_THAT(proxy.asked(), ElementsAre("shop.example:80"));
  change_webhook("acme", own, {{"target_url", "http://a.denied.example/"}});
  EXPECT_THAT(text_of(call_again(own), "reason"),
              HasSubstr("policy: a.denied.example is denied"));
  EXPECT_THAT(proxy.asked(), ElementsAre("shop.example:80"));
  stop();
  // Switched off again, it sends nothing rather than what it was not told.
  start({"--schedule", "1h"});
  EXPECT_THAT(text_of(call_again(own), "reason"),
              HasSubstr("--proxy-resolves"));
  EXPECT_THAT(proxy.asked(), ElementsAre("shop.example:80"));
}

TEST_F(ProxiesTest, TheServersProxyLooksUpNames) {
  http_sink sink;
  proxy_server proxy{{.relay_to = sink.port()}};
  const auto config = dir_.write("serve.toml", "proxy-resolves = true\n");
  start({"--proxy", proxy.url(), "--config", config.string(), "--dns-server",
         "127.0.0.1:1", "--schedule", "1h"});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = "http://shop.example/x"});
  expect_success(hook);
  EXPECT_THAT(proxy.asked(), ElementsAre("shop.example:80"));
  EXPECT_EQ(sink.records().at(0).header("host"), "shop.example");
}

// -- a proxy that forwards ----------------------------------------------------

TEST_F(ProxiesTest, AProxyThatDoesNotConnectForwards) {
  http_sink sink;
  proxy_server proxy{{.forwards_after = 403}};
  start({"--proxy", proxy.url(), "--schedule", "1h"});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink.url("/hook")});
  expect_success(hook);
  expect_success(hook);
  EXPECT_THAT(proxy.last_head(),
              HasSubstr("POST http://" + place(sink) + "/hook HTTP/1.1"));
  EXPECT_EQ(sink.records().at(0).header("host"), place(sink));
}

} // namespace

} // namespace fanfare::test
