// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Where calls may go, and which way: networks, names, proxies, TLS papers.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proxy_server.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <stdexcept>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class EgressTest : public E2eTest {
protected:
  void serve(std::vector<std::string> args = {}, bool allow_loopback = true) {
    args.insert(args.end(), {"--schedule", "1h"});
    start(std::move(args), allow_loopback);
  }

  hook_id add_hook(const std::string& url, const json::object& delivery = {},
                   const std::string& organizer = "acme") {
    return add_webhook(organizer, {.url = url, .delivery = delivery});
  }

  /// A webhook's call of what is published now.
  json::object next_call(hook_id hook, const std::string& organizer = "acme") {
    const auto id = publish(organizer, "ABC23");
    const auto path = webhook_path(organizer, hook)
                    + "calls/?notification_id=" + std::to_string(id);
    json::array found;
    if (!eventually(patience, [&] {
          found = api().get(path).json().at("results").as_array();
          return !found.empty();
        }))
      throw std::runtime_error{"no call of webhook " + std::to_string(hook)};
    return found.at(0).as_object();
  }

  void expect_success(hook_id hook, const std::string& organizer = "acme") {
    const auto entry = next_call(hook, organizer);
    EXPECT_TRUE(flag_of(entry, "success")) << text_of(entry, "reason");
  }

  /// Its reason.
  std::string refusal(hook_id hook, const std::string& organizer = "acme") {
    const auto entry = next_call(hook, organizer);
    EXPECT_FALSE(flag_of(entry, "success"));
    EXPECT_EQ(number_of(entry, "return_code"), 0U);
    return text_of(entry, "reason");
  }

  void set_networks(const std::string& organizer, const json::object& what) {
    const auto answer = api().patch(organizer_path(organizer) + "networks/",
                                    what);
    ASSERT_EQ(answer.status, 200U) << answer.body;
  }
};

std::string place(const http_sink& sink,
                  const std::string& host = "127.0.0.1") {
  return host + ':' + std::to_string(sink.port());
}

// -- networks -----------------------------------------------------------------

TEST_F(EgressTest, WhatIsDeniedIsDeniedWhateverElseAllowsIt) {
  serve({"--allow-network", "127.0.0.2/32", "--deny-network", "127.0.0.2/31"});
  add_organizer("acme");
  http_sink open;
  http_sink closed{{}, {.address = "127.0.0.2"}};
  expect_success(add_hook(open.url()));
  const auto hook = add_hook(closed.url());
  EXPECT_THAT(refusal(hook),
              AllOf(StartsWith("policy: 127.0.0.2"), HasSubstr("denied")));
  set_networks("acme", {{"allow", {"127.0.0.2/32"}}});
  EXPECT_THAT(refusal(hook), HasSubstr("denied"));
  EXPECT_THAT(refusal(add_hook("http://[::ffff:127.0.0.2]:"
                               + std::to_string(closed.port()) + '/')),
              AllOf(HasSubstr("policy"), HasSubstr("denied")));
  EXPECT_EQ(closed.connections(), 0U);
}

TEST_F(EgressTest, AnOrganizersNetworksApplyAtOnceAndToNobodyElse) {
  serve({}, false);
  add_organizer("acme");
  add_organizer("bmce");
  http_sink sink;
  const auto own = add_hook(sink.url("/own"));
  const auto other = add_hook(sink.url("/other"), {}, "bmce");
  EXPECT_THAT(refusal(own), HasSubstr("policy"));
  EXPECT_THAT(refusal(other, "bmce"), HasSubstr("policy"));
  set_networks("acme", {{"allow", {"127.0.0.0/8"}}});
  expect_success(own);
  EXPECT_THAT(refusal(other, "bmce"), HasSubstr("policy"));
  set_networks("acme", {{"deny", {"127.0.0.1/32"}}});
  // Not on the connection that is still open either.
  EXPECT_THAT(refusal(own), AllOf(HasSubstr("policy"), HasSubstr("denied")));
  set_networks("acme", {{"deny", json::array{}}});
  expect_success(own);
  kill();
  serve({}, false);
  expect_success(own);
  EXPECT_THAT(refusal(other, "bmce"), HasSubstr("policy"));
  const auto shown = api().get(organizer_path("acme") + "networks/").json();
  EXPECT_EQ(shown.at("allow").at(0).as_string(), "127.0.0.0/8");
  for (const auto& r : sink.records())
    EXPECT_EQ(r.target, "/own");
}

