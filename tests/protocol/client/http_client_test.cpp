// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/http_client.hpp"

#include "fanfare/version.hpp"
#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/protocol/client/full_listener.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/http_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::request_record;
using test::response_plan;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// -- requests -----------------------------------------------------------------

TEST_F(HttpClientTest, SendsTheRequestByteForByte) {
  std::promise<std::string> seen;
  raw_receiver receiver{{[&](tcp::socket& socket) {
    auto text = raw_receiver::read_head(socket);
    std::string body(9, '\0');
    asio::read(socket, asio::buffer(body));
    seen.set_value(text + body);
    raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }}};
  auto url = receiver.url();
  url.insert(7, "us%65r:p%40ss@");
  const auto result = call(url, "{\"a\": \xc3\xbc}");
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.reason, "");
  const auto authority = receiver.url().substr(7,
                                               receiver.url().size() - 7 - 5);
  EXPECT_EQ(seen.get_future().get(),
            "POST /hook HTTP/1.1\r\nHost: " + authority
              + "\r\nUser-Agent: Fanfare/" + std::string{version}
              + "\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                "Content-Type: application/json\r\n"
                "Authorization: Basic dXNlcjpwQHNz\r\n"
                "Content-Length: 9\r\n\r\n{\"a\": \xc3\xbc}");
}

TEST_F(HttpClientTest, ReportsWhatCameBack) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.status = 418;
    plan.headers = {{"X-One", "1"}, {"X-Two", "two words"}};
    plan.body = "short and stout";
    return plan;
  }};
  const auto result = call(sink.url());
  EXPECT_EQ(result.status, 418);
  EXPECT_EQ(result.reason, "");
  EXPECT_THAT(result.response_head,
              HasSubstr("X-One: 1\r\nX-Two: two words\r\n"));
  EXPECT_EQ(result.response_body, "short and stout");
  EXPECT_GT(result.timings.total, 0us);
  EXPECT_GT(result.timings.connect, 0us);
  EXPECT_GT(result.timings.first_byte, 0us);
  EXPECT_EQ(result.timings.tls, 0us);
  EXPECT_GE(result.timings.total,
            result.timings.connect + result.timings.first_byte);
}

TEST_F(HttpClientTest, SendsLargeBodiesUnchanged) {
  http_sink sink;
  std::string body(8'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<char>('a' + i % 23);
  EXPECT_EQ(call(sink.url(), body).status, 200);
  const auto records = sink.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].body == body);
}

TEST_F(HttpClientTest, SendsAnEmptyBody) {
  http_sink sink;
  EXPECT_EQ(call(sink.url(), "").status, 200);
  EXPECT_EQ(sink.records().at(0).header("content-length"), "0");
}

TEST_F(HttpClientTest, FollowsNoRedirect) {
  http_sink elsewhere;
  http_sink sink{[&](const request_record&) {
    return response_plan::redirect(elsewhere.url(), 307);
  }};
  EXPECT_EQ(call(sink.url()).status, 307);
  EXPECT_EQ(elsewhere.size(), 0u);
}

TEST_F(HttpClientTest, ReachesIpv6) {
  test::sink_options six;
  six.address = "::1";
  std::unique_ptr<http_sink> sink;
  try {
    sink = std::make_unique<http_sink>(http_sink::handler{}, six);
  } catch (const std::exception&) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  EXPECT_EQ(call("http://[::1]:" + std::to_string(sink->port()) + "/").status,
            200);
}

// -- failures -----------------------------------------------------------------

TEST_F(HttpClientTest, ReportsARefusedConnection) {
  std::string url;
  {
    http_sink sink;
    url = sink.url();
  }
  const auto result = call(url);
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.reason,
              StartsWith("connect: connection refused (127.0.0.1:"));
}

