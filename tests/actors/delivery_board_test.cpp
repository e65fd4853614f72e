// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/delivery_board.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

namespace fanfare {
namespace {

constexpr bool is_held = true;

TEST(DeliveryBoardTest, SumsUpWhatWebhooksShow) {
  delivery_board board;
  const open_work first{.waiting = 3,
                        .behind = true,
                        .breaker_open = true,
                        .held_by = hold_reason::breaker,
                        .oldest = 100};
  const open_work second{.waiting = 2, .oldest = 90};
  board.change({}, first);
  board.change({}, second);
  EXPECT_EQ(board.waiting(), 5U);
  EXPECT_EQ(board.behind(), 1U);
  EXPECT_EQ(board.breakers_open(), 1U);
  EXPECT_EQ(board.held_by(hold_reason::breaker), 1U);
  EXPECT_EQ(board.held_by(hold_reason::rate), 0U);
  EXPECT_EQ(board.oldest(is_held), 100);
  EXPECT_EQ(board.oldest(!is_held), 90);
  board.change(first, {});
  board.change(second, {});
  EXPECT_EQ(board.waiting(), 0U);
  EXPECT_EQ(board.behind(), 0U);
  EXPECT_EQ(board.breakers_open(), 0U);
  EXPECT_EQ(board.held_by(hold_reason::breaker), 0U);
  EXPECT_EQ(board.oldest(is_held), std::nullopt);
  EXPECT_EQ(board.oldest(!is_held), std::nullopt);
}

TEST(DeliveryBoardTest, MovesTheOldestWhenItIsHeldOrReleased) {
  delivery_board board;
  const open_work free{.waiting = 1, .oldest = 50};
  auto stopped = free;
  stopped.held_by = hold_reason::rate;
  board.change({}, free);
  board.change(free, stopped);
  EXPECT_EQ(board.oldest(!is_held), std::nullopt);
  EXPECT_EQ(board.oldest(is_held), 50);
  board.change(stopped, free);
  EXPECT_EQ(board.oldest(!is_held), 50);
  EXPECT_EQ(board.oldest(is_held), std::nullopt);
}

TEST(OldestTrackerTest, AgreesWithALookAtAll) {
  std::minstd_rand random{7};
  oldest_tracker tracker;
  std::map<int, std::int64_t> shown; // by webhook; 0: none
  for (int step = 0; step < 20'000; ++step) {
    auto& one = shown[static_cast<int>(random() % 8)];
    const auto next = random() % 3 == 0
                      ? std::int64_t{0}
                      : static_cast<std::int64_t>(1 + random() % 20);
    tracker.move(one, next);
    one = next;
    std::optional<std::int64_t> oldest;
    for (const auto& [hook, second] : shown)
      if (second != 0)
        oldest = std::min(oldest.value_or(second), second);
    ASSERT_EQ(tracker.oldest(), oldest) << "step " << step;
  }
}

} // namespace
} // namespace fanfare
