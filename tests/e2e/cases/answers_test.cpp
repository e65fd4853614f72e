// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What receivers answer that is not quite HTTP, and what the log makes of it.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <ostream>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// An answer, byte for byte, and how it is logged.
struct answer_case {
  std::string name = {};
  std::string raw = {};
  unsigned status = 200; ///< 0: a failure without one
  std::string reason = {};
  response_plan::ending after = response_plan::ending::close;
  std::size_t drip_size = 0;
  std::chrono::milliseconds drip_pause{0};

  friend void PrintTo(const answer_case& row, std::ostream* out) {
    *out << row.name;
  }
};

constexpr auto stays_open = response_plan::ending::keep_alive;

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i)
    out += text;
  return out;
}

class AnswersTest : public E2eTest {
protected:
  hook_id serve(const http_sink& sink, json::object delivery = {}) {
    start({"--schedule", "1h"});
    add_organizer("acme");
    return add_webhook("acme",
                       {.url = sink.url(), .delivery = std::move(delivery)});
  }

  static response_plan saying(std::string raw) {
    return response_plan::bytes(std::move(raw));
  }
};

class AnswerTest : public AnswersTest,
                   public ::testing::WithParamInterface<answer_case> {};

TEST_P(AnswerTest, IsLoggedAsWhatItIs) {
  const auto& row = GetParam();
  http_sink sink{[&](const request_record&) {
    response_plan plan;
    plan.raw = row.raw;
    plan.after = row.after;
    plan.drip_size = row.drip_size;
    plan.drip_pause = row.drip_pause;
    return plan;
  }};
  const auto hook = serve(sink, {{"timeouts", {{"total", 1}}}});
  publish();
  const auto entry = wait_for_calls("acme", hook, 1)[0];
  EXPECT_EQ(number_of(entry, "return_code"), row.status);
  EXPECT_EQ(flag_of(entry, "success"), row.status == 200);
  if (row.reason.empty()) {
    EXPECT_EQ(text_of(entry, "reason"), "");
  } else {
    EXPECT_THAT(text_of(entry, "reason"), HasSubstr(row.reason));
  }
  EXPECT_FALSE(flag_of(entry, "repeated"));
  EXPECT_EQ(sink.size(), 1U);
}

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string ok_body = "Content-Length: 2\r\n\r\nok";

const answer_case successes[] = {
  {.name = "BodyIsShort",
   .raw = ok + "Content-Length: 3\r\n\r\nok",
   .reason = "body ended after 2 of 3 bytes"},
  {.name = "SilenceWithinTheBody",
   .raw = ok + "\r\none line\n",
   .reason = "timeout: ",
   .after = stays_open},
  {.name = "ChunksWithoutEnd",
   .raw = ok + "Transfer-Encoding: chunked\r\n\r\n"
        + repeated("2\r\nok\r\n", 100),
   .reason = "timeout: ",
   .drip_size = 7,
   .drip_pause = 50ms},
  {.name = "LengthThenChunked",
   .raw = ok
        + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2\r\nok\r\n0\r\n\r\n",
   .after = stays_open},
  {.name = "ChunkedThenLength",
   .raw = ok
        + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
          "2\r\nok\r\n0\r\n\r\n",
   .after = stays_open},
  {.name = "SpaceBeforeTheColon", .raw = ok + "X-A : 1\r\n" + ok_body},
  {.name = "WarningOfPhp",
   .raw = ok + "PHP Warning:  x in /y.php on line 3\r\n" + ok_body},
  {.name = "SpaceWithinAName", .raw = ok + "X Y: 1\r\n" + ok_body},
  {.name = "ControlByteWithinAValue", .raw = ok + "X: a\x01z\r\n" + ok_body},
  {.name = "OneBareLineFeed", .raw = "HTTP/1.1 200 OK\n" + ok_body},
  {.name = "OnlyBareLineFeeds",
   .raw = "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"},
  {.name = "SpaceBehindAChunkSize",
   .raw = ok + "Transfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n"},
  {.name = "ConnectionWithParameters",
   .raw = ok + "Connection: keep-alive; timeout=5\r\n" + ok_body},
  {.name = "ManyInterimAnswers",
   .raw = repeated("HTTP/1.1 102 Processing\r\n\r\n", 40) + ok + ok_body},
  {.name = "NineKibibytesOfHead",
   .raw = ok + repeated("X-Long: " + std::string(1014, 'x') + "\r\n", 9)
        + ok_body,
   .reason = "head cut in the log",
   .after = stays_open},
  {.name = "SeventeenKibibytesOfHead",
   .raw = ok + repeated("X-Long: " + std::string(1014, 'x') + "\r\n", 17)
        + ok_body,
   .reason = "head cut"},
};

