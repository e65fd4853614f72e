// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Deliveries through proxies, of both kinds, that relay, refuse and misbehave.

#include "protocol/client/egress.hpp"
#include "protocol/client/http_client.hpp"
#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/http_sink.hpp"
#include "tests/support/proxy_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::proxy_options;
using test::proxy_server;
using test::request_record;
using test::response_plan;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto password = "s3cret:%word";
constexpr auto encoded = "s3cret%3a%25word";

asio::ip::address address(const char* text) {
  return asio::ip::make_address(text);
}

// -- what it is told ----------------------------------------------------------

TEST(ProxyTest, ReadsUrls) {
  struct row {
    const char* url;
    proxy::kind how;
    const char* host;
    std::uint16_t port;
    const char* user;
    const char* password;
    const char* masked;
  };
  constexpr auto http = proxy::kind::http_connect;
  constexpr auto socks = proxy::kind::socks5;
  const row table[] = {
    {"http://proxy.example:3128", http, "proxy.example", 3128, "", "",
     "http://proxy.example:3128"},
    {"HTTP://Proxy.Example:3128/", http, "proxy.example", 3128, "", "",
     "http://proxy.example:3128"},
    {"socks5://10.0.0.1:1080", socks, "10.0.0.1", 1080, "", "",
     "socks5://10.0.0.1:1080"},
    {"socks5h://10.0.0.1:1080", socks, "10.0.0.1", 1080, "", "",
     "socks5h://10.0.0.1:1080"},
    {"SOCKS5H://me:pw@p:80", socks, "p", 80, "me", "pw",
     "socks5h://me:***@p:80"},
    {"socks5://[::1]:1080", socks, "::1", 1080, "", "", "socks5://[::1]:1080"},
    {"http://me@p:80", http, "p", 80, "me", "", "http://me@p:80"},
    {"http://me:pw@p:80", http, "p", 80, "me", "pw", "http://me:***@p:80"},
    {"http://m%65:p%40%3aw@p:80", http, "p", 80, "me", "p@:w",
     "http://me:***@p:80"},
    {"http://me:p@w@p:80", http, "p", 80, "me", "p@w", "http://me:***@p:80"},
    {"socks5://a%3ab:@p:80", socks, "p", 80, "a:b", "", "socks5://a%3Ab@p:80"},
  };
  for (const auto& row : table) {
    const auto made = proxy::parse(row.url);
    ASSERT_TRUE(made) << row.url << ": " << made.error().detail;
    EXPECT_EQ(made->how, row.how) << row.url;
    EXPECT_EQ(made->host, row.host) << row.url;
    EXPECT_EQ(made->port, row.port) << row.url;
    EXPECT_EQ(made->user, row.user) << row.url;
    EXPECT_EQ(made->password, row.password) << row.url;
    EXPECT_EQ(made->masked(), row.masked) << row.url;
    EXPECT_TRUE(made->fenced) << row.url;
    EXPECT_EQ(made->resolves, std::string{row.masked}.starts_with("socks5h"))
      << row.url;
  }
}

TEST(ProxyTest, CanBeNone) {
  const auto made = proxy::parse("direct");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->how, proxy::kind::none);
  EXPECT_EQ(made->masked(), "direct");
  for (const auto* url : {"DIRECT", "direct://", " direct", "none"})
    EXPECT_FALSE(proxy::parse(url)) << url;
}

