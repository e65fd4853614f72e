// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/inbox.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace fanfare::protocol::server {

namespace {

TEST(InboxTest, WakesForTheFirstOfMany) {
  int wakes = 0;
  inbox box{[&] { ++wakes; }};
  box.put({.number = 1});
  box.put({.number = 2});
  EXPECT_EQ(wakes, 1);
  std::vector<inbox::entry> found;
  box.collect(found);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].number, 1U);
  EXPECT_EQ(found[1].number, 2U);
  box.put({.number = 3});
  EXPECT_EQ(wakes, 2);
}

TEST(InboxTest, ThrowsAnswersAwayOnceItIsClosed) {
  int wakes = 0;
  inbox box{[&] { ++wakes; }};
  box.put({.number = 1});
  box.close();
  box.put({.number = 2});
  EXPECT_EQ(wakes, 1);
  std::vector<inbox::entry> found;
  box.collect(found);
  EXPECT_TRUE(found.empty());
}

TEST(InboxTest, KnowsTheThreadItBelongsTo) {
  inbox box{[] {}};
  EXPECT_FALSE(box.belongs_to_this_thread());
  box.belong_to_this_thread();
  EXPECT_TRUE(box.belongs_to_this_thread());
  bool elsewhere = true;
  std::thread{[&] { elsewhere = box.belongs_to_this_thread(); }}.join();
  EXPECT_FALSE(elsewhere);
}

} // namespace

} // namespace fanfare::protocol::server
