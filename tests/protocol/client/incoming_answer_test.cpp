// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/incoming_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::protocol {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// An answer and what became of it.
struct reading {
  incoming_answer answer;
  exchange_result result;
  exchange_limits limits;
  bool over = false;
  std::size_t taken = 0; ///< bytes, when it was over

  /// The bytes come in pieces of this size; 0: all at once, as far as there is
  /// room.
  void read(std::string_view bytes, std::size_t piece = 0) {
    answer.begin(result, limits);
    feed(bytes, piece);
  }

  void feed(std::string_view bytes, std::size_t piece = 0) {
    while (!bytes.empty() && !over) {
      const auto space = answer.space();
      ASSERT_GT(space.size(), 0u);
      auto size = std::min(space.size(), bytes.size());
      if (piece > 0)
        size = std::min(size, piece);
      std::memcpy(space.data(), bytes.data(), size);
      bytes.remove_prefix(size);
      taken += size;
      over = answer.take(size) == incoming_answer::progress::over;
    }
  }

  /// The receiver closes the connection.
  void close() {
    if (!std::exchange(over, true))
      answer.end();
  }
};

constexpr std::size_t pieces[] = {0, 1, 2, 3, 7, 20};

TEST(IncomingAnswerTest, ReadsLinesThatMeetTheEndOfAFullBuffer) {
  const std::string chunk = "5;an=extension\r\nhello\r\n";
  // The end of the buffer meets each byte of a chunk.
  for (std::size_t shift = 0; shift < chunk.size(); ++shift) {
    std::string raw = "HTTP/1.1 200 OK\r\nX: " + std::string(shift, 'x')
                    + "\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 1'000; ++i)
      raw += chunk;
    reading r;
    r.read(raw + "0\r\n\r\n");
    EXPECT_TRUE(r.over) << shift;
    EXPECT_EQ(r.result.reason, "") << shift;
    EXPECT_EQ(r.result.response_body.size(), 5'000u) << shift;
    EXPECT_TRUE(r.answer.reusable()) << shift;
  }
}

TEST(IncomingAnswerTest, ReadsEveryFraming) {
  struct row {
    const char* what;
    std::string raw;
    unsigned status;
    const char* body;
    bool reusable;
  };
  const row table[] = {
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
    {"by length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
     true},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n",
     200, "abcdefg", true},
    {"until the end", "HTTP/1.1 202 Accepted\r\n\r\nuntil the end", 202,
     "until the end", false},
    {"close",
     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200,
     "", false},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", 200, "old",
     false},
    {"no reason", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", 200, "x",
     true},
    {"no reason nor space", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200,
     "x", true},
    {"interim answers",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
     "<x>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
     201, "ok", true},
    {"switching protocols",
     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 101, "", false},
    {"a status nobody defined", "HTTP/1.1 799 x\r\nContent-Length: 0\r\n\r\n",
     799, "", true},
  };
  for (const auto& row : table)
    for (const auto piece : pieces) {
      reading it;
      it.read(row.raw, piece);
      it.close();
      EXPECT_EQ(it.result.status, row.status)
        << row.what << ": " << it.result.reason;
      EXPECT_EQ(it.result.response_body, row.body) << row.what;
      EXPECT_EQ(it.result.reason.empty(), row.status != 101) << row.what;
      EXPECT_THAT(it.result.response_head, Not(HasSubstr("Link")));
      EXPECT_EQ(it.answer.reusable(), row.reusable) << row.what;
      // What a protocol that nobody asked for says is not waited for.
      EXPECT_TRUE(it.answer.received()
                    == row.raw.size() - row.raw.rfind("HTTP/1.")
                  || row.status == 101)
        << row.what;
    }
}

TEST(IncomingAnswerTest, RefusesWhatHasNoStatusLine) {
  const std::pair<std::string, const char*> table[] = {
    {"SSH-2.0-OpenSSH_9.2\r\n", "does not begin with HTTP/1"},
    {"220 mail ESMTP\r\n", "does not begin with HTTP/1"},
    {"HTTP/2.0 200 OK\r\n\r\n", "does not begin with HTTP/1"},
    {"HTTP/1.1 2x0 OK\r\n\r\n", "has no status"},
    {"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", "status below 100"},
    {"HTTP/1.1 200 O", "closed within the status line"},
  };
  for (const auto& [raw, because] : table)
    for (const auto piece : pieces) {
      reading it;
      it.read(raw, piece);
      it.close();
      EXPECT_EQ(it.result.status, 0) << raw;
      EXPECT_THAT(it.result.reason,
                  AllOf(StartsWith("malformed answer: "), HasSubstr(because),
                        Not(HasSubstr("\n"))))
        << raw;
      EXPECT_FALSE(it.answer.reusable()) << raw;
    }
}

TEST(IncomingAnswerTest, DoesNotWaitForTheEndOfGarbage) {
  reading it;
  it.read("220 mail.example ESMTP\r\n", 1);
  EXPECT_TRUE(it.over);
  EXPECT_EQ(it.taken, 1u);
}

TEST(IncomingAnswerTest, SaysWhereABrokenConnectionCutIt) {
  const std::pair<std::string, const char*> table[] = {
    {"HTTP/1.1 200 OK\r\nX", "head cut: it broke"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
     "body cut after 3 of 9 bytes: it broke"},
    {"HTTP/1.1 200 OK\r\n\r\nabc", "body cut after 3 bytes: it broke"},
  };
  for (const auto& [raw, reason] : table) {
    reading it;
    it.read(raw);
    ASSERT_FALSE(it.over);
    it.answer.cut("it broke");
    EXPECT_EQ(it.result.status, 200);
    EXPECT_EQ(it.result.reason, reason);
    EXPECT_FALSE(it.answer.reusable());
  }
}