TEST(ProxyTest, SaysWhatIsWrongWithAUrl) {
  const std::string longer(256, 'x');
  const std::pair<std::string, const char*> table[] = {
    {"", "write http://HOST:PORT or socks5://HOST:PORT"},
    {"proxy:3128", "write http://HOST:PORT"},
    {"https://proxy:3128", "write http://HOST:PORT"},
    {"socks4://proxy:3128", "write http://HOST:PORT"},
    {"socks5x://proxy:3128", "write http://HOST:PORT"},
    {"http://", "port of the proxy is missing"},
    {"http://proxy", "port of the proxy is missing"},
    {"http://proxy:", "port of the proxy is missing"},
    {"http://[::1]", "port of the proxy is missing"},
    {"http://:3128", "no host"},
    {"http://proxy:0", "from 1 to 65535"},
    {"http://proxy:65536", "from 1 to 65535"},
    {"http://pro xy:1", "malformed"},
    {"http://proxy:1/path", "nothing may come behind"},
    {"http://proxy:1?x", "nothing may come behind"},
    {"http://:s3cret@proxy:1", "user of the proxy is missing"},
    {"http://a%3ab:s3cret@proxy:1", "colon"},
    {"http://" + longer + ":s3cret@proxy:1", "255 bytes"},
    {"socks5://me:s3cret" + longer + "@proxy:1", "255 bytes"},
    {"http://me:s3cret@proxy", "port of the proxy is missing"},
    {"http://me:s3cret@pro\nxy:1", "control"},
  };
  for (const auto& [url, because] : table) {
    const auto made = proxy::parse(url);
    ASSERT_FALSE(made) << url;
    EXPECT_EQ(made.error().code, ec::invalid_argument);
    EXPECT_EQ(made.error().field, "proxy");
    EXPECT_THAT(made.error().detail,
                AllOf(HasSubstr(because), Not(HasSubstr("s3cret"))))
      << url;
  }
}

// -- the way through ----------------------------------------------------------

class ProxyTunnelTest : public HttpClientTest,
                        public ::testing::WithParamInterface<bool> {
protected:
  ProxyTunnelTest() {
    how.socks = GetParam();
    limits.connect = 10s;
  }

  proxy_server& server() {
    if (!server_)
      server_ = std::make_unique<proxy_server>(how);
    return *server_;
  }

  /// Of a webhook that goes through the server.
  std::shared_ptr<egress> through(const std::string& who = {}) {
    auto out = std::make_shared<egress>();
    out->via = std::make_shared<const proxy>(
      proxy::parse(server().url(who)).value());
    out->tag = who + "proxied";
    return out;
  }

  exchange_result call_by(const std::shared_ptr<const egress>& by,
                          const std::string& url) {
    request_style style;
    style.tag = by->tag;
    exchange_request request{target::parse(url, style).value(), body_of("{}"),
                             limits};
    request.by = by;
    auto result = run(std::move(request));
    EXPECT_THAT(result.reason, Not(HasSubstr("s3cret")));
    return result;
  }

  /// Names are whatever the test says.
  std::shared_ptr<scripted_resolver::state> script_names() {
    auto out = std::make_shared<scripted_resolver::state>();
    options.names = std::make_unique<scripted_resolver>(out);
    return out;
  }

  static std::string place(const http_sink& sink) {
    return "127.0.0.1:" + std::to_string(sink.port());
  }

  proxy_options how;
  std::unique_ptr<proxy_server> server_;
  exchange_limits limits;
};

TEST_P(ProxyTunnelTest, CarriesDeliveries) {
  http_sink sink;
  const auto by = through();
  for (int i = 0; i < 3; ++i) {
    const auto result = call_by(by, sink.url());
    EXPECT_EQ(result.status, 200) << result.reason;
  }
  // One way, used again.
  EXPECT_THAT(server().asked(), ElementsAre(place(sink)));
  EXPECT_EQ(server().connections(), 1u);
  EXPECT_EQ(sink.connections(), 1u);
  EXPECT_EQ(client().idle(), 1u);
  EXPECT_EQ(client().connects(), 1u);
}

TEST_P(ProxyTunnelTest, SharesNoConnectionWithTheDirectWay) {
  http_sink sink;
  EXPECT_EQ(call_by(through(), sink.url()).status, 200);
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
  EXPECT_EQ(server().connections(), 1u);
  EXPECT_EQ(client().idle(), 2u);
}

