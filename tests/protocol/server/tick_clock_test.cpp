// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/tick_clock.hpp"

#include <gtest/gtest.h>

namespace fanfare::protocol::server {

namespace {

using namespace std::chrono_literals;

TEST(TickClockTest, IsNeverEarlyAndAtMostTwoTicksLate) {
  tick_clock clock{10ms};
  clock.advance(); // the next one may come at once
  for (const auto span : {0ms, 1ms, 9ms, 10ms, 15ms, 200ms}) {
    // All but the first of these ticks are whole.
    const auto whole = clock.due(span) - clock.now() - 1;
    EXPECT_GE(whole * 10ms, span);
    EXPECT_LE(whole * 10ms, span + 10ms);
  }
}

} // namespace

} // namespace fanfare::protocol::server
