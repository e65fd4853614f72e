// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/response_head.hpp"

#include "protocol/server/refusal.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare::protocol::server {

namespace {

std::string head_of(const http_response& response,
                    const response_framing& framing = {}) {
  std::string out;
  append_head(out, response, framing);
  return out;
}

TEST(ResponseHeadTest, SaysWhatTheHandlerSaysAndHowLongTheBodyIs) {
  EXPECT_EQ(
    head_of({202, {{"Allow", "GET"}, {"allow", "POST"}}, "12345"},
            {.date = "Date: now\r\n"}),
    "HTTP/1.1 202 Accepted\r\nDate: now\r\nAllow: GET\r\nallow: POST\r\n"
    "Content-Length: 5\r\n\r\n");
}

TEST(ResponseHeadTest, LeavesTheServersOwnHeadersToTheServer) {
  EXPECT_EQ(head_of({200,
                     {{"content-length", "7"},
                      {"Transfer-Encoding", "chunked"},
                      {"DATE", "never"},
                      {"Connection", "keep-alive"},
                      {"", "nameless"}},
                     "ok"}),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
}

TEST(ResponseHeadTest, LetsNoLineBreakIntoAHeader) {
  EXPECT_EQ(head_of({200, {{"A\r\nB", std::string{"c\nd\0e", 5}}}, ""}),
            "HTTP/1.1 200 OK\r\nA  B: c d e\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseHeadTest, HasNoLengthWhereThereIsNoBody) {
  EXPECT_EQ(head_of({204, {}, "x"}), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(head_of({304, {}, "x"}), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(ResponseHeadTest, ClosesIfTheConnectionOrTheHandlerDoes) {
  std::string out;
  EXPECT_TRUE(append_head(out, {200, {}, ""}, {.close = true}));
  EXPECT_TRUE(append_head(out, {200, {{"connection", "Close"}}, ""}, {}));
  EXPECT_FALSE(append_head(out, {200, {{"connection", "upgrade"}}, ""}, {}));
  EXPECT_EQ(head_of({204, {{"Connection", "close"}}, ""},
                    {.announce_keep_alive = true}),
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST(ResponseHeadTest, AnnouncesKeepAliveIfItMust) {
  EXPECT_EQ(head_of({204, {}, ""}, {.announce_keep_alive = true}),
            "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
}

TEST(DateLineTest, IsTheSecondInTheFormOfHttp) {
  date_line date;
  EXPECT_EQ(date.at(784'111'777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(date.at(784'111'778), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  EXPECT_EQ(date.at(0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
}

TEST(RefusalTest, IsJsonAndSaysWhenToTryAgain) {
  const auto refused = to_response({413, "too large"});
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, R"({"detail":"too large"})");
  EXPECT_EQ(refused.headers.size(), 1U);
  for (const std::uint16_t busy : {std::uint16_t{429}, std::uint16_t{503}}) {
    const auto headers = to_response({busy, ""}).headers;
    ASSERT_EQ(headers.size(), 2U);
    EXPECT_EQ(headers.back(),
              (std::pair<std::string, std::string>{"Retry-After", "1"}));
  }
}

} // namespace

} // namespace fanfare::protocol::server