TEST_F(HttpClientTest, ReportsResets) {
  http_sink sink{
    [](const request_record&) { return response_plan::resetting(); }};
  EXPECT_EQ(call(sink.url()).reason,
            "reset: connection reset before an answer");
  sink.set_handler(
    [](const request_record&) { return response_plan::closing(); });
  EXPECT_EQ(call(sink.url()).reason,
            "reset: connection closed before an answer");
  // In the middle: of the head, of the body.
  raw_receiver receiver{{[](tcp::socket& socket) {
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nX");
                           raw_receiver::drain(socket);
                         },
                         [](tcp::socket& socket) {
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket,
                                             "HTTP/1.1 200 OK\r\nContent-"
                                             "Length: 9\r\n\r\nabc");
                           raw_receiver::drain(socket);
                         }}};
  exchange_limits limits;
  limits.total = 100ms;
  const auto head = call(receiver.url(), "", limits);
  EXPECT_EQ(head.status, 200);
  EXPECT_THAT(head.reason, StartsWith("head cut: timeout: "));
  EXPECT_THAT(head.reason, HasSubstr("(total)"));
  const auto body = call(receiver.url(), "", limits);
  EXPECT_EQ(body.status, 200);
  EXPECT_THAT(body.reason,
              StartsWith("body cut after 3 of 9 bytes: timeout: "));
  EXPECT_THAT(body.reason, HasSubstr("(total)"));
  EXPECT_EQ(body.response_body, "abc");

  sink.set_handler([](const request_record&) {
    auto plan = response_plan::answer(200, std::string(100, 'x'));
    plan.cut_after = 60;
    plan.after = response_plan::ending::reset;
    return plan;
  });
  const auto cut = call(sink.url());
  // A reset may throw away what the kernel has received.
  EXPECT_THAT(cut.status, ::testing::AnyOf(0, 200));
  EXPECT_THAT(cut.reason, HasSubstr("reset: "));
}

TEST_F(HttpClientTest, ReportsAnUnknownName) {
  const auto result = call("http://nonexistent.invalid/");
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.reason, "dns: name not found: nonexistent.invalid");
}

TEST_F(HttpClientTest, SaysWhoseFaultTheLackOfAnAddressIs) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  const auto fault_of = [&](answered_by source, bool heard) {
    names->at_once = {{}, "dns: none", source};
    names->heard = heard;
    return call("http://a.example/").whose;
  };
  EXPECT_EQ(fault_of(answered_by::server, false), fault::receiver);
  EXPECT_EQ(fault_of(answered_by::nobody, false), fault::network);
  EXPECT_EQ(fault_of(answered_by::nobody, true), fault::receiver);
  EXPECT_EQ(fault_of(answered_by::unable, false), fault::domain);
  EXPECT_EQ(fault_of(answered_by::unable, true), fault::receiver);
}

TEST_F(HttpClientTest, TakesAnAnswerThatComesBeforeAReset) {
  raw_receiver receiver{{[&](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket,
                      "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    // Closing with unread bytes resets.
  }}};
  const auto result = call(receiver.url(), std::string(30'000'000, 'x'));
  // The kernel may throw away what was received when the reset comes.
  if (result.status == 0) {
    EXPECT_THAT(result.reason, StartsWith("reset: "));
  } else {
    EXPECT_EQ(result.status, 413);
  }
}

// -- addresses ----------------------------------------------------------------

TEST_F(HttpClientTest, RefusesPrivateAddressesInEverySpelling) {
  options.policy = address_policy{};
  http_sink sink;
  const auto port = ":" + std::to_string(sink.port()) + "/";
  for (const auto* host : {"127.0.0.1",
                           "localhost",
                           "LOCALHOST",
                           "localhost.",
                           "[::1]",
                           "[::]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[::127.0.0.1]",
                           "[64:ff9b::127.0.0.1]",
                           "[2002:7f00:1::]",
                           "2130706433",
                           "0x7f000001",
                           "017700000001",
                           "0x7f.1",
                           "0177.0.0.1",
                           "127.1",
                           "127.0.1",
                           "0x7f.0.0.0x1",
                           "0",
                           "0.0.0.0",
                           "10.0.0.1",
                           "169.254.169.254",
                           "192.168.1.1",
                           "127.0.0.1."}) {
    const auto result = call("http://" + std::string{host} + port);
    EXPECT_EQ(result.status, 0) << host;
    EXPECT_THAT(result.reason, StartsWith("policy: ")) << host;
  }
  EXPECT_EQ(sink.connections(), 0u);
}

