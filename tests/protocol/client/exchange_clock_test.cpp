// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/exchange_clock.hpp"

#include "tests/protocol/client/client_test.hpp"
#include "tests/protocol/client/full_listener.hpp"
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

const exchange_clock::time_point start{1h};

TEST(ExchangeClockTest, GivesAPhaseItsLimitButNotMoreThanTheWhole) {
  exchange_clock clock;
  clock.start(10s, start);
  EXPECT_EQ(clock.waits_for, phase::total);
  EXPECT_EQ(clock.deadline, start + 10s);
  clock.enter(phase::connect, 5s, start + 1s);
  EXPECT_EQ(clock.deadline, start + 6s);
  EXPECT_EQ(clock.in_phase(start + 1'250ms), 250ms);
  EXPECT_EQ(clock.since_start(start + 1'250ms), 1'250ms);
  clock.enter(phase::first_byte, 30s, start + 2s);
  EXPECT_EQ(clock.deadline, start + 10s);
}

TEST(ExchangeClockTest, NamesTheLimitThatWasReached) {
  exchange_limits limits;
  limits.dns = 50ms;
  limits.connect = 1s;
  limits.tls = 1'500ms;
  limits.first_byte = 2'050ms;
  limits.total = 60s;
  const auto reason = [&](phase waits_for, milliseconds limit,
                          bool proxied = false) {
    exchange_clock clock;
    clock.start(limits.total, start);
    clock.enter(waits_for, limit, start);
    return clock.timeout_reason(limits, proxied, clock.deadline);
  };
  EXPECT_EQ(reason(phase::dns, limits.dns),
            "timeout: name look-up took longer than 50 ms (dns)");
  EXPECT_EQ(reason(phase::connect, limits.connect),
            "timeout: connect took longer than 1 s (connect)");
  EXPECT_EQ(reason(phase::connect, limits.connect, true),
            "timeout: connect through the proxy took longer than 1 s "
            "(connect)");
  EXPECT_EQ(reason(phase::tls, limits.tls),
            "timeout: TLS handshake took longer than 1.5 s (tls)");
  EXPECT_EQ(reason(phase::first_byte, limits.first_byte),
            "timeout: no answer within 2.05 s (first_byte)");
  for (const auto each : {phase::dns, phase::connect, phase::tls,
                          phase::first_byte, phase::total})
    EXPECT_EQ(reason(each, limits.total),
              "timeout: no answer within 60 s (total)");
  EXPECT_EQ(reason(phase::answer, limits.total),
            "timeout: no complete answer within 60 s (total)");
}

TEST(ExchangeClockTest, GivesAPhaseItsWholeLimitFromItsTurnOn) {
  exchange_clock clock;
  clock.start(10s, start);
  clock.enter(phase::dns, 5s, start);
  clock.postpone(5s, start + 3s);
  EXPECT_EQ(clock.deadline, start + 8s);
  EXPECT_EQ(clock.in_phase(start + 3s), 3s);
  clock.postpone(5s, start + 6s);
  EXPECT_EQ(clock.deadline, start + 10s);
}

TEST(ExchangeClockTest, JudgesTheRateFromTheSecondSecondOn) {
  exchange_limits limits;
  limits.min_rate = 100;
  exchange_clock clock;
  clock.start(limits.total, start - 5s);
  clock.enter(phase::first_byte, limits.first_byte, start - 4s);
  EXPECT_FALSE(clock.is_too_slow(limits, 0, start)); // it has not begun
  clock.enter(phase::answer, limits.total, start);
  EXPECT_FALSE(clock.is_too_slow(limits, 1, start + 999ms));
  EXPECT_TRUE(clock.is_too_slow(limits, 1, start + 1s));
  EXPECT_TRUE(clock.is_too_slow(limits, 199, start + 2s));
  EXPECT_FALSE(clock.is_too_slow(limits, 200, start + 2s));
  EXPECT_EQ(clock.timeout_reason(limits, false, start + 2s),
            "timeout: the answer came with less than 100 bytes per second "
            "(min_rate)");
  limits.min_rate = 0;
  EXPECT_FALSE(clock.is_too_slow(limits, 1, start + 1h));
}

// -- over sockets -------------------------------------------------------------

class ExchangeLimitsTest : public HttpClientTest {};

TEST_F(ExchangeLimitsTest, EndsAHangingAnswer) {
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  exchange_limits limits;
  limits.first_byte = 100ms;
  const auto before = steady_clock::now();
  const auto result = call(sink.url(), "{}", limits);
  EXPECT_GE(steady_clock::now() - before, 100ms);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.reason, "timeout: no answer within 100 ms (first_byte)");
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(ExchangeLimitsTest, EndsADrippingAnswer) {
  http_sink sink{[](const request_record&) {
    auto plan = response_plan::answer(200, std::string(1'000, 'x'));
    plan.drip_size = 1;
    plan.drip_pause = 10ms;
    return plan;
  }};
  exchange_limits limits;
  limits.total = 1'250ms;
  const auto result = call(sink.url(), "{}", limits);
  EXPECT_EQ(result.status, 200);
  EXPECT_THAT(result.reason, HasSubstr(" of 1000 bytes: timeout: no complete "
                                       "answer within 1.25 s (total)"));
}

TEST_F(ExchangeLimitsTest, EndsARequestThatNobodyReads) {
  std::promise<void> done;
  auto finished = done.get_future().share();
  raw_receiver receiver{{[&](tcp::socket&) { finished.wait(); }}};
  exchange_limits limits;
  limits.total = 200ms;
  const auto result = call(receiver.url(), std::string(30'000'000, 'x'),
                           limits);
  EXPECT_THAT(result.reason, HasSubstr("(total)"));
  done.set_value();
}

TEST_F(ExchangeLimitsTest, EndsAConnectThatHangs) {
  const test::full_listener full{"127.0.0.1"};
  const auto there = full.at();
  exchange_limits limits;
  limits.connect = 100ms;
  const auto result = call("http://127.0.0.1:" + std::to_string(there.port()),
                           "{}", limits);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.reason,
            "timeout: connect took longer than 100 ms (connect)");
}

TEST_F(ExchangeLimitsTest, EndsALookUpThatHangsAndIgnoresItsLateAnswer) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  http_sink sink;
  exchange_limits limits;
  limits.dns = 50ms;
  const auto result = call(sink.url("/", "slow.example"), "{}", limits);
  EXPECT_EQ(result.reason,
            "timeout: name look-up took longer than 50 ms (dns)");
  EXPECT_EQ(names->cancelled, std::vector<resolver::ticket>{1});
  ASSERT_EQ(names->waiting.size(), 1u);
  names->waiting.front()({{asio::ip::make_address("127.0.0.1")}, ""});
  EXPECT_EQ(client().active(), 0u);
  // What comes later is the first to connect.
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
}

TEST_F(ExchangeLimitsTest, CancelsTheLookUpOfAProxyBehindOneThatIsKnown) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  names->at_once = {{asio::ip::make_address("127.0.0.1")}, ""};
  names->first_at_once = true;
  options.via = std::make_shared<const proxy>(
    proxy::parse("http://proxy.example:3128").value());
  exchange_limits limits;
  limits.dns = 50ms;
  const auto result = call("http://known.example/", "{}", limits);
  EXPECT_THAT(result.reason, HasSubstr("50 ms (dns)"));
  EXPECT_EQ(names->asked,
            (std::vector<std::string>{"known.example", "proxy.example"}));
  EXPECT_EQ(names->cancelled, std::vector<resolver::ticket>{2});
}

TEST_F(ExchangeLimitsTest, CountsALookUpFromItsTurnOn) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  names->queued = true;
  exchange_limits limits;
  limits.dns = 50ms;
  std::optional<exchange_result> ended;
  const auto begin = steady_clock::now();
  client().send(
    {target::parse("http://queued.example/").value(), body_of(""), limits},
    [&](exchange_result&& result) { ended = std::move(result); });
  ASSERT_TRUE(run_until([&] { return steady_clock::now() >= begin + 200ms; }));
  EXPECT_FALSE(ended);
  names->queued = false;
  ASSERT_TRUE(run_until([&] { return ended.has_value(); }));
  EXPECT_EQ(ended->reason,
            "timeout: name look-up took longer than 50 ms (dns)");
  EXPECT_EQ(names->cancelled, std::vector<resolver::ticket>{1});
}

TEST_F(ExchangeLimitsTest, SaysThatAnAnswerNeverBegan) {
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  exchange_limits limits;
  limits.total = 100ms;
  EXPECT_EQ(call(sink.url(), "{}", limits).reason,
            "timeout: no answer within 100 ms (total)");
}

/// Says this and nothing more, until the client closes.
raw_receiver::script only_saying(std::string raw) {
  return [raw = std::move(raw)](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket, raw);
    raw_receiver::drain(socket);
  };
}

