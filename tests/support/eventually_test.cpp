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
  std::atomic<bool> asked = false;
  std::atomic<bool> done = false;
  std::thread other{[&] {
    asked.wait(false);
    done = true;
  }};
  EXPECT_TRUE(eventually(10s, [&] {
    const auto held = done.load();
    asked = true; // only now, so that the first look sees nothing
    asked.notify_one();
    return held;
  }));
  other.join();
}
