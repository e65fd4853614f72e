// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/read_buffer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

namespace fanfare::protocol::server {

namespace {

/// As a socket would: into what prepare() gives. Returns how much fitted.
std::size_t fill(read_buffer& buffer, std::string_view bytes,
                 std::optional<std::uint64_t> body_rest = {}) {
  const auto room = buffer.prepare(body_rest);
  const auto count = std::min(room.size(), bytes.size());
  std::memcpy(room.data(), bytes.data(), count);
  buffer.commit(count);
  return count;
}

TEST(ReadBufferTest, KeepsWhatIsNotConsumed) {
  read_buffer buffer;
  EXPECT_TRUE(buffer.empty());
  fill(buffer, "one ");
  fill(buffer, "two");
  EXPECT_EQ(buffer.bytes(), "one two");
  buffer.consume(4);
  EXPECT_EQ(buffer.bytes(), "two");
  buffer.consume(3);
  EXPECT_TRUE(buffer.empty());
}

TEST(ReadBufferTest, KeepsItsBytesWhileItGrows) {
  read_buffer buffer;
  std::string all;
  for (int i = 0; all.size() < 40'000; ++i) {
    const auto piece = std::to_string(i) + ' ';
    all.append(piece, 0, fill(buffer, piece));
  }
  EXPECT_EQ(buffer.bytes(), all);
  buffer.consume(39'000);
  while (all.size() < 80'000) {
    all.append("x", fill(buffer, "x"));
  }
  EXPECT_EQ(buffer.bytes(), std::string_view{all}.substr(39'000));
}

TEST(ReadBufferTest, HasMoreRoomForALargeBody) {
  read_buffer buffer;
  const auto between = buffer.prepare(std::nullopt).size();
  EXPECT_EQ(buffer.prepare(between).size(), between);
  EXPECT_GT(buffer.prepare(between + 1).size(), between);
}

TEST(ReadBufferTest, ShrinksBetweenRequestsWhenItIsEmpty) {
  read_buffer buffer;
  const auto smallest = buffer.prepare(std::nullopt).size();
  const auto large = buffer.prepare(1'000'000).size();
  fill(buffer, "x", 1'000'000);
  EXPECT_EQ(buffer.prepare(std::nullopt).size(), large - 1);
  buffer.consume(1);
  EXPECT_EQ(buffer.prepare(1).size(), large);
  EXPECT_EQ(buffer.prepare(std::nullopt).size(), smallest);
}

} // namespace

} // namespace fanfare::protocol::server