constexpr const char* no_answers[] = {"\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
                                      "HTTP/1.1 103 Early Hints\r\nLi",
                                      "HTTP/1.1 20"};

TEST_F(ExchangeLimitsTest, WaitsForTheAnswerBehindWhatIsNone) {
  exchange_limits limits;
  limits.first_byte = 100ms;
  for (const auto* raw : no_answers) {
    raw_receiver receiver{{only_saying(raw)}};
    EXPECT_EQ(call(receiver.url(), "{}", limits).reason,
              "timeout: no answer within 100 ms (first_byte)")
      << raw;
  }
}

TEST_F(ExchangeLimitsTest, SaysThatNoAnswerCameBehindWhatIsNone) {
  exchange_limits limits;
  limits.total = 100ms;
  for (const auto* raw : no_answers) {
    raw_receiver receiver{{only_saying(raw)}};
    EXPECT_EQ(call(receiver.url(), "{}", limits).reason,
              "timeout: no answer within 100 ms (total)")
      << raw;
  }
}

TEST_F(ExchangeLimitsTest, JudgesNoPaceBeforeTheAnswer) {
  exchange_limits limits;
  limits.min_rate = 100;
  limits.total = 1'200ms;
  raw_receiver receiver{{only_saying("HTTP/1.1 103 Early Hints\r\n\r\n")}};
  EXPECT_EQ(call(receiver.url(), "{}", limits).reason,
            "timeout: no answer within 1.2 s (total)");
}