TEST_P(ProxyTunnelTest, CarriesTlsToTheTarget) {
  const test::certificate_authority ca;
  options.tls = tls_settings::trusting(ca.pem()).value();
  test::sink_options secure;
  secure.tls = test::server_context(ca.good());
  http_sink sink{{}, secure};
  const auto result = call_by(through(), sink.url("/", "localhost"));
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_EQ(sink.records().at(0).server_name, "localhost");
  EXPECT_TRUE(result.certificate_expires);
  EXPECT_GT(result.timings.connect, 0us);
  EXPECT_GT(result.timings.tls, 0us);
  // Whom the proxy leads to is not trusted for that.
  secure.tls = test::server_context(ca.wrong_host());
  http_sink other{{}, secure};
  EXPECT_EQ(call_by(through(), other.url("/", "localhost")).reason,
            "tls: certificate is not for this host (localhost)");
}

TEST_P(ProxyTunnelTest, MaySignWhatItShows) {
  const test::certificate_authority trusted;
  options.tls = tls_settings::trusting(trusted.pem()).value();
  // Some send their own certificate along, others do not.
  const test::certificate_authority proxys{"Proxy & Sons"};
  auto all = proxys.good();
  all.certificate_pem += proxys.pem();
  const std::string may_be{"; the proxy may show its own in place of the "
                           "receiver's (signed by "};
  const std::string not_signed{
    "tls: certificate is not signed by a trusted authority"};
  const std::pair<test::certificate, std::string> table[] = {
    {all, not_signed + may_be + "Proxy & Sons)"},
    {proxys.good(),
     not_signed + ", or the receiver does not send its intermediate certificate"
       + may_be + "Proxy & Sons)"},
    {test::self_signed(),
     "tls: self-signed certificate" + may_be + "localhost)"},
    // Nor is the proxy to blame for what its receiver does.
    {trusted.expired(), "tls: certificate has expired"},
  };
  for (const auto& [shown, reason] : table) {
    test::sink_options secure;
    secure.tls = test::server_context(shown);
    http_sink sink{{}, secure};
    const auto url = sink.url("/", "localhost");
    EXPECT_EQ(call_by(through(), url).reason, reason);
    EXPECT_THAT(call(url).reason, Not(HasSubstr("proxy")));
  }
}

TEST_P(ProxyTunnelTest, ShowsItsUserAndPassword) {
  how.user = "me";
  how.password = password;
  http_sink sink;
  const auto good = call_by(through("me:" + std::string{encoded} + "@"),
                            sink.url());
  EXPECT_EQ(good.status, 200) << good.reason;
  const auto wrong = call_by(through("me:s3cret@"), sink.url());
  EXPECT_EQ(wrong.status, 0);
  EXPECT_EQ(wrong.reason, GetParam()
                            ? "proxy: SOCKS5 refused the user or the password"
                            : "proxy: refused with 407 Proxy Authentication "
                              "Required");
  const auto none = call_by(through(), sink.url());
  EXPECT_EQ(none.status, 0);
  EXPECT_THAT(none.reason,
              StartsWith(GetParam() ? "proxy: SOCKS5 asks for a way of "
                                      "authentication"
                                    : "proxy: refused with 407 "));
  EXPECT_EQ(sink.size(), 1u);
}

TEST_P(ProxyTunnelTest, NeedsNoPasswordWhereNoneIsAskedFor) {
  http_sink sink;
  EXPECT_EQ(call_by(through("me:s3cret@"), sink.url()).status, 200);
}

TEST_P(ProxyTunnelTest, IsTheOperatorsForAllThatHaveNone) {
  http_sink sink;
  auto mine = proxy::parse(server().url()).value();
  mine.fenced = false;
  options.via = std::make_shared<const proxy>(mine);
  EXPECT_EQ(call(sink.url()).status, 200);
  auto by = std::make_shared<egress>(); // as the client does
  EXPECT_EQ(call_by(by, sink.url()).status, 200);
  EXPECT_EQ(server().asked().size(), 1u); // the same tag, the same way
  // One of its own wins.
  proxy_server own{how};
  by = std::make_shared<egress>();
  by->via = std::make_shared<const proxy>(proxy::parse(own.url()).value());
  by->tag = "own";
  EXPECT_EQ(call_by(by, sink.url()).status, 200);
  EXPECT_EQ(own.asked().size(), 1u);
  EXPECT_EQ(server().asked().size(), 1u);
}