TEST_F(HttpClientTest, ReachesAllowedAddressesInEverySpelling) {
  http_sink sink;
  const auto port = ":" + std::to_string(sink.port()) + "/";
  for (const auto* host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]",
                           "2130706433", "0x7f.1", "0177.0.0.1", "127.1"}) {
    const auto result = call("http://" + std::string{host} + port);
    EXPECT_EQ(result.status, 200) << host << ": " << result.reason;
  }
}

TEST_F(HttpClientTest, JudgesEveryAddressOfAName) {
  options.policy = address_policy{{*network::parse("127.0.0.1/32")}};
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  http_sink sink;
  const auto url = sink.url("/", "public.example");
  const auto address = [](const char* text) {
    return asio::ip::make_address(text);
  };
  // Like a name whose records changed between check and use.
  names->at_once = {{address("127.0.0.2"), address("10.0.0.1")}, ""};
  EXPECT_THAT(call(url).reason, HasSubstr("policy: 127.0.0.2 is a loopback"));
  names->at_once = {{address("10.0.0.1"), address("127.0.0.1")}, ""};
  EXPECT_EQ(call(url).status, 200);
  EXPECT_EQ(sink.records().at(0).header("Host"),
            "public.example:" + std::to_string(sink.port()));
}

TEST_F(HttpClientTest, TriesTheNextAddress) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  http_sink sink;
  names->at_once = {
    {asio::ip::make_address("127.0.0.7"), asio::ip::make_address("127.0.0.1")},
    ""};
  EXPECT_EQ(call(sink.url("/", "two.example")).status, 200);
}

/// A name with two addresses, and a receiver at each.
class TwoAddressesTest : public HttpClientTest {
protected:
  TwoAddressesTest() {
    names->at_once = {{asio::ip::make_address("127.0.0.1"),
                       asio::ip::make_address("127.0.0.2")},
                      ""};
    options.names = std::make_unique<scripted_resolver>(names);
  }

  void serve(http_sink::handler at_first, http_sink::handler at_second,
             test::sink_options how = {}, test::sink_options how_second = {}) {
    first.emplace(std::move(at_first), std::move(how));
    how_second.address = "127.0.0.2";
    how_second.port = first->port();
    second.emplace(std::move(at_second), std::move(how_second));
  }

  [[nodiscard]] std::string url() const {
    return first->url("/", "two.example");
  }

  std::shared_ptr<scripted_resolver::state>
    names = std::make_shared<scripted_resolver::state>();
  std::optional<http_sink> first;
  std::optional<http_sink> second;
};

http_sink::handler closing() {
  return [](const request_record&) { return response_plan::closing(); };
}

TEST_F(TwoAddressesTest, TriesTheSecondIfTheFirstEndsTheConnection) {
  serve(closing(), {});
  const auto result = call(url());
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_TRUE(result.repeated);
  EXPECT_EQ(first->size(), 1u);
  EXPECT_EQ(second->size(), 1u);
}

TEST_F(TwoAddressesTest, SendsNoRequestAThirdTime) {
  serve(closing(), closing());
  names->at_once->addresses.push_back(asio::ip::make_address("127.0.0.3"));
  const auto result = call(url());
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.reason, "reset: connection closed before an answer");
  EXPECT_TRUE(result.repeated);
  EXPECT_EQ(first->size() + second->size(), 2u);
}

TEST_F(TwoAddressesTest, TriesTheSecondIfTheHandshakeFails) {
  const test::certificate_authority ca;
  options.tls = tls_settings::trusting(ca.pem()).value();
  test::sink_options bad;
  bad.tls = test::server_context(ca.expired({"two.example"}));
  test::sink_options good;
  good.tls = test::server_context(ca.good({"two.example"}));
  serve({}, {}, bad, good);
  const auto result = call(url());
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_FALSE(result.repeated); // nobody has read the request before
  EXPECT_EQ(second->size(), 1u);
}