TEST_F(ExchangeLimitsTest, CountsTheFirstByteUpToTheAnswer) {
  std::promise<void> said;
  auto is_said = said.get_future();
  std::promise<void> go_on;
  auto told = go_on.get_future();
  raw_receiver receiver{{[&](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket, "HTTP/1.1 100 Continue\r\n\r\n");
    said.set_value();
    told.wait();
    raw_receiver::say(socket, "HTTP/1.1 204 No Content\r\n\r\n");
  }}};
  std::optional<exchange_result> ended;
  client().send({target::parse(receiver.url()).value(), body_of("{}"), {}},
                [&](exchange_result&& result) { ended = std::move(result); });
  ASSERT_TRUE(run_until(
    [&] { return is_said.wait_for(0s) == std::future_status::ready; }));
  const auto begin = steady_clock::now();
  ASSERT_TRUE(run_until([&] { return steady_clock::now() >= begin + 50ms; }));
  go_on.set_value();
  ASSERT_TRUE(run_until([&] { return ended.has_value(); }));
  EXPECT_EQ(ended->status, 204);
  EXPECT_GE(ended->timings.first_byte, 50ms);
}

TEST_F(ExchangeLimitsTest, EndsAHandshakeThatHangs) {
  raw_receiver receiver{
    {[](tcp::socket& socket) { raw_receiver::drain(socket); }}};
  auto url = receiver.url();
  url.insert(4, "s");
  exchange_limits limits;
  limits.tls = 100ms;
  const auto result = call(url, "{}", limits);
  EXPECT_EQ(result.reason,
            "timeout: TLS handshake took longer than 100 ms (tls)");
}

} // namespace
} // namespace fanfare::protocol