TEST_P(ProxyTunnelTest, AsksForAddressesNotNames) {
  auto names = script_names();
  names->at_once = {{address("192.0.2.7")}, ""};
  options.policy = address_policy{
    {*network::parse("127.0.0.0/8"), *network::parse("192.0.2.0/24")}};
  http_sink sink;
  how.relay_to = sink.port();
  const auto by = through();
  EXPECT_EQ(call_by(by, "http://shop.example/x").status, 200);
  EXPECT_THAT(server().asked(), ElementsAre("192.0.2.7:80"));
  EXPECT_THAT(names->asked, ElementsAre("shop.example"));
  EXPECT_EQ(sink.records().at(0).header("Host"), "shop.example");
}

TEST_P(ProxyTunnelTest, AsksForIpv6Addresses) {
  options.policy = address_policy{
    {*network::parse("127.0.0.0/8"), *network::parse("2001:db8::/32")}};
  http_sink sink;
  how.relay_to = sink.port();
  const auto by = through();
  EXPECT_EQ(call_by(by, "http://[2001:db8::7]:8080/x").status, 200);
  EXPECT_THAT(server().asked(), ElementsAre("[2001:db8::7]:8080"));
}

TEST_P(ProxyTunnelTest, AsksForNothingThatThePolicyRefuses) {
  auto names = script_names();
  // Its own address must pass: 127.0.0.1 is allowed, what is behind it is not.
  options.policy = address_policy{
    {*network::parse("127.0.0.1/32"), *network::parse("192.0.2.0/24")}};
  http_sink sink;
  how.relay_to = sink.port();
  const auto by = through();
  EXPECT_THAT(call_by(by, "http://10.0.0.1/").reason,
              StartsWith("policy: 10.0.0.1 is a private address"));
  names->at_once = {{address("169.254.169.254")}, ""};
  EXPECT_THAT(call_by(by, "http://metadata.example/").reason,
              StartsWith("policy: 169.254.169.254 is a cloud metadata"));
  EXPECT_EQ(server().connections(), 0u);
  // Of several only those that pass.
  names->at_once = {{address("10.0.0.1"), address("192.0.2.1")}, ""};
  EXPECT_EQ(call_by(by, "http://both.example/").status, 200);
  EXPECT_THAT(server().asked(), ElementsAre("192.0.2.1:80"));
}

TEST_P(ProxyTunnelTest, JudgesByThePolicyOfTheWebhook) {
  http_sink sink;
  const auto by = through();
  by->policy = std::make_shared<const address_policy>(
    loopback_allowed().with({}, {*network::parse("127.0.0.9/32")}));
  EXPECT_THAT(call_by(by, sink.url("/", "127.0.0.9")).reason,
              StartsWith("policy: 127.0.0.9 is denied by the configuration"));
  EXPECT_EQ(call_by(by, sink.url()).status, 200);
  // Also without a proxy.
  const auto direct = std::make_shared<egress>();
  direct->policy = by->policy;
  direct->tag = "direct";
  EXPECT_THAT(call_by(direct, sink.url("/", "127.0.0.9")).reason,
              StartsWith("policy: 127.0.0.9 is denied"));
}