TEST_F(EgressTest, ANameIsJudgedByWhatItStandsFor) {
  dns_server dns;
  http_sink open;
  http_sink closed{{}, {.address = "127.0.0.2"}};
  serve({"--dns-server", dns.address(), "--deny-network", "127.0.0.2/32"});
  add_organizer("acme");
  const auto url = [](const std::string& host, const http_sink& sink) {
    return "http://" + host + ':' + std::to_string(sink.port()) + '/';
  };
  dns.set("good.test", dns_answer::of({"127.0.0.1"}));
  expect_success(add_hook(url("good.test", open)));
  EXPECT_EQ(open.records().at(0).header("host"), place(open, "good.test"));
  dns.set("denied.test", dns_answer::of({"127.0.0.2"}));
  EXPECT_THAT(refusal(add_hook(url("denied.test", closed))),
              AllOf(HasSubstr("policy"), HasSubstr("127.0.0.2")));
  auto alias = dns_answer{};
  alias.alias = "denied.test";
  dns.set("alias.test", alias);
  EXPECT_THAT(refusal(add_hook(url("alias.test", closed))),
              HasSubstr("policy"));
  dns.set("private.test", dns_answer::of({"10.1.2.3"}));
  EXPECT_THAT(refusal(add_hook(url("private.test", closed))),
              AllOf(HasSubstr("policy"), HasSubstr("10.1.2.3")));
  dns.set("metadata.test", dns_answer::of({}, {"::ffff:169.254.169.254"}));
  EXPECT_THAT(refusal(add_hook(url("metadata.test", closed))),
              HasSubstr("policy"));
  EXPECT_EQ(closed.connections(), 0U);
}

TEST_F(EgressTest, ANameThatTurnsToAForbiddenAddressIsRefusedThen) {
  dns_server dns;
  http_sink first{[](const request_record&) {
    auto plan = response_plan{};
    plan.after = response_plan::ending::close; // so that it is asked for again
    return plan;
  }};
  http_sink closed{{}, {.address = "127.0.0.2", .port = first.port()}};
  serve({"--dns-server", dns.address(), "--deny-network", "127.0.0.2/32"});
  add_organizer("acme");
  dns.set("rebind.test", dns_answer::of({"127.0.0.1"}, {}, 0));
  const auto hook = add_hook(
    "http://rebind.test:" + std::to_string(first.port()) + '/');
  expect_success(hook);
  dns.set("rebind.test", dns_answer::of({"127.0.0.2"}, {}, 0));
  // An answer may be believed for a moment.
  json::object last;
  ASSERT_TRUE(eventually(patience, [&] {
    last = next_call(hook);
    return !flag_of(last, "success");
  }));
  EXPECT_THAT(text_of(last, "reason"),
              AllOf(HasSubstr("policy"), HasSubstr("127.0.0.2")));
  EXPECT_EQ(closed.connections(), 0U);
}

TEST_F(EgressTest, ARedirectLeadsNowhere) {
  serve({"--deny-network", "127.0.0.2/32"});
  add_organizer("acme");
  http_sink closed{{}, {.address = "127.0.0.2"}};
  for (const auto status : {302U, 307U, 308U}) {
    http_sink sink{[&](const request_record&) {
      return response_plan::redirect(closed.url("/admin"), status);
    }};
    const auto hook = add_hook(sink.url());
    const auto entry = next_call(hook);
    EXPECT_EQ(number_of(entry, "return_code"), status);
    EXPECT_FALSE(flag_of(entry, "success"));
    EXPECT_THAT(text_of(entry, "reason"), HasSubstr("not followed"));
    change_webhook("acme", hook, {{"enabled", false}});
  }
  EXPECT_EQ(closed.connections(), 0U);
}

// -- proxies ------------------------------------------------------------------

TEST_F(EgressTest, CallsGoThroughTheServersProxy) {
  for (const bool socks : {false, true}) {
    SCOPED_TRACE(socks ? "SOCKS5" : "CONNECT");
    proxy_server proxy{{.socks = socks}};
    serve({"--proxy", proxy.url(), "--deny-network", "127.0.0.2/32"});
    const std::string organizer = socks ? "bmce" : "acme";
    add_organizer(organizer);
    http_sink sink;
    const auto hook = add_hook(sink.url("/hook"), {}, organizer);
    expect_success(hook, organizer);
    EXPECT_THAT(proxy.asked(), ElementsAre(place(sink)));
    EXPECT_EQ(sink.records().at(0).target, "/hook");
    // What may not be called is not asked for.
    http_sink closed{{}, {.address = "127.0.0.2"}};
    EXPECT_THAT(refusal(add_hook(closed.url(), {}, organizer), organizer),
                HasSubstr("policy"));
    EXPECT_THAT(proxy.asked(), Each(place(sink)));
    stop();
  }
}

