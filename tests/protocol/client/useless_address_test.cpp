// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Attempts at a name of which one address is of no use: they stay on the
/// connections that are kept.

#include "protocol/client/exchange.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/protocol/client/full_listener.hpp"
#include "tests/support/http_sink.hpp"

#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::request_record;
using test::response_plan;

http_sink::handler answering(unsigned status) {
  return
    [status](const request_record&) { return response_plan::answer(status); };
}

class UselessAddressRetryTest : public HttpClientTest {
protected:
  UselessAddressRetryTest() {
    options.names = std::make_unique<scripted_resolver>(names);
  }

  void
  leads_to(const std::vector<const char*>& addresses,
           steady_clock::time_point until = steady_clock::time_point::max()) {
    names->at_once = {{}, "", answered_by::server, until};
    for (const auto* each : addresses)
      names->at_once->addresses.push_back(asio::ip::make_address(each));
  }

  /// One attempt of a notification.
  exchange_result attempt(std::uint16_t number, position what = 1) {
    auto of = std::make_shared<notification>();
    of->id = what;
    of->body = "{}";
    exchange_request request{
      target::parse(sink.url("/", "two.example")).value(), std::move(of), {}};
    request.attempt = number;
    return run(std::move(request));
  }

  std::shared_ptr<scripted_resolver::state>
    names = std::make_shared<scripted_resolver::state>();
  http_sink sink{answering(500)};
};

TEST_F(UselessAddressRetryTest, StaysOnTheKeptConnections) {
  const std::vector<const char*> lists[] = {
    {"127.0.0.9", "127.0.0.1"},
    {"127.0.0.1", "127.0.0.9"},
    {"10.0.0.1", "127.0.0.1"},
    {"127.0.0.1", "10.0.0.1"},
    {"127.0.0.9", "127.0.0.1", "10.0.0.1"}};
  for (const auto& list : lists)
    for (const bool looked_up_each_time : {false, true}) {
      client_ = nullptr;
      options = {};
      options.policy = loopback_allowed();
      options.tick = 5ms;
      options.names = std::make_unique<scripted_resolver>(names);
      leads_to(list, looked_up_each_time ? steady_clock::now()
                                         : steady_clock::time_point::max());
      for (std::uint16_t number = 1; number <= 4; ++number)
        EXPECT_EQ(attempt(number).status, 500);
      EXPECT_LE(client().connects(), 2u) << list.front();
      EXPECT_LE(client().idle(), 2u) << list.front();
    }
}

TEST_F(UselessAddressRetryTest, StaysWhereTheOtherAddressHangs) {
  const test::full_listener full{"127.0.0.9", sink.port()};
  leads_to({"127.0.0.9", "127.0.0.1"});
  for (std::uint16_t number = 1; number <= 4; ++number)
    EXPECT_EQ(attempt(number).status, 500);
  EXPECT_LE(client().connects(), 2u);
}

TEST_F(UselessAddressRetryTest, GoesToAThirdOneThatIsOfUse) {
  leads_to({"127.0.0.1", "127.0.0.9", "127.0.0.2"});
  test::sink_options how;
  how.address = "127.0.0.2";
  how.port = sink.port();
  const http_sink third{answering(500), how};
  for (std::uint16_t number = 1; number <= 8; ++number)
    EXPECT_EQ(attempt(number).status, 500);
  EXPECT_EQ(sink.size(), 4u);
  EXPECT_EQ(third.size(), 4u);
  EXPECT_EQ(client().connects(), 2u);
}

TEST_F(UselessAddressRetryTest, GoesThereOnceItIsOfUseAgain) {
  const auto now = steady_clock::now(); // it is looked up each time
  leads_to({"127.0.0.1", "127.0.0.9"}, now);
  EXPECT_EQ(attempt(1).status, 500);
  EXPECT_EQ(attempt(2).status, 500) << "nobody is at the other one";
  test::sink_options how;
  how.address = "127.0.0.9";
  how.port = sink.port();
  const http_sink other{answering(200), how};
  EXPECT_EQ(attempt(3).status, 500) << "nobody knows that yet";
  leads_to({"127.0.0.1"}, now);
  EXPECT_EQ(attempt(4).status, 500);
  leads_to({"127.0.0.1", "127.0.0.9"}, now);
  EXPECT_EQ(attempt(5).status, 200) << "the name has been without it";
}

TEST_F(UselessAddressRetryTest, StaysWhereItIsWhileNobodyKnowsAnother) {
  leads_to({"127.0.0.1", "127.0.0.2"}, steady_clock::now());
  EXPECT_EQ(attempt(1).status, 500);
  // No name server answers.
  names->at_once = {{}, "dns: temporary failure", answered_by::nobody};
  EXPECT_EQ(attempt(2).status, 500);
  // Nor is it the turn of another name's look-up.
  const auto answers = [&](const char* host, std::uint16_t number) {
    auto of = std::make_shared<notification>();
    of->id = 2;
    exchange_request request{
      target::parse(sink.url("/", host)).value(), std::move(of), {}};
    request.attempt = number;
    return run(std::move(request)).status;
  };
  leads_to({"127.0.0.1", "127.0.0.2"}, steady_clock::now());
  EXPECT_EQ(answers("other.example", 1), 500);
  names->at_once = std::nullopt;
  names->queued = true;
  EXPECT_EQ(answers("other.example", 2), 500);
  EXPECT_EQ(client().connects(), 2u);
}

TEST(DestinationTest, BelievesForAWhileThatAnAddressIsUseless) {
  const auto one = asio::ip::make_address("192.0.2.1");
  const auto two = asio::ip::make_address("2001:db8::1");
  const auto now = steady_clock::now();
  destination to;
  to.note_useless(one, now);
  EXPECT_FALSE(to.is_useless(one, now)) << "none of its name's";
  to.addresses = {one, two};
  EXPECT_TRUE(to.leads_to_others_than(one, now));
  to.note_useless(two, now);
  to.note_useless(two, now);
  EXPECT_EQ(to.useless.size(), 1u);
  EXPECT_FALSE(to.leads_to_others_than(one, now));
  EXPECT_TRUE(to.leads_to_others_than(two, now));
  EXPECT_TRUE(to.is_useless(two, now + useless_for - 1ns));
  EXPECT_FALSE(to.is_useless(two, now + useless_for));
  EXPECT_TRUE(to.leads_to_others_than(one, now + useless_for));
  to.note_useful(two);
  EXPECT_TRUE(to.leads_to_others_than(one, now));
}

} // namespace
} // namespace fanfare::protocol
