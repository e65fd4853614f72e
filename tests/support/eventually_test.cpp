// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/eventually.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

using namespace std::chrono_literals;
using fanfare::test::eventually;

TEST(EventuallyTest, IsTrueAtOnceWhenTheConditionHolds) {
  EXPECT_TRUE(eventually(0ms, [] { return true; }));
}

TEST(EventuallyTest, IsFalseOnceTheLimitHasPassed) {
  auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(eventually(30ms, [] { return false; }));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
}

TEST(EventuallyTest, SeesWhatAnotherThreadDoes) {
  std::atomic<bool> done = false;
  std::thread other{[&] { done = true; }};
  EXPECT_TRUE(eventually(10s, [&] { return done.load(); }));
  other.join();
}
