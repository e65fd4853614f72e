// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/api_client.hpp"

#include "tests/support/http_sink.hpp"

#include <gmock/gmock.h>

namespace fanfare::protocol {

namespace {

using namespace std::chrono_literals;
using test::http_sink;
using test::request_record;
using test::response_plan;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

api_client client_of(const http_sink& sink) {
  auto made = api_client::make(
    {.url = sink.url(), .token = "secret", .answer_limit = 1'000});
  return std::move(made).value();
}

TEST(ApiClientTest, SendsItsTokenAndBodyOverOneConnection) {
  http_sink sink{
    [](const request_record&) { return response_plan::answer(201, "made"); }};
  auto client = client_of(sink);
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.send(
      {.method = "POST", .target = "/a/?b=c", .body = "{}"});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201U);
    EXPECT_EQ(answer->body, "made");
    EXPECT_EQ(answer->header("content-LENGTH"), "4");
  }
  ASSERT_THAT(sink.records(), SizeIs(2));
  const auto got = sink.records()[0];
  EXPECT_EQ(got.method, "POST");
  EXPECT_EQ(got.target, "/a/?b=c");
  EXPECT_EQ(got.body, "{}");
  EXPECT_EQ(got.header("Authorization"), "Token secret");
  EXPECT_EQ(got.header("Host"), "127.0.0.1:" + std::to_string(sink.port()));
  EXPECT_EQ(sink.connections(), 1U);
}

TEST(ApiClientTest, RepeatsOnAFreshConnectionOnlyWhatIsSafeToRepeat) {
  const api_request get{.target = "/"};
  const api_request post{.method = "POST", .target = "/", .body = "{}"};
  auto keyed = post;
  keyed.headers = {{"Idempotency-Key", "k"}};
  for (const auto& [request, repeated] :
       {std::pair{get, true}, std::pair{post, false}, std::pair{keyed, true}}) {
    // The second request finds that the connection is gone.
    http_sink sink{[](const request_record& r) {
      return r.number == 1 ? response_plan::closing()
                           : response_plan::answer(200);
    }};
    auto client = client_of(sink);
    ASSERT_TRUE(client.send(get));
    EXPECT_EQ(client.send(request).has_value(), repeated) << request.method;
    EXPECT_EQ(sink.size(), repeated ? 3U : 2U);
  }
}

TEST(ApiClientTest, RepeatsNothingOnAConnectionThatWasNew) {
  http_sink sink{
    [](const request_record&) { return response_plan::closing(); }};
  auto client = client_of(sink);
  const auto answer = client.send({.target = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ec::io_error);
  EXPECT_THAT(answer.error().detail, StartsWith("no answer from "));
  EXPECT_EQ(sink.size(), 1U);
}

TEST(ApiClientTest, HasOneDeadlineForAllOfIt) {
  http_sink sink{[](const request_record&) {
    auto plan = response_plan::answer(200, std::string(500, 'x'));
    plan.drip_size = 1;
    plan.drip_pause = 10ms;
    return plan;
  }};
  auto client = client_of(sink);
  const auto answer = client.send({.target = "/", .timeout = 200ms});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().detail, HasSubstr("no answer in time"));
  // The rest of that answer is not taken for the next one.
  sink.set_handler(
    [](const request_record&) { return response_plan::answer(204); });
  const auto next = client.send({.target = "/"});
  ASSERT_TRUE(next);
  EXPECT_EQ(next->status, 204U);
}

TEST(ApiClientTest, BoundsTheAnswer) {
  http_sink sink{[](const request_record& r) {
    return response_plan::answer(
      200, std::string(r.number == 0 ? 1'000 : 1'001, 'x'));
  }};
  auto client = client_of(sink);
  EXPECT_TRUE(client.send({.target = "/"}));
  const auto answer = client.send({.target = "/"});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().detail, HasSubstr("larger than"));
}

TEST(ApiClientTest, SaysThatItDidNotReachTheServer) {
  std::string url;
  {
    const http_sink sink;
    url = sink.url();
  }
  auto client = api_client::make({.url = url});
  ASSERT_TRUE(client);
  const auto answer = client->send({.target = "/"});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().detail, StartsWith("cannot reach http://127"));
}

TEST(ApiClientTest, TakesOnlyTheAddressOfAServer) {
  EXPECT_EQ(api_origin("HTTP://Example.org/").value(), "http://example.org:80");
  EXPECT_EQ(api_origin("https://[::1]:8443").value(), "https://[::1]:8443");
  for (const auto* wrong :
       {"", "example.org", "ftp://example.org", "http://example.org/api",
        "http://example.org?x", "http://user:pass@example.org",
        "http://example.org:0", "http://a b"}) {
    const auto made = api_client::make({.url = wrong});
    ASSERT_FALSE(made) << wrong;
    EXPECT_EQ(made.error().code, ec::invalid_argument);
    EXPECT_THAT(made.error().detail, ::testing::Not(HasSubstr("pass")));
  }
  EXPECT_FALSE(api_client::make({.url = "http://x", .token = "a\r\nb"}));
  EXPECT_FALSE(
    api_client::make({.url = "https://x", .ca_file = "/no/such/file"}));
}

} // namespace

} // namespace fanfare::protocol
