// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/outgoing_request.hpp"

#include "protocol/target/target.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace fanfare::protocol {
namespace {

template <class Buffers>
std::string text_of(const Buffers& all) {
  std::string out;
  for (const auto& each : all)
    out.append(static_cast<const char*>(each.data()), each.size());
  return out;
}

exchange_request request_of(std::string body) {
  auto what = std::make_shared<notification>();
  what->body = std::move(body);
  return {.to = target::parse("http://shop.example/hook").value(),
          .what = std::move(what),
          .limits = {},
          .extra_head = "webhook-id: 7\r\n"};
}

TEST(OutgoingRequestTest, IsHeadLinesLengthAndBody) {
  outgoing_request out;
  for (const std::size_t size : {0u, 9u, 123'456u}) {
    const auto request = request_of(std::string(size, 'x'));
    EXPECT_EQ(text_of(out.begin(request)),
              std::string{request.to->head()} + "webhook-id: 7\r\n"
                + "Content-Length: " + std::to_string(size) + "\r\n\r\n"
                + std::string(size, 'x'));
    out.ended(true);
  }
}

TEST(OutgoingRequestTest, IsSentOnceItEndedCompletely) {
  outgoing_request out;
  EXPECT_FALSE(out.sent());
  const auto request = request_of("{}");
  (void)out.begin(request);
  EXPECT_FALSE(out.sent());
  out.ended(true);
  EXPECT_TRUE(out.sent());
  (void)out.begin(request);
  EXPECT_FALSE(out.sent());
  out.ended(false);
  EXPECT_FALSE(out.sent());
}

TEST(OutgoingRequestTest, PutsASmallBodyIntoTheRecordOfItsHead) {
  outgoing_request out;
  for (const std::size_t size : {0u, 12'288u, 12'289u, 1'000'000u}) {
    const auto request = request_of(std::string(size, 'x'));
    const auto all = out.begin(request);
    const auto records = out.in_records(all);
    EXPECT_EQ(text_of(records), text_of(all));
    EXPECT_EQ(records[1].size(), size > 12'288 ? size : 0u);
    if (size > 12'288) {
      EXPECT_EQ(records[1].data(), request.what->body.data()) << "copied";
    }
    out.ended(true);
    out.shrink();
  }
}

} // namespace
} // namespace fanfare::protocol