TEST_F(TwoAddressesTest, TriesTheSecondIfTheHandshakeHangs) {
  const test::certificate_authority ca;
  options.tls = tls_settings::trusting(ca.pem()).value();
  raw_receiver silent{{raw_receiver::drain}};
  const auto there = target::parse(silent.url()).value();
  test::sink_options good;
  good.tls = test::server_context(ca.good({"two.example"}));
  good.address = "127.0.0.2";
  good.port = there->port();
  http_sink sink{{}, good};
  exchange_limits limits;
  limits.tls = 100ms;
  const auto result = call(sink.url("/", "two.example"), "{}", limits);
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_FALSE(result.repeated);
}

TEST_F(TwoAddressesTest, SaysWhyTheLastHandshakeFailed) {
  const test::certificate_authority ca;
  options.tls = tls_settings::trusting(ca.pem()).value();
  test::sink_options expired;
  expired.tls = test::server_context(ca.expired({"two.example"}));
  test::sink_options wrong;
  wrong.tls = test::server_context(ca.wrong_host());
  serve({}, {}, expired, wrong);
  EXPECT_EQ(call(url()).reason,
            "tls: certificate is not for this host (two.example)");
}

/// Where the other address is of no use. One that is tried before the receiver,
/// one behind it, and one that the policy refuses: none of them hides what the
/// receiver did.
class UselessAddressTest : public HttpClientTest {
protected:
  static constexpr const char* lists[][2] = {{"127.0.0.9", "127.0.0.1"},
                                             {"127.0.0.1", "127.0.0.9"},
                                             {"10.0.0.1", "127.0.0.1"},
                                             {"127.0.0.1", "10.0.0.1"}};

  /// Calls it by a name with these addresses.
  exchange_result call_by(const char* const (&list)[2], const std::string& url,
                          const exchange_limits& limits = {}) {
    auto names = std::make_shared<scripted_resolver::state>();
    names->at_once = {
      {asio::ip::make_address(list[0]), asio::ip::make_address(list[1])}, ""};
    client_ = nullptr;
    options = {};
    options.policy = loopback_allowed();
    options.tick = 5ms;
    options.tls = trusted;
    options.names = std::make_unique<scripted_resolver>(names);
    return call(url, "{}", limits);
  }

  std::shared_ptr<tls_settings> trusted;
};

TEST_F(UselessAddressTest, DoesNotHideThatTheReceiverEndedTheConnection) {
  http_sink sink{closing()};
  for (const auto& list : lists) {
    const auto before = sink.size();
    const auto result = call_by(list, sink.url("/", "two.example"));
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.reason, "reset: connection closed before an answer")
      << list[0] << " " << list[1];
    EXPECT_FALSE(result.repeated);
    EXPECT_EQ(result.whose, fault::receiver);
    EXPECT_EQ(sink.size(), before + 1);
  }
}

TEST_F(UselessAddressTest, DoesNotHideWhyTheHandshakeFailed) {
  const test::certificate_authority ca;
  trusted = tls_settings::trusting(ca.pem()).value();
  test::sink_options expired;
  expired.tls = test::server_context(ca.expired({"two.example"}));
  http_sink sink{{}, expired};
  http_sink plain;
  auto plain_url = plain.url("/", "two.example");
  plain_url.insert(4, "s");
  for (const auto& list : lists) {
    const auto result = call_by(list, sink.url("/", "two.example"));
    EXPECT_THAT(result.reason, ::testing::StartsWith("tls: "));
    EXPECT_THAT(result.reason, HasSubstr("expired"));
    EXPECT_FALSE(result.repeated);
    EXPECT_THAT(call_by(list, plain_url).reason,
                ::testing::StartsWith("tls: "));
  }
}

TEST_F(UselessAddressTest, DoesNotHideThatTheHandshakeHung) {
  const test::certificate_authority ca;
  trusted = tls_settings::trusting(ca.pem()).value();
  exchange_limits limits;
  limits.tls = 100ms;
  for (const auto& list : lists) {
    raw_receiver silent{{raw_receiver::drain}};
    auto url = silent.url();
    url.replace(url.find("127.0.0.1"), 9, "two.example").insert(4, "s");
    EXPECT_EQ(call_by(list, url, limits).reason,
              "timeout: TLS handshake took longer than 100 ms (tls)");
  }
}

