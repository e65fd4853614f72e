// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/body_budget.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace fanfare::protocol::server {

namespace {

/// Something to be known by; nobody looks into it.
std::shared_ptr<connection> somebody() {
  const auto self = std::make_shared<int>(0);
  return {self, reinterpret_cast<connection*>(self.get())};
}

class BodyBudgetTest : public ::testing::Test {
protected:
  body_budget budget_{100};
  int wakes_ = 0;
  body_queue queue_{budget_, [this] { ++wakes_; }};
};

TEST_F(BodyBudgetTest, IsSharedUpToItsLimit) {
  const auto first = queue_.reserve(somebody(), 60);
  EXPECT_TRUE(first);
  body_queue other{budget_, [] {}};
  EXPECT_FALSE(other.reserve(somebody(), 41));
  body_queue third{budget_, [] {}};
  EXPECT_TRUE(third.reserve(somebody(), 40));
}

TEST_F(BodyBudgetTest, HasRoomForOneBodyOfAnySize) {
  const auto first = queue_.reserve(somebody(), 1'000);
  EXPECT_TRUE(first);
  EXPECT_FALSE(queue_.reserve(somebody(), 1));
}

TEST_F(BodyBudgetTest, KeepsTheOrderOfArrival) {
  auto first = queue_.reserve(somebody(), 100);
  const auto large = somebody();
  const auto small = somebody();
  EXPECT_FALSE(queue_.reserve(large, 90));
  EXPECT_FALSE(queue_.reserve(small, 1));
  first = {};
  auto turn = queue_.next();
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->who, large);
  EXPECT_TRUE(turn->share);
  const auto next = queue_.next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->who, small);
  EXPECT_FALSE(queue_.next());
}

TEST_F(BodyBudgetTest, LetsABodyWaitBehindOthersEvenIfItWouldFit) {
  const auto first = queue_.reserve(somebody(), 60);
  const auto large = somebody();
  EXPECT_FALSE(queue_.reserve(large, 41));
  EXPECT_FALSE(queue_.reserve(somebody(), 1));
  EXPECT_FALSE(queue_.next());
}

TEST_F(BodyBudgetTest, ForgetsWhoeverLeftWhileWaiting) {
  const auto first = queue_.reserve(somebody(), 60);
  EXPECT_FALSE(queue_.reserve(somebody(), 100));
  const auto small = somebody();
  EXPECT_FALSE(queue_.reserve(small, 40));
  const auto turn = queue_.next();
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->who, small);
}

TEST_F(BodyBudgetTest, WakesOnceUntilItIsAsked) {
  auto first = queue_.reserve(somebody(), 50);
  auto second = queue_.reserve(somebody(), 50);
  const auto waiting = somebody();
  EXPECT_FALSE(queue_.reserve(waiting, 100));
  first = {};
  second = {};
  EXPECT_EQ(wakes_, 1);
  EXPECT_TRUE(queue_.next());
}

TEST_F(BodyBudgetTest, WakesNobodyIfNobodyWaits) {
  auto first = queue_.reserve(somebody(), 50);
  first = {};
  EXPECT_EQ(wakes_, 0);
}

TEST_F(BodyBudgetTest, LeavesDetachedBytesToTheirOwner) {
  auto first = queue_.reserve(somebody(), 100);
  EXPECT_EQ(first.detach(), 100U);
  EXPECT_FALSE(first);
  EXPECT_EQ(first.detach(), 0U);
  const auto waiting = somebody();
  EXPECT_FALSE(queue_.reserve(waiting, 1));
  queue_.give_back(100);
  EXPECT_TRUE(queue_.next());
}

} // namespace

} // namespace fanfare::protocol::server
