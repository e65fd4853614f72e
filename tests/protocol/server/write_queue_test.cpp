// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/write_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace fanfare::protocol::server {

namespace {

/// Writes all of it, at most `most` bytes at a time.
std::string written(write_queue& queue, std::size_t most = 1'000'000) {
  std::string out;
  while (!queue.empty()) {
    write_queue::pieces pieces;
    auto rest = most;
    std::size_t count = 0;
    for (const auto& piece : queue.front(pieces)) {
      const auto size = std::min(rest, piece.size());
      out.append(static_cast<const char*>(piece.data()), size);
      rest -= size;
      count += size;
    }
    queue.consume(count);
  }
  return out;
}

void add(write_queue& queue, const std::string& head, std::string body) {
  queue.text() += head;
  queue.push_body(std::move(body));
}

TEST(WriteQueueTest, KeepsTheOrderOfHeadsAndBodies) {
  std::size_t total = 0;
  write_queue queue{total};
  const std::string large(write_queue::small_body + 1, 'x');
  const auto expected = "a" + large + "bsmallc" + large + "d";
  for (const std::size_t most :
       {std::size_t{1}, std::size_t{4'097}, size_t{1'000'000}}) {
    add(queue, "a", large);
    add(queue, "b", "small");
    add(queue, "c", large);
    queue.text() += "d";
    queue.commit();
    EXPECT_EQ(queue.size(), expected.size());
    EXPECT_EQ(written(queue, most), expected) << most;
  }
}

TEST(WriteQueueTest, WritesOneAfterTheOtherWhatIsQueuedMeanwhile) {
  std::size_t total = 0;
  write_queue queue{total};
  add(queue, "first", "");
  write_queue::pieces pieces;
  EXPECT_EQ(queue.front(pieces).size(), 1U);
  queue.consume(2);
  add(queue, "second", "");
  EXPECT_EQ(written(queue), "rstsecond");
}

TEST(WriteQueueTest, CopiesSmallBodiesBehindTheirHead) {
  std::size_t total = 0;
  write_queue queue{total};
  write_queue::pieces pieces;
  add(queue, "head", std::string(write_queue::small_body, 'x'));
  add(queue, "head", "");
  EXPECT_EQ(queue.front(pieces).size(), 1U);
  written(queue);
  add(queue, "head", std::string(write_queue::small_body + 1, 'x'));
  EXPECT_EQ(queue.front(pieces).size(), 2U);
}

TEST(WriteQueueTest, WritesAtMostSoManyPiecesAtOnce) {
  std::size_t total = 0;
  write_queue queue{total};
  std::string expected;
  for (char c = 'a'; c <= 'z'; ++c) {
    const std::string body(write_queue::small_body + 1, c);
    add(queue, "head", body);
    expected += "head" + body;
  }
  write_queue::pieces pieces;
  EXPECT_EQ(queue.front(pieces).size(), pieces.size());
  EXPECT_EQ(written(queue), expected);
}

TEST(WriteQueueTest, CountsIntoTheTotalOfAll) {
  std::size_t total = 0;
  write_queue one{total};
  add(one, "head", "body");
  {
    write_queue other{total};
    add(other, "head", std::string(10'000, 'x'));
    EXPECT_EQ(total, 8U + 10'004U);
    write_queue::pieces pieces;
    ASSERT_FALSE(other.front(pieces).empty());
    other.consume(4);
    EXPECT_EQ(total, 8U + 10'000U);
  }
  EXPECT_EQ(total, 8U);
  written(one);
  EXPECT_EQ(total, 0U);
}

} // namespace

} // namespace fanfare::protocol::server