TEST_F(UselessAddressTest, DoesNotHideItByHanging) {
  http_sink sink{closing()};
  const test::full_listener full{"127.0.0.9", sink.port()};
  exchange_limits limits;
  limits.connect = 100ms;
  const auto result = call_by({"127.0.0.1", "127.0.0.9"},
                              sink.url("/", "two.example"), limits);
  EXPECT_EQ(result.reason, "reset: connection closed before an answer");
  EXPECT_FALSE(result.repeated);
}

TEST_F(TwoAddressesTest, BeginsEachAttemptWithAnother) {
  const auto once = [](const request_record&) {
    auto plan = response_plan::answer(500);
    plan.after = response_plan::ending::close;
    return plan;
  };
  serve(once, once);
  std::vector<std::pair<std::size_t, std::size_t>> seen;
  for (std::uint16_t attempt = 1; attempt <= 4; ++attempt) {
    exchange_request request{target::parse(url()).value(), body_of("{}"), {}};
    request.attempt = attempt;
    EXPECT_EQ(run(std::move(request)).status, 500);
    seen.emplace_back(first->size(), second->size());
  }
  EXPECT_EQ(seen, (std::vector<std::pair<std::size_t, std::size_t>>{
                    {1, 0}, {1, 1}, {2, 1}, {2, 2}}));
}

/// One attempt of a notification.
exchange_request attempt_of(position what, std::uint16_t number,
                            const std::string& url) {
  auto of = std::make_shared<notification>();
  of->id = what;
  of->body = "{}";
  exchange_request out{target::parse(url).value(), std::move(of), {}};
  out.attempt = number;
  return out;
}

http_sink::handler answering(unsigned status) {
  return
    [status](const request_record&) { return response_plan::answer(status); };
}

TEST_F(TwoAddressesTest, AKeptConnectionDoesNotKeepAnAttemptAtTheSame) {
  serve(answering(503), answering(200));
  EXPECT_EQ(run(attempt_of(1, 1, url())).status, 503);
  EXPECT_EQ(client().idle(), 1u);
  EXPECT_EQ(run(attempt_of(1, 2, url())).status, 200);
  EXPECT_EQ(client().connects(), 2u);
  // Both are kept now, and either serves whatever may go there.
  first->set_handler(answering(200));
  second->set_handler(answering(503));
  EXPECT_EQ(run(attempt_of(2, 1, url())).status, 503) << "used last";
  EXPECT_EQ(run(attempt_of(2, 2, url())).status, 200);
  EXPECT_EQ(client().connects(), 2u);
}

TEST_F(TwoAddressesTest, BeginsElsewhereInWhateverOrderTheAddressesCome) {
  const auto once = [](const request_record&) {
    auto plan = response_plan::answer(500);
    plan.after = response_plan::ending::close;
    return plan;
  };
  serve(once, once);
  for (std::uint16_t attempt = 1; attempt <= 4; ++attempt) {
    EXPECT_EQ(run(attempt_of(1, attempt, url())).status, 500);
    EXPECT_EQ(first->size(), (attempt + 1u) / 2);
    EXPECT_EQ(second->size(), attempt / 2u);
    // As many name servers do from answer to answer.
    std::ranges::reverse(names->at_once->addresses);
  }
}

TEST_F(TwoAddressesTest, AnotherNotificationIsNotKeptAway) {
  serve(answering(500), answering(500));
  EXPECT_EQ(run(attempt_of(1, 1, url())).status, 500);
  EXPECT_EQ(run(attempt_of(2, 1, url())).status, 500);
  EXPECT_EQ(first->size(), 2u);
  EXPECT_EQ(client().connects(), 1u);
}

TEST_F(TwoAddressesTest, OneThatNamesATimeIsFollowedByOneElsewhere) {
  // It uses up no number.
  serve(answering(429), answering(200));
  EXPECT_EQ(run(attempt_of(1, 1, url())).status, 429);
  EXPECT_EQ(run(attempt_of(1, 1, url())).status, 200);
}

