// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/head_scanner.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fanfare::protocol::server {

namespace {

/// The status that the bytes are refused with; 0: not yet complete, 1:
/// complete. Byte by byte must come to the same as all at once.
int outcome(std::string_view bytes, const http_server_options& limits = {}) {
  const auto scan = [&](std::size_t step) {
    head_scanner scanner;
    for (std::size_t size = step; !scanner.complete(); size += step) {
      size = std::min(size, bytes.size());
      if (const auto why = scanner.scan(bytes.substr(0, size), limits))
        return int{why->status};
      if (size == bytes.size())
        break;
    }
    return scanner.complete() ? 1 : 0;
  };
  const auto out = scan(bytes.size());
  EXPECT_EQ(scan(1), out) << bytes;
  return out;
}

TEST(HeadScannerTest, FindsTheEndOfAHead) {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(outcome(head), 1);
  for (std::size_t size = 1; size < head.size(); ++size)
    EXPECT_EQ(outcome(head.substr(0, size)), 0) << size;
}

TEST(HeadScannerTest, DoesNotLookBehindTheHead) {
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n\r\n\nbody\n"), 1);
}

TEST(HeadScannerTest, StartsAnewAfterAReset) {
  head_scanner scanner;
  EXPECT_FALSE(scanner.scan("GET / HTTP/1.1\r\n\r\n", {}));
  EXPECT_TRUE(scanner.complete());
  scanner.reset();
  EXPECT_FALSE(scanner.complete());
  EXPECT_FALSE(scanner.scan("GET", {}));
  EXPECT_FALSE(scanner.complete());
}

TEST(HeadScannerTest, RefusesTheFirstByteOfAnotherProtocol) {
  EXPECT_EQ(outcome("\x16"), 400); // TLS
  EXPECT_EQ(outcome(" "), 400);
  EXPECT_EQ(outcome("\n"), 400);
  EXPECT_EQ(outcome("\r"), 0); // may become an empty line
  EXPECT_EQ(outcome("\rG"), 400);
}

TEST(HeadScannerTest, RefusesLinesAsSoonAsTheyShowTheirFault) {
  EXPECT_EQ(outcome("GET / HTTP/1.1\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nA: b\r\n c\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/2.0\r\n"), 505);
  EXPECT_EQ(outcome("GET / HTTP/1.0\r\n"), 0);
  EXPECT_EQ(outcome("GET / HTTP/1.11\r\n"), 0); // the parser says malformed
}

TEST(HeadScannerTest, LimitsTheTarget) {
  http_server_options limits;
  limits.target_limit = 10;
  EXPECT_EQ(outcome("GET /234567890 HTTP/1.1\r\n", limits), 0);
  EXPECT_EQ(outcome("GET /2345678901 HTTP/1.1\r\n", limits), 414);
  EXPECT_EQ(outcome("GET /" + std::string(10 + 64 - 5, 'a'), limits), 0);
  EXPECT_EQ(outcome("GET /" + std::string(10 + 64 - 4, 'a'), limits), 414);
}

TEST(HeadScannerTest, LimitsTheHead) {
  http_server_options limits;
  limits.head_limit = 256;
  const std::string start = "GET / HTTP/1.1\r\nA: ";
  const auto rest = 256 - start.size();
  EXPECT_EQ(outcome(start + std::string(rest - 4, 'a') + "\r\n\r\n", limits),
            1);
  EXPECT_EQ(outcome(start + std::string(rest - 1, 'a'), limits), 0);
  EXPECT_EQ(outcome(start + std::string(rest, 'a'), limits), 431);
}

} // namespace

} // namespace fanfare::protocol::server