TEST_F(EgressTest, AWebhooksOwnProxyComesFirst) {
  certificate_authority ca;
  proxy_server general;
  proxy_server own{{.socks = true, .user = "acme", .password = "s3cret"}};
  serve({"--proxy", general.url(), "--ca-file",
         dir_.write("ca.pem", ca.pem()).string()});
  add_organizer("acme");
  http_sink sink{{}, {.tls = server_context(ca.good())}};
  const auto hook = add_hook(sink.url(), {{"proxy", own.url("acme:s3cret@")}});
  expect_success(hook);
  EXPECT_THAT(own.asked(), ElementsAre(place(sink)));
  EXPECT_THAT(general.asked(), IsEmpty());
  const auto shown = api().get(webhook_path("acme", hook) + "delivery/");
  EXPECT_THAT(shown.body,
              AllOf(HasSubstr("acme:***@"), Not(HasSubstr("s3cret"))));
  // Sent back as it was shown, it keeps its password.
  change_delivery(
    "acme", hook,
    {{"proxy", text_of(shown.json(), "proxy")}, {"user_agent_suffix", "x"}});
  expect_success(hook);
  change_delivery("acme", hook, {{"proxy", own.url("acme:n0t-this@")}});
  EXPECT_THAT(refusal(hook),
              AllOf(HasSubstr("proxy"), Not(HasSubstr("n0t-this"))));
  change_delivery("acme", hook, {{"proxy", nullptr}});
  expect_success(hook);
  EXPECT_THAT(general.asked(), ElementsAre(place(sink)));
  EXPECT_THAT(running().log_tail(), Not(HasSubstr("s3cret")));
}

TEST_F(EgressTest, AWebhookCanDoWithoutTheServersProxy) {
  proxy_server general;
  serve({"--proxy", general.url()});
  add_organizer("acme");
  http_sink sink;
  const auto hook = add_hook(sink.url("/hook"), {{"proxy", "direct"}});
  expect_success(hook);
  EXPECT_THAT(general.asked(), IsEmpty());
  EXPECT_EQ(text_of(api().get(webhook_path("acme", hook) + "delivery/").json(),
                    "proxy"),
            "direct");
  // At once, though there is an open connection without it.
  change_delivery("acme", hook, {{"proxy", nullptr}});
  expect_success(hook);
  EXPECT_THAT(general.asked(), ElementsAre(place(sink)));
  change_delivery("acme", hook, {{"proxy", "direct"}});
  expect_success(hook);
  EXPECT_THAT(general.asked(), ElementsAre(place(sink)));
}

TEST_F(EgressTest, AProxyThatRefusesIsToldAndAWebhooksOwnIsJudgedLikeATarget) {
  proxy_server refusing{{.judge = [](const std::string&) { return 503U; }}};
  serve({"--deny-network", "127.0.0.2/32"});
  add_organizer("acme");
  http_sink sink;
  EXPECT_THAT(refusal(add_hook(sink.url(), {{"proxy", refusing.url()}})),
              AllOf(HasSubstr("proxy"), HasSubstr("503")));
  proxy_server inside{{.address = "127.0.0.2"}};
  const auto hook = add_hook(sink.url(), {{"proxy", inside.url()}});
  EXPECT_THAT(refusal(hook), AllOf(HasSubstr("policy"), HasSubstr("proxy")));
  EXPECT_EQ(inside.connections(), 0U);
  EXPECT_EQ(sink.connections(), 0U);
}

// -- papers -------------------------------------------------------------------

TEST_F(EgressTest, AWebhookBringsItsOwnTlsPapers) {
  certificate_authority receivers{"The receivers' CA"};
  certificate_authority senders{"The senders' CA"};
  const auto papers = senders.good({"fanfare.example"});
  serve();
  add_organizer("acme");
  http_sink sink{{}, {.tls = server_context(receivers.good(), senders.pem())}};
  const auto hook = add_hook(sink.url());
  EXPECT_THAT(refusal(hook), AllOf(HasSubstr("tls"), HasSubstr("authority")));
  change_delivery("acme", hook, {{"tls", {{"ca", receivers.pem()}}}});
  EXPECT_FALSE(refusal(hook).empty());
  EXPECT_EQ(sink.size(), 0U);
  const auto others = certificate_authority{"Others"}.good();
  change_delivery("acme", hook,
                  {{"tls",
                    {{"ca", receivers.pem()},
                     {"client_certificate", others.certificate_pem},
                     {"client_key", others.key_pem}}}});
  EXPECT_FALSE(refusal(hook).empty());
  EXPECT_EQ(sink.size(), 0U);
  change_delivery("acme", hook,
                  {{"tls",
                    {{"ca", receivers.pem()},
                     {"client_certificate", papers.certificate_pem},
                     {"client_key", papers.key_pem}}}});
  expect_success(hook);
  const auto shown = api().get(webhook_path("acme", hook) + "delivery/");
  EXPECT_THAT(shown.body, Not(HasSubstr("PRIVATE KEY")));
  // What was read can be sent back.
  change_delivery("acme", hook, {{"tls", shown.json().at("tls")}});
  expect_success(hook);
  kill();
  serve();
  expect_success(hook);
  // A key that is another certificate's is refused when it is set.
  EXPECT_EQ(api()
              .patch(webhook_path("acme", hook) + "delivery/",
                     {{"tls",
                       {{"client_certificate", papers.certificate_pem},
                        {"client_key", others.key_pem}}}})
              .status,
            400U);
  // Those of one webhook are nobody else's.
  EXPECT_THAT(refusal(add_hook(sink.url())), HasSubstr("tls"));
}

} // namespace

} // namespace fanfare::test