TEST_F(TwoAddressesTest, EachOfThreeHasItsTurn) {
  names->at_once->addresses.push_back(asio::ip::make_address("127.0.0.3"));
  serve(answering(503), answering(503));
  test::sink_options how;
  how.address = "127.0.0.3";
  how.port = first->port();
  const http_sink third{answering(200), how};
  for (const position what : {1, 2, 3}) {
    EXPECT_EQ(run(attempt_of(what, 1, url())).status, what == 1 ? 503 : 200);
    if (what > 1)
      continue;
    EXPECT_EQ(run(attempt_of(what, 2, url())).status, 503);
    EXPECT_EQ(run(attempt_of(what, 3, url())).status, 200);
  }
  EXPECT_EQ(first->size() + second->size(), 2u);
}

TEST_F(HttpClientTest, DoesNotRepeatAtTheOnlyAddress) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  names->at_once = {{asio::ip::make_address("127.0.0.1")}, ""};
  http_sink sink{closing()};
  const auto result = call(sink.url("/", "one.example"));
  EXPECT_EQ(result.status, 0);
  EXPECT_FALSE(result.repeated);
  EXPECT_EQ(sink.size(), 1u);
}

// -- the end ------------------------------------------------------------------

TEST_F(HttpClientTest, EndsEveryExchangeWhenItIsClosed) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  std::vector<std::string> reasons;
  const auto start = [&](const std::string& url) {
    client().send({target::parse(url).value(), body_of("{}"), {}},
                  [&](exchange_result&& result) {
                    EXPECT_EQ(result.status, 0);
                    reasons.push_back(result.reason);
                  });
  };
  start(sink.url());
  ASSERT_TRUE(run_until([&] { return sink.size() == 1; }));
  start(sink.url("/", "looked.up"));
  ASSERT_TRUE(run_until([&] { return names->waiting.size() == 1; }));
  start(sink.url()); // has not begun
  EXPECT_EQ(client().active(), 3u);
  client().close();
  EXPECT_EQ(reasons,
            std::vector<std::string>(3, "cancelled: the engine is stopping"));
  EXPECT_EQ(client().active(), 0u);
  // What comes later ends the same way, but not before send() returns.
  start(sink.url());
  EXPECT_EQ(reasons.size(), 3u);
  ASSERT_TRUE(run_until([&] { return reasons.size() == 4; }));
  EXPECT_EQ(reasons.back(), "cancelled: the engine is stopping");
  // Nothing is left to run.
  io.restart();
  io.run();
  EXPECT_EQ(reasons.size(), 4u);
}

TEST_F(HttpClientTest, CallsNobodyBackAfterItIsGone) {
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  int ended = 0;
  const auto start = [&] {
    client().send({target::parse(sink.url()).value(), body_of("{}"), {}},
                  [&](exchange_result&&) { ++ended; });
  };
  start();
  ASSERT_TRUE(run_until([&] { return sink.size() == 1; }));
  start();
  client_ = nullptr;
  EXPECT_EQ(ended, 2);
  io.restart();
  io.run();
  EXPECT_EQ(ended, 2);
}

TEST_F(HttpClientTest, MayBeDestroyedByACompletion) {
  http_sink sink;
  bool ended = false;
  client().send({target::parse(sink.url()).value(), body_of("{}"), {}},
                [&](exchange_result&& result) {
                  EXPECT_EQ(result.status, 200);
                  client_ = nullptr;
                  ended = true;
                });
  ASSERT_TRUE(run_until([&] { return ended; }));
  io.restart();
  io.run();

  options.policy = address_policy{};
  ended = false;
  client().send({target::parse("http://localhost/").value(), body_of(""), {}},
                [&](exchange_result&&) {
                  client_ = nullptr;
                  ended = true;
                });
  ASSERT_TRUE(run_until([&] { return ended; }));
}

TEST_F(HttpClientTest, MayBeGoneBeforeItsContextRuns) {
  client().send({target::parse("http://127.0.0.1:1/").value(), body_of(""), {}},
                [](exchange_result&&) {});
  client_ = nullptr; // the context still holds what send() posted
}

} // namespace
} // namespace fanfare::protocol