const answer_case failures[] = {
  {.name = "LastChunkIsMissing",
   .raw = "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2\r\nno\r\n",
   .status = 401,
   .reason = "answered 401"},
  {.name = "CutStatusLine",
   .raw = "HTTP/1.1 20",
   .status = 0,
   .reason = "status line"},
  {.name = "LongStatusLine",
   .raw = "HTTP/1.1 500 " + std::string(9'000, 'a') + "\r\n" + ok_body,
   .status = 500,
   .reason = "answered 500; head cut"},
  {.name = "ClosedAfterAnInterimAnswer",
   .raw = "HTTP/1.1 100 Continue\r\n\r\n",
   .status = 0,
   .reason = "connection closed after an interim answer"},
  {.name = "StatusBelow100",
   .raw = "HTTP/1.1 099 x\r\n" + ok_body,
   .status = 0,
   .reason = "status below 100"},
  {.name = "SwitchesProtocols",
   .raw = "HTTP/1.1 101 x\r\n\r\n",
   .status = 101,
   .reason = "switched to another protocol"},
  {.name = "SettingsOfHttp2",
   .raw = std::string{"\0\0\0\x04\0\0\0\0\0", 9},
   .status = 0,
   .reason = "HTTP/2"},
};

const auto name_of = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Success, AnswerTest, ::testing::ValuesIn(successes),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Failure, AnswerTest, ::testing::ValuesIn(failures),
                         name_of);

// -- what more comes of it ----------------------------------------------------

TEST_F(AnswersTest, A410WithABrokenBodyDisables) {
  http_sink sink{[](const request_record&) {
    return saying("HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nno\r\n");
  }};
  const auto hook = serve(sink);
  publish();
  const auto entry = wait_for_calls("acme", hook, 1)[0];
  EXPECT_EQ(number_of(entry, "return_code"), 410U);
  EXPECT_TRUE(eventually(
    patience, [&] { return !flag_of(webhook("acme", hook), "enabled"); }));
}

TEST_F(AnswersTest, A503WithAShortBodyHoldsForAsLongAsItSays) {
  http_sink sink{[](const request_record&) {
    return saying("HTTP/1.1 503 x\r\nRetry-After: 30\r\nContent-Length: 9\r\n"
                  "\r\nx");
  }};
  const auto hook = serve(sink);
  publish();
  const auto entry = wait_for_calls("acme", hook, 1)[0];
  EXPECT_EQ(number_of(entry, "return_code"), 503U);
  publish();
  json::value state;
  ASSERT_TRUE(eventually(patience, [&] {
    state = health("acme", hook);
    return state.at("held_by") == "retry_after";
  }));
  const auto until = milliseconds_of(text_of(state, "held_until"));
  const auto began = milliseconds_of(text_of(entry, "datetime"));
  EXPECT_GE(until, began + 30'000);
  EXPECT_LT(until, began + 45'000);
  EXPECT_EQ(sink.size(), 1U);
}

TEST_F(AnswersTest, AConnectionWithTwoLengthsIsNotUsedAgain) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.raw = ok
             + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
               "2\r\nok\r\n0\r\n\r\n";
    return plan;
  }};
  const auto hook = serve(sink);
  for (std::size_t i = 1; i <= 3; ++i) {
    publish();
    wait_for_calls("acme", hook, i);
  }
  EXPECT_EQ(sink.connections(), 3U);
}

TEST_F(AnswersTest, ALineEndBehindABodyBelongsToNoCall) {
  constexpr std::size_t count = 30;
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.raw = ok + ok_body + "\r\n";
    plan.drip_size = plan.raw->size() - 2;
    plan.drip_pause = 2ms;
    return plan;
  }};
  // One after the other, each right behind the one before.
  const auto hook = serve(sink, {{"ordered", true}});
  for (std::size_t i = 0; i < count; ++i)
    publish();
  for (const auto& entry : wait_for_calls("acme", hook, count)) {
    EXPECT_TRUE(flag_of(entry, "success")) << text_of(entry, "reason");
    EXPECT_EQ(number_of(entry, "attempt"), 1U);
  }
  EXPECT_EQ(sink.size(), count);
}

TEST_F(AnswersTest, A408ForAnIdleConnectionIsNoFailure) {
  http_sink sink{[](const request_record& request) {
    if (request.number == 1)
      return saying(
        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
    if (request.number == 3) // which need not say so
      return saying(
        "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    return response_plan{};
  }};
  const auto hook = serve(sink);
  publish();
  wait_for_calls("acme", hook, 1);
  for (const std::size_t calls : {2, 3}) {
    publish();
    const auto log = wait_for_calls("acme", hook, calls);
    EXPECT_EQ(number_of(log[calls - 1], "return_code"), 200U);
    EXPECT_TRUE(flag_of(log[calls - 1], "repeated"));
    EXPECT_EQ(sink.size(), 2 * calls - 1);
  }
}

} // namespace

} // namespace fanfare::test
