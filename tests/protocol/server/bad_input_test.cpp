// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Bytes that must not reach the handler: each is refused, and harms nobody
// else.

#include "tests/protocol/server/server_test.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>

namespace fanfare::protocol::server {

namespace {

struct bad_input {
  const char* name;
  std::string bytes;
  int status;
};

void PrintTo(const bad_input& input, std::ostream* out) {
  *out << input.name;
}

class HttpServerBadInputTest : public ::testing::TestWithParam<bad_input> {};

TEST_P(HttpServerBadInputTest, IsRefusedAndHarmsNobody) {
  scripted handler;
  http_server_options options;
  options.head_limit = 4096;
  options.target_limit = 2048;
  options.body_limit = 1000;
  const auto server = serve(handler, options);
  raw_client bystander{server->port()};
  bystander.send(get("/before"));
  EXPECT_EQ(bystander.read().status, 200);
  {
    raw_client client{server->port()};
    client.send(GetParam().bytes);
    const auto reply = client.read();
    EXPECT_EQ(reply.status, GetParam().status) << reply.body;
    EXPECT_EQ(reply.headers.at("content-type"), "application/json");
    EXPECT_EQ(reply.headers.at("connection"), "close");
    EXPECT_TRUE(reply.body.starts_with(R"({"detail":")")
                && reply.body.ends_with("\"}"))
      << reply.body;
    EXPECT_TRUE(client.closed());
  }
  {
    // The answer keeps its place behind that of a good request.
    raw_client client{server->port()};
    client.send(get("/good") + GetParam().bytes);
    EXPECT_EQ(client.read().body, "GET /good ");
    EXPECT_EQ(client.read().status, GetParam().status);
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(handler.calls, 2U);
  bystander.send(get("/after"));
  EXPECT_EQ(bystander.read().body, "GET /after ");
  expect_alive(*server);
}

std::string lines(std::initializer_list<std::string_view> all) {
  std::string out;
  for (const auto line : all)
    out.append(line).append("\r\n");
  return out + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
  Table, HttpServerBadInputTest,
  ::testing::Values(
    bad_input{"TlsHello",
              std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
              400},
    bad_input{"NulBytes", std::string(20, '\0'), 400},
    bad_input{"LeadingSpace", " GET / HTTP/1.1\r\n\r\n", 400},
    bad_input{"MethodIsNoToken", lines({"GE(T / HTTP/1.1", "Host: x"}), 400},
    bad_input{"MethodOnly", lines({"GET", "Host: x"}), 400},
    bad_input{"NoVersion", lines({"GET /", "Host: x"}), 400},
    bad_input{"EmptyTarget", lines({"GET  HTTP/1.1", "Host: x"}), 400},
    bad_input{"SpaceInTarget", lines({"GET /a b HTTP/1.1", "Host: x"}), 400},
    bad_input{"ControlInTarget", lines({"GET /a\x01 HTTP/1.1", "Host: x"}),
              400},
    bad_input{"VersionInLowerCase", lines({"GET / http/1.1", "Host: x"}), 400},
    bad_input{"VersionOfOneDigit", lines({"GET / HTTP/1", "Host: x"}), 400},
    bad_input{"VersionTooLong", lines({"GET / HTTP/1.1x", "Host: x"}), 400},
    bad_input{"SpaceBehindVersion", lines({"GET / HTTP/1.1 ", "Host: x"}), 400},
    bad_input{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    bad_input{"Http09Version", lines({"GET / HTTP/0.9"}), 505},
    bad_input{"Http12", lines({"GET / HTTP/1.2", "Host: x"}), 505},
    bad_input{"Http30", lines({"GET / HTTP/3.0", "Host: x"}), 505},
    bad_input{"BareLineFeeds", "GET / HTTP/1.1\nHost: x\n\n", 400},
    bad_input{"OneBareLineFeed", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
              400},
    bad_input{"BareCarriageReturn",
              lines({"GET / HTTP/1.1", "Host: x", "A: b\rc: d"}), 400},
    bad_input{"Folded", lines({"GET / HTTP/1.1", "Host: x", "A: b", " c"}),
              400},
    bad_input{"FoldedWithTab",
              lines({"GET / HTTP/1.1", "Host: x", "A: b", "\tc"}), 400},
    bad_input{"FirstHeaderFolded", lines({"GET / HTTP/1.1", " Host: x"}), 400},
    bad_input{"NoHost", lines({"GET / HTTP/1.1", "A: b"}), 400},
    bad_input{"TwoHosts", lines({"GET / HTTP/1.1", "Host: x", "Host: x"}), 400},
    bad_input{"HostWithSpace", lines({"GET / HTTP/1.1", "Host: x y"}), 400},
    bad_input{"HostWithPath", lines({"GET / HTTP/1.1", "Host: x/y"}), 400},
    bad_input{"HeaderWithoutColon",
              lines({"GET / HTTP/1.1", "Host: x", "nonsense"}), 400},
    bad_input{"HeaderWithoutName", lines({"GET / HTTP/1.1", "Host: x", ": b"}),
              400},
    bad_input{"SpaceBeforeColon", lines({"GET / HTTP/1.1", "Host: x", "A : b"}),
              400},
    bad_input{"SpaceInName", lines({"GET / HTTP/1.1", "Host: x", "A b: c"}),
              400},
    bad_input{"ControlInValue", lines({"GET / HTTP/1.1", "Host: x", "A: \x01"}),
              400},
    bad_input{"NulInValue",
              "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(1, '\0')
                + "\r\n\r\n",
              400},
    bad_input{"LengthNegative",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: -1"}), 400},
    bad_input{"LengthSigned",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: +1"}), 400},
    bad_input{"LengthHex",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 0x1"}),
              400},
    bad_input{"LengthEmpty",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: "}), 400},
    bad_input{"LengthWords",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1 2"}),
              400},
    bad_input{"LengthOverflow",
              lines({"POST / HTTP/1.1", "Host: x",
                     "Content-Length: 18446744073709551617"}),
              400},
    bad_input{"LengthsDiffer",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1",
                     "Content-Length: 2"}),
              400},
    bad_input{"LengthsDifferInList",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1, 2"}),
              400},
    bad_input{"LengthThenChunked",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 5",
                     "Transfer-Encoding: chunked"})
                + "0\r\n\r\n",
              400},
    bad_input{"ChunkedThenLength",
              lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked",
                     "Content-Length: 5"})
                + "0\r\n\r\n",
              400},
    bad_input{"ChunkedTwice",
              lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked",
                     "Transfer-Encoding: chunked"}),
              400},
    bad_input{
      "ChunkedInHttp10",
      lines({"POST / HTTP/1.0", "Host: x", "Transfer-Encoding: chunked"}), 400},
    bad_input{"Gzip",
              lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: gzip"}),
              501},
    bad_input{
      "GzipChunked",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: gzip, chunked"}),
      501},
    bad_input{"ChunkedInDisguise",
              lines({"POST / HTTP/1.1", "Host: x",
                     "Transfer-Encoding: \x0b"
                     "chunked"}),
              400},
    bad_input{
      "ChunkSizeNoNumber",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "zz\r\n",
      400},
    bad_input{
      "ChunkSizeNegative",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "-1\r\n",
      400},
    bad_input{
      "ChunkSizeOverflow",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "fffffffffffffffff\r\n",
      400},
    bad_input{
      "ChunkWithoutEnd",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "1\r\nabc\r\n0\r\n\r\n",
      400},
    bad_input{
      "ChunkSizeTooLarge",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "fffff\r\n",
      413},
    bad_input{
      "ChunkHeaderEndless",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"}) + "1;"
        + std::string(9000, 'a'),
      400},
    bad_input{
      "TrailersEndless",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "0\r\nA: " + std::string(9000, 'a'),
      400},
    bad_input{"BodyTooLarge",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1001"}),
              413},
    bad_input{
      "BodyMuchTooLarge",
      lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 99999999999"}),
      413},
    bad_input{"BodyTooLargeExpected",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1001",
                     "Expect: 100-continue"}),
              413},
    bad_input{"UnknownExpectation",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1",
                     "Expect: a-miracle"}),
              417},
    bad_input{"TargetTooLong",
              "GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n",
              414},
    bad_input{"TargetEndless", "GET /" + std::string(4000, 'a'), 414},
    bad_input{"HeadTooLarge",
              "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(5000, 'a')
                + "\r\n\r\n",
              431},
    bad_input{"HeadEndless",
              "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(5000, 'a'),
              431}),
  [](const auto& which) { return std::string{which.param.name}; });

} // namespace

} // namespace fanfare::protocol::server
