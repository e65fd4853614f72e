// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/answer_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

namespace {

using testing::HasSubstr;
using namespace std::string_literals;

struct outcome_of_reading {
  std::uint16_t status = 0;
  std::string reason;
  std::string head;
  std::string body;
  std::string retry_after;
  bool done = false;
  bool reusable = false;
  std::size_t left = 0; ///< bytes behind the answer

  bool operator==(const outcome_of_reading&) const = default;
};

std::ostream& operator<<(std::ostream& out, const outcome_of_reading& o) {
  return out << o.status << " '" << o.reason << "' head '" << o.head
             << "' body '" << o.body << "' retry-after '" << o.retry_after
             << "' done " << o.done << " reusable " << o.reusable << " left "
             << o.left;
}

enum class ending { open, closed, late };

/// Reads as a connection does: pieces of the given sizes (the last one is
/// repeated) into a buffer of `capacity` bytes.
outcome_of_reading read(std::string_view bytes, ending how = ending::closed,
                        std::vector<std::size_t> pieces = {100'000},
                        std::size_t capacity = 8 * 1024,
                        const exchange_limits& limits = {}) {
  exchange_result out;
  answer_parser parser{out, limits};
  std::string buffer;
  std::size_t piece = 0;
  while (!parser.done() && !bytes.empty()) {
    const auto size = std::min({pieces[std::min(piece++, pieces.size() - 1)],
                                bytes.size(), capacity - buffer.size()});
    buffer += bytes.substr(0, size);
    bytes.remove_prefix(size);
    buffer.erase(0, parser.take(buffer, buffer.size() == capacity));
    EXPECT_TRUE(parser.done() || buffer.size() < capacity)
      << "no room for more";
    if (buffer.size() >= capacity)
      break;
  }
  if (how == ending::closed)
    parser.end(buffer);
  else if (how == ending::late)
    parser.cut("timeout: too late");
  return {.status = out.status,
          .reason = out.reason,
          .head = out.response_head,
          .body = out.response_body,
          .retry_after = out.retry_after,
          .done = parser.done(),
          .reusable = parser.reusable(),
          .left = bytes.size() + buffer.size()};
}

constexpr std::string_view plain = "HTTP/1.1 200 OK\r\n"
                                   "Content-Length: 2\r\n"
                                   "\r\n"
                                   "ok";

} // namespace

TEST(AnswerParserTest, ReadsAPlainAnswerAndWantsItsConnectionBack) {
  EXPECT_EQ(read(plain, ending::open),
            (outcome_of_reading{.status = 200,
                                .head = "Content-Length: 2\r\n",
                                .body = "ok",
                                .done = true,
                                .reusable = true}));
}

TEST(AnswerParserTest, LeavesWhatIsBehindTheAnswer) {
  auto bytes = std::string{plain};
  bytes += "\r\n";
  const auto got = read(bytes, ending::open);
  EXPECT_EQ(got.left, 2u);
  EXPECT_TRUE(got.done);
}

TEST(AnswerParserTest, IsNotDoneBeforeTheEnd) {
  for (std::size_t size = 0; size < plain.size(); ++size)
    EXPECT_FALSE(read(plain.substr(0, size), ending::open).done) << size;
}

// -- the verdict --------------------------------------------------------------

namespace {

struct verdict_case {
  std::string_view name;
  std::string bytes;
  std::uint16_t status;
  std::string_view body;
  std::string_view reason; ///< a part of it; empty: there is none
  bool reusable = false;
};

void PrintTo(const verdict_case& one, std::ostream* out) {
  *out << testing::PrintToString(one.bytes);
}

} // namespace

class AnswerVerdictTest : public testing::TestWithParam<verdict_case> {};

TEST_P(AnswerVerdictTest, IsThatOfTheStatusLine) {
  const auto& wanted = GetParam();
  const auto got = read(wanted.bytes);
  EXPECT_EQ(got.status, wanted.status) << got;
  EXPECT_EQ(got.body, wanted.body) << got;
  EXPECT_EQ(got.reusable, wanted.reusable) << got;
  if (wanted.reason.empty())
    EXPECT_EQ(got.reason, "");
  else
    EXPECT_THAT(got.reason, HasSubstr(wanted.reason));
}

TEST_P(AnswerVerdictTest, DoesNotDependOnHowTheBytesArrive) {
  const auto& bytes = GetParam().bytes;
  const auto whole = read(bytes);
  EXPECT_EQ(read(bytes, ending::closed, {1}), whole);
  for (std::size_t first = 1; first < bytes.size(); ++first)
    EXPECT_EQ(read(bytes, ending::closed, {first, 100'000}), whole) << first;
}

static const verdict_case verdicts[] = {
  {"ShortBody", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", 200, "ok",
   "body ended after 2 of 3 bytes"},
  {"UntilClose", "HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it", ""},
  {"NoHead", "HTTP/1.1 200 OK\r\n", 200, "", "head ended early"},
  {"HalfAField", "HTTP/1.1 410 Gone\r\nContent-Le", 410, "",
   "head ended early"},
  {"NoLastChunk",
   "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n"
   "2\r\nno\r\n",
   410, "no", "body ended after 2 bytes, before its last chunk"},
  {"NoChunk", "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n",
   401, "", "body ended after 0 bytes, before its last chunk"},
  {"LengthThenChunked",
   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
   "Transfer-Encoding: chunked\r\n\r\n"
   "2\r\nok\r\n0\r\n\r\n",
   200, "ok", ""},
  {"ChunkedThenLength",
   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
   "Content-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
   200, "ok", ""},
  {"SameLengthTwice",
   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
   "Content-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"LengthList", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", 200, "ok",
   "", true},
  {"TwoLengths",
   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
   "Content-Length: 3\r\n\r\n",
   200, "", "its Content-Length is unclear"},
  {"LengthInWords", "HTTP/1.1 201 Made\r\nContent-Length: two\r\n\r\n", 201, "",
   "its Content-Length is unclear"},
  {"NegativeLength", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 200, "",
   "its Content-Length is unclear"},
  {"HugeLength",
   "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n"
   "\r\n",
   200, "", "its Content-Length is unclear"},
  {"ChunkedTwice",
   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
   "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
   200, "ok", "", true},
  {"Coded", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nzzz", 200, "zzz",
   ""},
  {"BlankBeforeColon",
   "HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 2\r\n"
   "\r\nok",
   200, "ok", ""},
  {"PhpWarning",
   "HTTP/1.1 200 OK\r\nPHP Warning:  x in /y.php on line 3\r\n"
   "Content-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"NoColon",
   "HTTP/1.1 200 OK\r\nWarning in y.php\r\nContent-Length: 2\r\n"
   "\r\nok",
   200, "ok", "no field was left out"},
  {"NoName", "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
   "no field was left out"},
  {"BlankInName", "HTTP/1.1 200 OK\r\nX Y: 1\r\nContent-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"ControlByte", "HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"NonAscii", "HTTP/1.1 200 OK\r\nX-\xfc: \xff\r\nContent-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"NonAsciiReason",
   "HTTP/1.1 500 Erreur int\xe9rieure\r\n"
   "Content-Length: 0\r\n\r\n",
   500, "", "", true},
  {"BareLfAfterStatus", "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok", 200,
   "ok", ""},
  {"BareLf", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok", ""},
  {"BareLfChunks",
   "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n", 200, "ok",
   ""},
  {"BlankBehindChunkSize",
   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
   "\r\n2 \r\nok\r\n0\r\n\r\n",
   200, "ok", ""},
  {"ChunkExtension",
   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
   "2;a=\"b\"\r\nok\r\n0\r\n\r\n",
   200, "ok", "", true},
  {"Trailers",
   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
   "2\r\nok\r\n0\r\nX-Sum: 1\r\nConnection: close\r\n\r\n",
   200, "ok", "", true},
  {"NoChunkSize",
   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
   "2\r\nok\r\n\r\nxyz\r\n",
   200, "ok", "its chunks cannot be told apart"},
  {"ChunkOverrun",
   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
   "2\r\nokay\r\n0\r\n\r\n",
   200, "ok", "its chunks cannot be told apart"},
  {"HugeChunk",
   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
   "11111111111111111\r\nok",
   200, "", "its chunks cannot be told apart"},
  {"OddConnection",
   "HTTP/1.1 200 OK\r\nConnection: keep-alive; timeout=5\r\n"
   "Content-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"Close",
   "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n"
   "\r\nok",
   200, "ok", ""},
  {"OldVersion", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
   ""},
  {"OldVersionKept",
   "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n"
   "Content-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"NoReason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, "ok", "",
   true},
  {"EmptyReason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, "ok", "",
   true},
  {"EmptyLinesBefore", "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"Interim",
   "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
   200, "ok", "", true},
  {"OddInterim",
   "HTTP/1.1 100 Continue\r\nno field\r\n\r\n"
   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
   200, "ok", "no field was left out"},
  {"Folded", "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length:\r\n 2\r\n\r\nok",
   200, "ok", ""},
  {"FoldedAtOnce", "HTTP/1.1 200 OK\r\n X: 1\r\nContent-Length: 2\r\n\r\nok",
   200, "ok", "no field was left out"},
  {"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", "", true},
  {"NoContentWithLength",
   "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", ""},
  {"ResetContent", "HTTP/1.1 205 Reset Content\r\n\r\n", 205, "", ""},
  {"Unknown", "HTTP/1.1 799 ?\r\nContent-Length: 0\r\n\r\n", 799, "", "", true},
  {"SwitchingProtocols", "HTTP/1.1 101 x\r\n\r\n", 101, "",
   "switched to another protocol"},
  {"None", "", 0, "", "reset: connection closed before an answer"},
  {"CutStatusLine", "HTTP/1.1 200 O", 0, "",
   "malformed answer: connection closed within the status line"},
  {"OnlyEmptyLines", "\r\n\n\r\n", 0, "",
   "reset: connection closed before an answer"},
  {"HalfAnEmptyLine", "\r", 0, "", "reset: connection closed before an answer"},
  {"OnlyInterim", "HTTP/1.1 100 Continue\r\n\r\n", 0, "",
   "reset: connection closed after an interim answer"},
  {"EmptyLineBehindInterim", "HTTP/1.1 100 Continue\r\n\r\n\r\n", 0, "",
   "reset: connection closed after an interim answer"},
  {"CutStatusLineBehindInterim", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 2",
   0, "", "malformed answer: connection closed within the status line"},
  {"CutInterim", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n", 0, "",
   "malformed answer: connection closed within the head"},
  {"BelowHundred", "HTTP/1.1 099 x\r\n\r\n", 0, "",
   "malformed answer: status below 100"},
  {"FourDigits", "HTTP/1.1 2000 OK\r\n\r\n", 0, "", "has no status"},
  {"TwoDigits", "HTTP/1.1 20 OK\r\n\r\n", 0, "", "has no status"},
  {"Words", "HTTP/1.1 OK\r\n\r\n", 0, "", "has no status"},
  {"OtherProtocol", "SSH-2.0-OpenSSH_9.2\r\n", 0, "",
   "it does not begin with HTTP/1"},
  {"TextualHttp2", "HTTP/2 200\r\n\r\n", 0, "",
   "it does not begin with HTTP/1"},
  {"Http2Frame", "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x80"s, 0, "",
   "speaks HTTP/2 only"},
  {"TlsAlert", "\x15\3\3\0\2\2\x46"s, 0, "", "tls: the receiver speaks TLS"},
  {"Zeros", "\0\0\0\0\0\0\0\0\0\0"s, 0, "", "it does not begin with HTTP/1"},
};

INSTANTIATE_TEST_SUITE_P(, AnswerVerdictTest, testing::ValuesIn(verdicts),
                         [](const auto& one) {
                           return std::string{one.param.name};
                         });

TEST(AnswerParserTest, LetsARetryAfterCountAlthoughTheBodyIsShort) {
  const auto got = read("HTTP/1.1 503 Busy\r\nRetry-After: 30\r\n"
                        "Content-Length: 9\r\n\r\nx");
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.retry_after, "30");
}

TEST(AnswerParserTest, ForgetsTheFieldsOfInterimAnswers) {
  const auto got = read("HTTP/1.1 103 Early Hints\r\nRetry-After: 30\r\n"
                        "Connection: close\r\nTransfer-Encoding: chunked\r\n"
                        "\r\n"
                        + std::string{plain});
  EXPECT_EQ(got.retry_after, "");
  EXPECT_EQ(got.head, "Content-Length: 2\r\n");
  EXPECT_EQ(got.body, "ok");
  EXPECT_TRUE(got.reusable);
}

TEST(AnswerParserTest, WhatComesBeforeTheAnswerIsNoPartOfItsHead) {
  const auto storm = [](std::size_t size, std::string_view one) {
    std::string bytes;
    while (bytes.size() < size)
      bytes += one;
    return bytes;
  };
  exchange_limits limits;
  limits.head_limit = 256;
  const std::string befores[] = {
    storm(20'000, "HTTP/1.1 102 Processing\r\n\r\n"), storm(20'000, "\r\n"),
    "HTTP/1.1 103 Early Hints\r\nLink: " + std::string(20'000, 'x')
      + "\r\n\r\n"};
  for (const auto& before : befores) {
    const auto got = read(before + std::string{plain}, ending::open, {100'000},
                          8'192, limits);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.reason, "");
    EXPECT_EQ(got.body, "ok");
  }
  const auto cut = read(
    befores[0] + "HTTP/1.1 200 OK\r\nX: " + std::string(300, 'x') + "\r\n\r\n",
    ending::open, {100'000}, 8'192, limits);
  EXPECT_EQ(cut.status, 200);
  EXPECT_EQ(cut.reason, "too large: head cut at 256 bytes")
    << "of the answer itself";
  for (const auto* one : {"HTTP/1.1 102 Processing\r\n\r\n", "\r\n"}) {
    const auto endless = read(storm(1'100'000, one) + std::string{plain},
                              ending::open, {100'000}, 8'192, limits);
    EXPECT_EQ(endless.status, 0);
    EXPECT_THAT(endless.reason, HasSubstr("too large: what comes before"));
  }
}

TEST(AnswerParserTest, KeepsNoBytesInTheLogThatCouldEndAFieldThere) {
  const auto got = read("HTTP/1.1 200 OK\r\nX: a\rb\0c\r\nContent-Length: 0\r\n"
                        "\r\n"s);
  EXPECT_EQ(got.head, "X: a b c\r\nContent-Length: 0\r\n");
  EXPECT_FALSE(got.reusable);
}

// -- time ---------------------------------------------------------------------

TEST(AnswerParserTest, StandsAlthoughTheRestNeverComes) {
  for (const std::string_view rest :
       {"Content-Length: 9\r\n\r\nok", "\r\nok",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"}) {
    const auto got = read("HTTP/1.1 200 OK\r\n" + std::string{rest},
                          ending::late);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "ok");
    EXPECT_THAT(got.reason, HasSubstr("body cut after 2"));
    EXPECT_THAT(got.reason, HasSubstr("timeout: too late"));
    EXPECT_FALSE(got.reusable);
  }
  const auto head = read("HTTP/1.1 200 OK\r\nX: 1\r\n", ending::late);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.reason, "head cut: timeout: too late");
}

TEST(AnswerParserTest, IsAFailureIfTheStatusLineIsLate) {
  for (const std::string_view bytes : {"", "HTTP/1.1 20", "\r\n"}) {
    const auto got = read(bytes, ending::late);
    EXPECT_EQ(got.status, 0);
    EXPECT_EQ(got.reason, "timeout: too late");
  }
}

// -- limits -------------------------------------------------------------------

TEST(AnswerParserTest, TakesAHeadUpToItsLimitAndCutsItThere) {
  const std::string head = "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 2\r\n"
                           "\r\n";
  exchange_limits limits;
  limits.head_limit = head.size();
  const auto whole = read(head + "ok", ending::closed, {100'000}, 8'192,
                          limits);
  EXPECT_EQ(whole.reason, "");
  EXPECT_EQ(whole.body, "ok");
  limits.head_limit = head.size() - 1;
  const auto cut = read(head + "ok", ending::closed, {100'000}, 8'192, limits);
  EXPECT_EQ(cut.status, 200);
  EXPECT_THAT(cut.reason, HasSubstr("too large: head cut at"));
  EXPECT_EQ(cut.head, "X: 1\r\nContent-Length: 2\r\n");
  EXPECT_FALSE(cut.reusable);
}

TEST(AnswerParserTest, TakesTheStatusOfALineThatIsLongerThanTheHeadMayBe) {
  exchange_limits limits;
  limits.head_limit = 100;
  for (const std::size_t piece : {1u, 7u, 100'000u}) {
    const auto got = read("HTTP/1.1 410 " + std::string(1'000, 'x') + "\r\n",
                          ending::open, {piece}, 8'192, limits);
    EXPECT_TRUE(got.done);
    EXPECT_EQ(got.status, 410);
    EXPECT_EQ(got.reason, "too large: head cut at 100 bytes");
    EXPECT_FALSE(got.reusable);
  }
}

TEST(AnswerParserTest, TakesNoStatusThatTheLimitOfTheHeadMayHaveCut) {
  exchange_limits limits;
  for (const std::string_view line :
       {"HTTP/1.1 2000 OK", "HTTP/1.1 103 Early Hints", "HTTP/1.1 20x OK"})
    for (limits.head_limit = 1; limits.head_limit < line.size();
         ++limits.head_limit) {
      const auto got = read(line, ending::open, {100'000}, 8'192, limits);
      EXPECT_TRUE(got.done);
      EXPECT_EQ(got.status, 0);
      EXPECT_THAT(got.reason, HasSubstr("too large: the head"));
    }
}

TEST(AnswerParserTest, TakesABodyUpToItsLimitAndCutsItThere) {
  exchange_limits limits;
  limits.body_limit = 10;
  for (const std::string_view way : {"Content-Length: 10\r\n", ""}) {
    const auto head = "HTTP/1.1 200 OK\r\n" + std::string{way} + "\r\n";
    const auto got = read(head + "0123456789", ending::closed, {100'000}, 8'192,
                          limits);
    EXPECT_EQ(got.body, "0123456789");
    EXPECT_EQ(got.reason, "");
  }
  for (const std::string_view way : {"Content-Length: 11\r\n", ""}) {
    const auto head = "HTTP/1.1 200 OK\r\n" + std::string{way} + "\r\n";
    const auto got = read(head + "01234567890", ending::open, {100'000}, 8'192,
                          limits);
    EXPECT_TRUE(got.done);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "0123456789");
    EXPECT_EQ(got.reason, "too large: body cut at 10 bytes");
    EXPECT_FALSE(got.reusable);
  }
}

TEST(AnswerParserTest, CountsWhatChunksCostAgainstTheLimitOfTheBody) {
  exchange_limits limits;
  limits.body_limit = 1'000;
  std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 1'000; ++i)
    bytes += "1;extension\r\nx\r\n";
  const auto got = read(bytes, ending::open, {100'000}, 8'192, limits);
  EXPECT_TRUE(got.done);
  EXPECT_EQ(got.status, 200);
  EXPECT_LT(got.body.size(), 100u);
  EXPECT_EQ(got.reason, "too large: body cut at 1000 bytes");
}

TEST(AnswerParserTest, KeepsAnExcerptOfTheBody) {
  exchange_limits limits;
  limits.keep_limit = 3;
  const auto got = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345",
                        ending::open, {2}, 8'192, limits);
  EXPECT_EQ(got.body, "123");
  EXPECT_TRUE(got.reusable);
}

TEST(AnswerParserTest, DropsTheEndOfALineThatItsBufferCannotHold) {
  const auto got = read("HTTP/1.1 200 OK\r\nX: " + std::string(100, 'x')
                          + "\r\nT-E: 1\r\nTransfer-Encoding: chunked\r\n\r\n2;"
                          + std::string(100, 'e') + "\r\nok\r\n0\r\nT: "
                          + std::string(100, 't') + "\r\n\r\n",
                        ending::open, {100'000}, 40);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "ok");
  EXPECT_TRUE(got.done);
  EXPECT_EQ(got.reason, "head cut in the log");
  EXPECT_EQ(got.head, "T-E: 1\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_TRUE(got.reusable);
}

TEST(AnswerParserTest, TakesTheStatusOfALineThatItsBufferCannotHold) {
  const std::string line = "HTTP/1.1 410 " + std::string(90, 'r') + "\r\n";
  const std::string head = "Retry-After: 3\r\nContent-Length: 2\r\n\r\n";
  const auto got = read(line + head + "ok", ending::open, {100'000}, 40);
  EXPECT_EQ(got.status, 410);
  EXPECT_EQ(got.reason, "head cut: its status line exceeds 40 bytes");
  EXPECT_EQ(got.retry_after, "3");
  EXPECT_EQ(got.body, "ok");
  EXPECT_TRUE(got.done);
  EXPECT_FALSE(got.reusable);
  // One of an interim answer is no verdict, and hides none.
  const auto interim = read("HTTP/1.1 103 " + std::string(90, 'r')
                              + "\r\nLink: x\r\n\r\n" + std::string{plain},
                            ending::open, {100'000}, 40);
  EXPECT_EQ(interim.status, 200);
  EXPECT_EQ(interim.body, "ok");
}

TEST(AnswerParserTest, FailsWhereALongLineHasNoStatus) {
  for (const std::string_view start :
       {"HTTP/1.1 ", "HTTP/1.1 2000 ", "HTTP/1."}) {
    const auto got = read(std::string{start} + std::string(90, 'r'),
                          ending::open, {100'000}, 40);
    EXPECT_TRUE(got.done);
    EXPECT_EQ(got.status, 0);
    EXPECT_THAT(got.reason, HasSubstr("its status line has no status"));
  }
}

// -- the log ------------------------------------------------------------------

TEST(AnswerParserTest, SaysThatTheLogLacksAPartOfTheHead) {
  const std::string status = "HTTP/1.1 200 OK\r\n";
  const std::string end = "Content-Length: 2\r\n\r\nok";
  const auto one_field = [](std::size_t size) {
    return "X: " + std::string(size - 5, 'x') + "\r\n";
  };
  const auto rest = end.size() - 4; // of the log; neither the empty line
                                    // nor the body
  const auto whole = read(status + one_field(kept_head - rest) + end,
                          ending::open);
  EXPECT_EQ(whole.reason, "");
  EXPECT_EQ(whole.head.size(), kept_head);
  const std::string cuts[] = {
    // The last field has no room, a longer one, a folded line, one line that is
    // longer than the buffer.
    one_field(kept_head - rest + 1) + end,
    one_field(6'000) + one_field(6'000) + end,
    one_field(6'000) + "Y: 1\r\n " + std::string(6'000, 'y') + "\r\n" + end,
    one_field(9'000) + end,
  };
  for (const auto& bytes : cuts) {
    const auto got = read(status + bytes, ending::open);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.reason, "head cut in the log");
    EXPECT_EQ(got.body, "ok");
    EXPECT_LE(got.head.size(), kept_head);
  }
  for (const auto* bytes : {&cuts[0], &cuts[1], &cuts[3]})
    EXPECT_TRUE(read(status + *bytes, ending::open).reusable);
}

TEST(AnswerParserTest, SaysRatherWhatIsWrongWithTheAnswer) {
  const auto got = read("HTTP/1.1 200 OK\r\nX: " + std::string(9'000, 'x')
                        + "\r\nContent-Length: 3\r\n\r\nok");
  EXPECT_EQ(got.reason, "body ended after 2 of 3 bytes");
  // An interim answer is not logged.
  const auto interim = read("HTTP/1.1 103 Early Hints\r\nX: "
                            + std::string(9'000, 'x') + "\r\n\r\n"
                            + std::string{plain});
  EXPECT_EQ(interim.reason, "");
}

// -- lines that are too long --------------------------------------------------

TEST(AnswerParserTest, DoesNotTrustAFramingFieldThatItsBufferCannotHold) {
  const auto got = read("HTTP/1.1 200 OK\r\nConnection: "
                          + std::string(100, 'x')
                          + ", close\r\nContent-Length: 2\r\n\r\nok",
                        ending::open, {100'000}, 40);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.reason, "a field of the head was cut");
  EXPECT_FALSE(got.reusable);
}

// -- anything -----------------------------------------------------------------

/// Answers with some bytes changed, left out, doubled or put in. Whatever
/// comes, reading ends within its limits, a verdict is a status of three
/// digits, and the same bytes mean the same in any pieces.
TEST(AnswerParserTest, HoldsItsPromisesForAnyBytes) {
  std::minstd_rand random{20261129};
  const auto upto = [&](std::size_t n) {
    return static_cast<std::size_t>(random()) % n;
  };
  constexpr std::string_view
    spice = "\r\n\r\n\t :;,0159aAfFxX\0\x01\x7f\x80\xff"
            "HTTP/1.";
  exchange_limits limits;
  limits.head_limit = 200;
  limits.body_limit = 100;
  limits.keep_limit = 50;
  std::size_t verdicts_seen = 0;
  std::size_t failures_seen = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = std::string{verdicts[upto(std::size(verdicts))].bytes};
    for (auto changes = upto(4); changes-- > 0 && !bytes.empty();) {
      const auto at = upto(bytes.size());
      switch (upto(4)) {
        case 0: bytes[at] = spice[upto(spice.size())]; break;
        case 1: bytes.erase(at, 1 + upto(3)); break;
        case 2: bytes.insert(at, bytes.substr(upto(bytes.size()), 20)); break;
        default: bytes.insert(at, 1, spice[upto(spice.size())]);
      }
    }
    const auto whole = read(bytes, ending::closed, {100'000}, 4'096, limits);
    ASSERT_EQ(
      read(bytes, ending::closed, {1 + upto(9), 1 + upto(40)}, 4'096, limits),
      whole)
      << testing::PrintToString(bytes);
    // A buffer that holds no line: other excerpts, and still an end.
    ASSERT_TRUE(read(bytes, ending::closed, {5}, 12, limits).done);
    ASSERT_TRUE(whole.done);
    ASSERT_LE(whole.body.size(), limits.keep_limit);
    ASSERT_TRUE(whole.status == 0
                || (whole.status >= 101 && whole.status <= 999));
    ASSERT_TRUE(whole.status != 0 || !whole.reason.empty());
    ++(whole.status != 0 ? verdicts_seen : failures_seen);
  }
  EXPECT_GT(verdicts_seen, 1'000u);
  EXPECT_GT(failures_seen, 1'000u);
}

} // namespace fanfare::protocol
