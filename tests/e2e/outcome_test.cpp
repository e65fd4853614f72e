// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// How single attempts end, as the call log tells it.

#include "tests/e2e/support/e2e_test.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class OutcomeTest : public E2eTest {
protected:
  void serve(std::vector<std::string> args = {"--schedule", "100ms"},
             bool allow_loopback = true) {
    start(std::move(args), allow_loopback);
    add_organizer("acme");
  }

  /// The first two calls of a webhook that has this URL.
  std::vector<json::object> log_of(const std::string& url) {
    const auto hook = add_webhook("acme", {.url = url});
    publish();
    return wait_for_calls("acme", hook, 2);
  }

  static void expect_unanswered(const std::vector<json::object>& log,
                                const std::string& reason) {
    for (const auto& entry : log) {
      EXPECT_EQ(number_of(entry, "return_code"), 0U);
      EXPECT_FALSE(flag_of(entry, "success"));
      EXPECT_THAT(text_of(entry, "reason"), HasSubstr(reason));
    }
    EXPECT_TRUE(flag_of(log.at(1), "is_retry"));
  }
};

TEST_F(OutcomeTest, NamesTheLimitOfATimeout) {
  serve({"--schedule", "100ms", "--first-byte-timeout", "300ms"});
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  expect_unanswered(log_of(sink.url()), "first_byte");
  sink.release();
}

TEST_F(OutcomeTest, NamesTheTotalLimitOfASlowAnswer) {
  serve({"--schedule", "100ms", "--total-timeout", "500ms"});
  http_sink sink{[](const request_record&) {
    auto plan = response_plan::answer(200, std::string(1000, 'x'));
    plan.drip_size = 1;
    plan.drip_pause = 50ms;
    return plan;
  }};
  const auto log = log_of(sink.url() + "drip?503");
  for (const auto& entry : log)
    EXPECT_THAT(text_of(entry, "reason"), HasSubstr("total"));
}

TEST_F(OutcomeTest, TellsARefusedConnection) {
  serve();
  http_sink gone;
  const auto url = gone.url();
  gone.stop();
  expect_unanswered(log_of(url), "refused");
}

TEST_F(OutcomeTest, TellsAResetConnection) {
  serve();
  http_sink sink{
    [](const request_record&) { return response_plan::resetting(); }};
  expect_unanswered(log_of(sink.url()), "reset");
}

TEST_F(OutcomeTest, TellsAMalformedAnswer) {
  serve();
  http_sink sink{[](const request_record&) {
    return response_plan::bytes("220 mail.example ESMTP\r\n");
  }};
  expect_unanswered(log_of(sink.url()), "malformed");
}

TEST_F(OutcomeTest, TellsAnUnknownName) {
  serve();
  expect_unanswered(log_of("http://no-such-host.invalid/hook"), "dns");
}

TEST_F(OutcomeTest, FollowsNoRedirect) {
  serve();
  http_sink elsewhere;
  for (const auto status : {301U, 302U, 303U, 307U, 308U}) {
    SCOPED_TRACE(status);
    http_sink sink{[&](const request_record&) {
      return response_plan::redirect(elsewhere.url("/elsewhere"), status);
    }};
    const auto log = log_of(sink.url());
    for (const auto& entry : log) {
      EXPECT_EQ(number_of(entry, "return_code"), status);
      EXPECT_FALSE(flag_of(entry, "success"));
    }
    EXPECT_EQ(text_of(log[0].at("response_headers"), "Location"),
              elsewhere.url("/elsewhere"));
  }
  EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST_F(OutcomeTest, TakesOnlyTwoHundredsForSuccess) {
  serve();
  for (const auto& [status, success] : {std::pair{200U, true},
                                        {201U, true},
                                        {204U, true},
                                        {299U, true},
                                        {304U, false},
                                        {400U, false},
                                        {404U, false},
                                        {429U, false},
                                        {503U, false}}) {
    SCOPED_TRACE(status);
    http_sink sink{[status = status](const request_record&) {
      return response_plan::answer(status);
    }};
    const auto hook = add_webhook("acme", {.url = sink.url()});
    publish();
    const auto first = wait_for_calls("acme", hook, 1)[0];
    EXPECT_EQ(number_of(first, "return_code"), status);
    EXPECT_EQ(flag_of(first, "success"), success);
    change_webhook("acme", hook, {{"enabled", false}});
  }
}

TEST_F(OutcomeTest, SendsUserInfoAsBasicAndMasksThePassword) {
  serve();
  http_sink sink;
  const auto port = std::to_string(sink.port());
  const auto hook = add_webhook(
    "acme", {.url = "http://alice:s3cret%21@127.0.0.1:" + port + "/hook"});
  publish();
  const auto entry = wait_for_calls("acme", hook, 1)[0];
  EXPECT_TRUE(flag_of(entry, "success"));
  const auto record = sink.records().at(0);
  EXPECT_EQ(record.header("authorization"), "Basic YWxpY2U6czNjcmV0IQ==");
  EXPECT_EQ(record.header("host"), "127.0.0.1:" + port);
  EXPECT_EQ(record.target, "/hook");
  EXPECT_THAT(text_of(entry, "target_url"), HasSubstr("alice"));
  EXPECT_THAT(json::serialize(entry), Not(HasSubstr("s3cret")));
  EXPECT_THAT(running().log_tail(), Not(HasSubstr("s3cret")));
}

TEST_F(OutcomeTest, CutsAHugeAnswerAndCallsItASuccess) {
  serve();
  http_sink sink{[](const request_record&) {
    return response_plan::answer(200, std::string(1 << 20, 'x'));
  }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  publish();
  const auto entry = wait_for_calls("acme", hook, 1)[0];
  EXPECT_TRUE(flag_of(entry, "success"));
  EXPECT_THAT(text_of(entry, "reason"), HasSubstr("too large"));
  EXPECT_EQ(text_of(entry, "response_body"), std::string(16U * 1024U, 'x'));
}

TEST_F(OutcomeTest, RefusesAddressesOfThisMachineUnlessAllowed) {
  serve({"--schedule", "100ms"}, false);
  http_sink sink;
  const auto port = std::to_string(sink.port());
  for (const auto* host :
       {"127.0.0.1", "localhost", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]"}) {
    SCOPED_TRACE(host);
    expect_unanswered(log_of("http://" + std::string{host} + ':' + port + '/'),
                      "policy");
  }
  for (const auto* host : {"10.1.2.3", "192.168.0.1", "169.254.169.254"}) {
    SCOPED_TRACE(host);
    expect_unanswered(log_of("http://" + std::string{host} + "/hook"),
                      "policy");
  }
  EXPECT_EQ(sink.connections(), 0U);
}

TEST_F(OutcomeTest, AllowsOnlyTheNetworkThatIsNamed) {
  serve({"--schedule", "100ms", "--allow-network", "127.0.0.1/32"}, false);
  http_sink sink;
  const auto port = std::to_string(sink.port());
  const auto hook = add_webhook("acme", {.url = sink.url()});
  publish();
  EXPECT_TRUE(flag_of(wait_for_calls("acme", hook, 1)[0], "success"));
  expect_unanswered(log_of("http://127.0.0.2:" + port + "/"), "policy");
}

} // namespace

} // namespace fanfare::test
