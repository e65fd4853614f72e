// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The bytes of OTLP. What else reads them is in tests/tracing.

#include "protocol/otlp/span.hpp"

#include "protocol/otlp/protobuf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare::protocol::otlp {

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

span sample_span() {
  span one;
  one.self = {.trace = {0x0102030405060708, 0x090a0b0c0d0e0f10},
              .span = 0x1112131415161718,
              .flags = 1,
              .state = "v=1"};
  one.parent = 0x2122232425262728;
  one.parent_is_remote = true;
  one.kind = span_kind::producer;
  one.name = "publish a.b";
  one.start = std::chrono::sys_time<std::chrono::microseconds>{1us};
  one.end = std::chrono::sys_time<std::chrono::microseconds>{2us};
  return one;
}

} // namespace

TEST(OtlpSpan, HasTheBytesOfTheProtocol) {
  auto one = sample_span();
  one.attributes = {
    {"t", std::string{"x"}}, {"i", std::int64_t{300}}, {"d", 1.0}, {"b", true}};
  one.links = {{{.trace = {1, 2}, .span = 3, .flags = 1}}};
  one.failed = true;
  one.why = "no";
  EXPECT_EQ(hex_of(encode(one)),
            "0a10"
            "0102030405060708090a0b0c0d0e0f10" // trace_id
            "1208"
            "1112131415161718" // span_id
            "1a03"
            "763d31" // trace_state
            "2208"
            "2122232425262728" // parent_span_id
            "2a0b"
            "7075626c69736820612e62" // name
            "3004"                   // kind
            "39"
            "e803000000000000" // start_time_unix_nano
            "41"
            "d007000000000000" // end_time_unix_nano
            "4a08"
            "0a0174"
            "1203"
            "0a0178" // attributes
            "4a08"
            "0a0169"
            "1203"
            "18ac02"
            "4a0e"
            "0a0164"
            "1209"
            "21000000000000f03f"
            "4a07"
            "0a0162"
            "1202"
            "1001"
            "6a21"
            "0a10"
            "00000000000000010000000000000002" // links
            "1208"
            "0000000000000003"
            "3501010000"
            "7a06"
            "12026e6f"
            "1802"           // status
            "850101030000"); // flags
}

TEST(OtlpSpan, LeavesOutWhatItHasNot) {
  auto one = sample_span();
  one.self.state = {};
  one.parent = 0;
  one.parent_is_remote = false;
  EXPECT_EQ(hex_of(encode(one)), "0a10"
                                 "0102030405060708090a0b0c0d0e0f10"
                                 "1208"
                                 "1112131415161718"
                                 "2a0b"
                                 "7075626c69736820612e62"
                                 "3004"
                                 "39"
                                 "e803000000000000"
                                 "41"
                                 "d007000000000000"
                                 "850101010000");
}

TEST(OtlpSpan, TextsAreBoundedAndUtf8) {
  auto one = sample_span();
  std::string cut(longest_attribute - 1, 'x');
  cut += "\xC3\xA4"; // the limit lies within this character
  one.attributes = {{"a", cut}, {"b", std::string{"\xFF"}}}; // which is none
  const auto bytes = encode(one);
  EXPECT_THAT(bytes,
              HasSubstr("\x0a\xFF\x07" + std::string(1'023, 'x') + "\x4a"));
  EXPECT_THAT(bytes, HasSubstr("\x0a\x03\xEF\xBF\xBD"));
}

TEST(OtlpSpan, ALongMessageHasALongLength) {
  std::string out;
  message_writer{out}.message(
    1, [](message_writer& inner) { inner.bytes(2, std::string(200, 'a')); });
  EXPECT_EQ(out, "\x0a\xcb\x01\x12\xc8\x01" + std::string(200, 'a'));
}

TEST(OtlpSpan, ARequestHasAllItsSpans) {
  const auto resource = encode_resource({{"k", std::string{"v"}}});
  EXPECT_EQ(hex_of(resource), "0a080a016b12030a0176");
  std::vector<std::string> seen;
  std::string found_resource;
  const auto request = export_request(resource, {"\x0a\x01x", "\x0a\x01y"});
  message_reader all{request};
  const auto of_resource = all.next();
  ASSERT_TRUE(of_resource);
  EXPECT_FALSE(all.next());
  message_reader inside{of_resource->bytes};
  while (const auto part = inside.next()) {
    if (part->number == 1)
      found_resource = part->bytes;
    message_reader scope{part->number == 2 ? part->bytes : ""};
    while (const auto each = scope.next())
      if (each->number == 2)
        seen.emplace_back(each->bytes);
  }
  EXPECT_EQ(found_resource, resource);
  EXPECT_THAT(seen, ::testing::ElementsAre("\x0a\x01x", "\x0a\x01y"));
}

TEST(OtlpSpan, ReadsWhatWasNotTaken) {
  const auto some = read_response("\x0a\x06\x08\xac\x02\x12\x01z");
  EXPECT_EQ(some.rejected, 300U);
  EXPECT_EQ(some.message, "z");
  EXPECT_EQ(read_response("").rejected, 0U);
}

TEST(OtlpSpan, AnAnswerThatIsNoMessageRejectsNothing) {
  const std::string good = "\x0a\x06\x08\xac\x02\x12\x01z";
  // Each beginning of one, and what is not one at all.
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(read_response(std::string_view{good}.substr(0, size)).rejected,
              0U);
  for (const auto& text : std::vector<std::string>{
         "<html>", "{}", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
         "\x0a\xff\xff\xff\xff\x0f", "\x0b", "\x0d\x01"})
    EXPECT_EQ(read_response(text).rejected, 0U) << hex_of(text);
}

} // namespace fanfare::protocol::otlp