TEST_P(ProxyTunnelTest, IsFencedUnlessTheOperatorChoseIt) {
  options.policy = address_policy{{*network::parse("192.0.2.0/24")}};
  http_sink sink;
  how.relay_to = sink.port();
  const auto by = through();
  EXPECT_THAT(call_by(by, "http://192.0.2.1/").reason,
              AllOf(StartsWith("policy: the proxy's address 127.0.0.1 is a "
                               "loopback address")));
  EXPECT_EQ(server().connections(), 0u);
  auto chosen = *by->via;
  chosen.fenced = false;
  by->via = std::make_shared<const proxy>(chosen);
  EXPECT_EQ(call_by(by, "http://192.0.2.1/").status, 200);
  // That is no way to its neighbours.
  EXPECT_THAT(call_by(by, sink.url()).reason,
              StartsWith("policy: 127.0.0.1 is a loopback address"));
}

TEST_P(ProxyTunnelTest, ResolvesTheNameOfTheProxy) {
  auto names = script_names();
  http_sink sink;
  auto by = through();
  auto named = *by->via;
  named.host = "proxy.example";
  by->via = std::make_shared<const proxy>(named);
  names->at_once = {{address("127.0.0.1")}, ""};
  EXPECT_EQ(call_by(by, sink.url("/", "shop.example")).status, 200);
  EXPECT_THAT(names->asked, ElementsAre("shop.example", "proxy.example"));
  names->at_once = {{}, "dns: name not found: proxy.example"};
  by->tag = "other";
  EXPECT_EQ(call_by(by, sink.url()).reason,
            "dns: name not found: proxy.example (proxy)");
  // And waits for it no longer than for any.
  names->at_once.reset();
  limits.dns = 50ms;
  EXPECT_EQ(call_by(by, sink.url()).reason,
            "timeout: name look-up took longer than 50 ms (dns)");
}

TEST_P(ProxyTunnelTest, SaysWhenNobodyIsThere) {
  const auto by = through();
  const auto port = std::to_string(server().port());
  server_.reset();
  http_sink sink;
  EXPECT_EQ(call_by(by, sink.url()).reason,
            "connect: connection refused (proxy 127.0.0.1:" + port + ")");
}

