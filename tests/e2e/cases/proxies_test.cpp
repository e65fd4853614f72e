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
using ::testing::IsEmpty;

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

} // namespace

} // namespace fanfare::test