TEST(IncomingAnswerTest, TakesTheAnswerBehindManyInterimOnes) {
  for (const auto piece : pieces) {
    std::string raw;
    for (int i = 0; i < 100; ++i)
      raw += "HTTP/1.1 100 Continue\r\n\r\n";
    raw += "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    reading it;
    it.read(raw, piece);
    EXPECT_TRUE(it.over);
    EXPECT_EQ(it.result.status, 200);
    EXPECT_EQ(it.result.reason, "");
    EXPECT_TRUE(it.answer.reusable());
  }
}

TEST(IncomingAnswerTest, CutsALargeBodyAndStaysSuccessful) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n";
  for (const auto piece : pieces) {
    reading exact;
    exact.limits.keep_limit = 10;
    exact.limits.body_limit = 20'000;
    exact.read(head + std::string(20'000, 'x'), piece);
    EXPECT_TRUE(exact.over);
    EXPECT_EQ(exact.result.status, 200);
    EXPECT_EQ(exact.result.reason, "");
    EXPECT_EQ(exact.result.response_body, std::string(10, 'x'));
    EXPECT_TRUE(exact.answer.reusable());
    reading beyond;
    beyond.limits.body_limit = 19'999;
    beyond.read(head + std::string(20'000, 'x'), piece);
    EXPECT_TRUE(beyond.over);
    EXPECT_EQ(beyond.result.status, 200);
    EXPECT_EQ(beyond.result.reason, "too large: body cut at 19999 bytes");
    EXPECT_EQ(beyond.result.response_body, std::string(16 * 1024, 'x'));
    EXPECT_FALSE(beyond.answer.reusable());
  }
}

TEST(IncomingAnswerTest, ReadsNoFurtherThanItsLimits) {
  reading body;
  body.read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  while (!body.over && body.taken < 1'000'000)
    body.feed("5\r\nhello\r\n");
  EXPECT_EQ(body.result.status, 200);
  EXPECT_EQ(body.result.reason, "too large: body cut at 65536 bytes");
  EXPECT_LT(body.taken, 65'536u + 100);
  // Many fields, one field, one line.
  const std::pair<const char*, const char*> heads[] = {
    {"HTTP/1.1 200 OK\r\n", "X: 0123456789\r\n"},
    {"HTTP/1.1 200 OK\r\nX: ", "0123456789"},
    {"HTTP/1.1 200 ", "0123456789"}};
  for (const auto& [start, repeated] : heads) {
    reading head;
    head.read(start);
    while (!head.over && head.taken < 1'000'000)
      head.feed(repeated);
    EXPECT_EQ(head.result.status, 200);
    EXPECT_EQ(head.result.reason,
              std::string_view{start}.find('\n') != std::string_view::npos
                ? "too large: head cut at 16384 bytes"
                : "head cut: its status line exceeds 8192 bytes");
    EXPECT_LT(head.taken, 16'384u + 100);
    EXPECT_LE(head.result.response_head.size(), 8u * 1024);
  }
}

TEST(IncomingAnswerTest, TakesAHeadLargerThanItsBuffer) {
  const std::string raw = "HTTP/1.1 200 OK\r\nX-Long: "
                        + std::string(30'000, 'y')
                        + "\r\nX-Short: 1\r\nContent-Length: 2\r\n\r\nok";
  reading it;
  it.limits.head_limit = 64 * 1024;
  for (const auto piece : {0u, 999u, 8'192u}) {
    it.over = false;
    it.result = {};
    it.read(raw, piece);
    EXPECT_EQ(it.result.status, 200) << it.result.reason;
    EXPECT_EQ(it.result.response_body, "ok");
    EXPECT_THAT(it.result.response_head, HasSubstr("X-Short: 1\r\n"));
    EXPECT_LE(it.result.response_head.size(), 8u * 1024);
    EXPECT_TRUE(it.answer.reusable());
    it.answer.clear();
    EXPECT_EQ(it.answer.space().size(), answer_buffer::capacity);
  }
}

TEST(IncomingAnswerTest, TakesTheStatusOfALineLargerThanItsBuffer) {
  const std::string line = "HTTP/1.1 410 " + std::string(9'000, 'a');
  for (const auto piece : pieces) {
    reading it;
    it.read(line + "\r\nContent-Length: 2\r\n\r\nno", piece);
    EXPECT_TRUE(it.over);
    EXPECT_EQ(it.result.status, 410);
    EXPECT_EQ(it.result.response_body, "no");
    EXPECT_THAT(it.result.reason, StartsWith("head cut"));
    EXPECT_FALSE(it.answer.reusable());
    reading endless;
    endless.read(line, piece);
    EXPECT_FALSE(endless.over);
    endless.close();
    EXPECT_EQ(endless.result.status, 410);
    reading narrow;
    narrow.limits.head_limit = 256;
    narrow.read(line, piece);
    EXPECT_TRUE(narrow.over);
    EXPECT_EQ(narrow.result.status, 410);
    EXPECT_EQ(narrow.result.reason, "too large: head cut at 256 bytes");
  }
}

TEST(IncomingAnswerTest, IsNotReusableIfMoreComesThanItsEnd) {
  reading it;
  it.read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 x\r\n");
  EXPECT_TRUE(it.over);
  EXPECT_EQ(it.result.status, 200);
  EXPECT_EQ(it.result.response_body, "ok");
  EXPECT_FALSE(it.answer.reusable());
}

} // namespace
} // namespace fanfare::protocol