TEST_P(ProxyTunnelTest, TriesTheNextAddressOfTheTarget) {
  auto names = script_names();
  options.policy = address_policy{
    {*network::parse("127.0.0.0/8"), *network::parse("192.0.2.0/24")}};
  http_sink sink;
  how.relay_to = sink.port();
  const unsigned unreachable = GetParam() ? 4 : 502;
  how.judge = [=](const std::string& place) {
    return place == "192.0.2.3:80" ? 0 : unreachable;
  };
  const auto by = through();
  names->at_once = {
    {address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.3")}, ""};
  EXPECT_EQ(call_by(by, "http://three.example/").status, 200);
  EXPECT_THAT(server().asked(),
              ElementsAre("192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80"));
  // But not for ever.
  names->at_once->addresses.clear();
  for (int i = 10; i < 30; ++i)
    names->at_once->addresses.push_back(
      address(("192.0.2." + std::to_string(i)).c_str()));
  EXPECT_EQ(call_by(by, "http://many.example/").reason,
            GetParam() ? "proxy: SOCKS5 host unreachable (192.0.2.13:80)"
                       : "proxy: refused with 502 Bad Gateway "
                         "(192.0.2.13:80)");
  EXPECT_EQ(server().asked().size(), 7u);
}

TEST_P(ProxyTunnelTest, TriesTheNextAddressAfterAnyRefusal) {
  auto names = script_names();
  names->at_once = {{address("127.0.0.1"), address("127.0.0.2")}, ""};
  http_sink sink;
  for (const unsigned refusal : GetParam()
                                  ? std::vector<unsigned>{1, 2, 3, 7, 8, 99}
                                  : std::vector<unsigned>{400, 403, 404, 500}) {
    server_.reset();
    how.relay_to = sink.port();
    how.judge = [=](const std::string& place) {
      return place == "127.0.0.1:80" ? refusal : 0;
    };
    EXPECT_EQ(call_by(through(), "http://two.example/").status, 200) << refusal;
    EXPECT_THAT(server().asked(), ElementsAre("127.0.0.1:80", "127.0.0.2:80"));
    client_ = nullptr;
    options.policy = loopback_allowed();
    options.names = std::make_unique<scripted_resolver>(names);
  }
}

TEST_P(ProxyTunnelTest, SaysTheLastRefusal) {
  auto names = script_names();
  names->at_once = {{address("127.0.0.1"), address("127.0.0.2")}, ""};
  how.judge = [socks = how.socks](const std::string&) {
    return socks ? 2u : 403u;
  };
  EXPECT_EQ(call_by(through(), "http://two.example/").reason,
            GetParam() ? "proxy: SOCKS5 not allowed by its rules "
                         "(127.0.0.2:80)"
                       : "proxy: refused with 403 Forbidden (127.0.0.2:80)");
  EXPECT_EQ(server().asked().size(), 2u);
}

TEST_P(ProxyTunnelTest, DoesNotHideWhatTheReceiverDidBehindARefusal) {
  auto names = script_names();
  names->at_once = {{address("127.0.0.1"), address("127.0.0.2")}, ""};
  http_sink sink{
    [](const request_record&) { return response_plan::closing(); }};
  how.relay_to = sink.port();
  how.judge = [socks = how.socks](const std::string& place) {
    return place == "127.0.0.1:80" ? 0U : socks ? 4U : 502U;
  };
  const auto result = call_by(through(), "http://two.example/");
  EXPECT_EQ(result.reason, "reset: connection closed before an answer");
  EXPECT_FALSE(result.repeated);
  EXPECT_EQ(sink.size(), 1u);
  EXPECT_THAT(server().asked(), ElementsAre("127.0.0.1:80", "127.0.0.2:80"));
}

TEST_P(ProxyTunnelTest, TriesTheNextAddressIfTheProxyEndsOrSaysNothing) {
  auto names = script_names();
  names->at_once = {{address("127.0.0.1"), address("127.0.0.2")}, ""};
  how.how = proxy_options::mood::close;
  EXPECT_EQ(call_by(through(), "http://two.example/").reason,
            "proxy: connection closed before the way was open");
  EXPECT_EQ(server().connections(), 2u);
  server_.reset();
  how.how = proxy_options::mood::silent;
  limits.connect = 200ms;
  EXPECT_EQ(call_by(through(), "http://two.example/").reason,
            "timeout: connect through the proxy took longer than 200 ms "
            "(connect)");
  EXPECT_EQ(server().connections(), 2u);
}

TEST_P(ProxyTunnelTest, BeginsEachAttemptWithAnotherAddress) {
  auto names = script_names();
  names->at_once = {{address("127.0.0.1"), address("127.0.0.2")}, ""};
  http_sink sink{[](const request_record&) {
    auto plan = response_plan::answer(500);
    plan.after = response_plan::ending::close;
    return plan;
  }};
  how.relay_to = sink.port();
  const auto by = through();
  for (std::uint16_t attempt = 1; attempt <= 3; ++attempt) {
    request_style style;
    style.tag = by->tag;
    exchange_request request{
      target::parse("http://two.example/", style).value(), body_of("{}"),
      limits};
    request.by = by;
    request.attempt = attempt;
    EXPECT_EQ(run(std::move(request)).status, 500);
  }
  EXPECT_THAT(server().asked(),
              ElementsAre("127.0.0.1:80", "127.0.0.2:80", "127.0.0.1:80"));
}

TEST_P(ProxyTunnelTest, AKeptWayDoesNotKeepAnAttemptAtTheSameAddress) {
  auto names = script_names();
  names->at_once = {{address("127.0.0.1"), address("127.0.0.2")}, ""};
  const http_sink sink{[](const request_record& request) {
    return response_plan::answer(request.number == 0 ? 503 : 200);
  }};
  how.relay_to = sink.port();
  const auto by = through();
  request_style style;
  style.tag = by->tag;
  for (std::uint16_t attempt = 1; attempt <= 2; ++attempt) {
    exchange_request request{
      target::parse("http://two.example/", style).value(), body_of("{}"),
      limits};
    request.by = by;
    request.attempt = attempt;
    EXPECT_EQ(run(std::move(request)).status, attempt == 1 ? 503 : 200);
  }
  EXPECT_THAT(server().asked(), ElementsAre("127.0.0.1:80", "127.0.0.2:80"));
}

TEST_P(ProxyTunnelTest, ReportsAGeneralFailure) {
  how.judge = [socks = how.socks](const std::string&) {
    return socks ? 1u : 500u;
  };
  http_sink sink;
  EXPECT_EQ(call_by(through(), "http://127.0.0.1:81/").reason,
            GetParam() ? "proxy: SOCKS5 general failure (127.0.0.1:81)"
                       : "proxy: refused with 500 Internal Server Error "
                         "(127.0.0.1:81)");
}

TEST_P(ProxyTunnelTest, EndsAProxyThatSaysNothing) {
  how.how = proxy_options::mood::silent;
  limits.connect = 100ms;
  http_sink sink;
  EXPECT_EQ(call_by(through(), sink.url()).reason,
            "timeout: connect through the proxy took longer than 100 ms "
            "(connect)");
  EXPECT_EQ(client().active(), 0u);
}

TEST_P(ProxyTunnelTest, SaysWhenTheProxyGoesAway) {
  http_sink sink;
  how.how = proxy_options::mood::close;
  EXPECT_EQ(call_by(through(), sink.url()).reason,
            "proxy: connection closed before the way was open");
  server_.reset();
  how.how = proxy_options::mood::reset;
  EXPECT_EQ(call_by(through(), sink.url()).reason,
            "proxy: connection reset before the way was open");
}

TEST_P(ProxyTunnelTest, RefusesGarbage) {
  http_sink sink;
  const std::vector<std::string> http = {
    "SSH-2.0-OpenSSH\r\n",
    "\x05\x00",
    "HTTP/1.1\r\n\r\n",
    "HTTP/1.1 2x0 OK\r\n\r\n",
    "HTTP/1.1 099 OK\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nSSH-2.0-OpenSSH\r\n",
    // What the target may say only after it was asked.
    "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  };
  const std::vector<std::string> socks = {
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    std::string("\x04\x00", 2),
    std::string("\x05\x00\x04\x00\x00\x01\x00", 7),
    std::string("\x05\x00\x05\x00\x00\x09\x00", 7),
  };
  for (const auto& each : GetParam() ? socks : http) {
    server_.reset();
    how.say = each;
    const auto result = call_by(through(), sink.url());
    EXPECT_EQ(result.status, 0) << each;
    EXPECT_THAT(result.reason, StartsWith("proxy: ")) << each;
  }
  EXPECT_EQ(sink.size(), 0u);
}

/// What SOCKS5 has no like of.
class HttpProxyTest : public ProxyTunnelTest {};

TEST_P(HttpProxyTest, IsAskedLikeThis) {
  http_sink sink;
  const auto begin = "CONNECT " + place(sink)
                   + " HTTP/1.1\r\nHost: " + place(sink) + "\r\n";
  EXPECT_EQ(call_by(through(), sink.url()).status, 200);
  EXPECT_EQ(server().last_head(), begin + "\r\n");
  EXPECT_EQ(call_by(through("me:pw@"), sink.url()).status, 200);
  EXPECT_EQ(server().last_head(),
            begin + "Proxy-Authorization: Basic bWU6cHc=\r\n\r\n");
}

TEST_P(HttpProxyTest, MayEndLinesAsItLikesAndSayMoreBefore) {
  http_sink sink;
  const std::vector<std::string> ways = {
    "HTTP/1.1 200 OK\n\n",
    "HTTP/1.0 200\n\n",
    "HTTP/1.1  200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nVia: x\n\r\n",
    "HTTP/1.1 200 OK\nVia: x\r\n\n",
    "\r\n\nHTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n\n",
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing"
    "\r\n\r\nHTTP/1.1 299 Fine\r\n\r\n",
  };
  for (const auto& each : ways) {
    server_.reset();
    how.opens_with = each;
    EXPECT_EQ(call_by(through(), sink.url()).status, 200) << each;
  }
  server_.reset();
  how.opens_with = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 x\r\n\r\n";
  EXPECT_THAT(call_by(through(), sink.url()).reason,
              StartsWith("proxy: refused with 503"));
}

TEST_P(HttpProxyTest, IsNotAskedForAnotherAddressIfItAsksWhoIsThere) {
  auto names = script_names();
  names->at_once = {{address("127.0.0.1"), address("127.0.0.2")}, ""};
  for (const unsigned refusal : {401u, 407u}) {
    server_.reset();
    how.judge = [=](const std::string&) { return refusal; };
    EXPECT_THAT(call_by(through(), "http://two.example/").reason,
                StartsWith("proxy: refused with " + std::to_string(refusal)));
    EXPECT_EQ(server().asked().size(), 1u);
  }
}

TEST_P(HttpProxyTest, MayBeAWebServer) {
  http_sink sink;
  const auto reason_of = [&](std::string said) {
    server_.reset();
    how.say = std::move(said);
    return call_by(through(), sink.url()).reason;
  };
  for (const auto* status : {"400", "404", "405", "501"})
    EXPECT_THAT(
      reason_of("HTTP/1.1 " + std::string{status} + " x\r\n\r\n<html>"),
      AllOf(StartsWith("proxy: refused with " + std::string{status}),
            HasSubstr("it may be a web server and no proxy")));
  EXPECT_THAT(reason_of("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"),
              HasSubstr("it may be a web server and no proxy"));
  EXPECT_THAT(reason_of("HTTP/1.1 503 x\r\n\r\n"),
              Not(HasSubstr("web server")));
}

TEST_P(HttpProxyTest, MayNotAnswerAtLength) {
  http_sink sink;
  const std::string begin = "HTTP/1.1 503 x\r\nX: ";
  how.say = begin + std::string(8 * 1024 - begin.size() - 4, 'y') + "\r\n\r\n";
  EXPECT_EQ(call_by(through(), sink.url()).reason,
            "proxy: refused with 503 Service Unavailable (" + place(sink)
              + ")");
  server_.reset();
  how.say = begin + std::string(8 * 1024 - begin.size() - 3, 'y') + "\r\n\r\n";
  EXPECT_EQ(call_by(through(), sink.url()).reason,
            "proxy: the head of its answer exceeds 8192 bytes");
}

TEST_P(ProxyTunnelTest, RetriesAStaleWayUnnoticed) {
  std::atomic<int> asked{0};
  http_sink sink{[&](const request_record&) {
    // The second request finds its connection closed under it.
    return asked++ == 1 ? response_plan::closing() : response_plan{};
  }};
  const auto by = through();
  EXPECT_EQ(call_by(by, sink.url()).status, 200);
  EXPECT_EQ(call_by(by, sink.url()).status, 200);
  EXPECT_EQ(server().asked().size(), 2u);
}

TEST_P(ProxyTunnelTest, EndsWithTheClient) {
  how.how = proxy_options::mood::silent;
  http_sink sink;
  exchange_request request{target::parse(sink.url()).value(), body_of(""),
                           limits};
  request.by = through();
  std::string reason;
  client().send(std::move(request),
                [&](exchange_result&& result) { reason = result.reason; });
  ASSERT_TRUE(run_until([&] { return server().connections() == 1; }));
  client_ = nullptr;
  EXPECT_EQ(reason, "cancelled: the engine is stopping");
  io.restart();
  io.run(); // nothing is left to run
}

INSTANTIATE_TEST_SUITE_P(Http, ProxyTunnelTest, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Http, HttpProxyTest, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Socks, ProxyTunnelTest, ::testing::Values(true));

} // namespace
} // namespace fanfare::protocol
