// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Times as people read them.

#include "cli/client/time_text.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace fanfare::cli {

namespace {

using namespace std::chrono_literals;

/// 2026-12-01T05:00:00Z
constexpr timestamp now{1'796'101'200'000ms};

class TimeTextTest : public ::testing::Test {
protected:
  static void use_zone(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }
};

TEST_F(TimeTextTest, NearTimesAreRelative) {
  EXPECT_EQ(relative_time("2026-12-01T04:57:00.000Z", now), "3 min ago");
  EXPECT_EQ(relative_time("2026-12-01T05:00:40.500Z", now), "in 40 s");
  EXPECT_EQ(relative_time("2026-12-01T05:00:00.000Z", now), "now");
  EXPECT_EQ(relative_time("2026-11-30T22:00:00.000Z", now), "7 h ago");
}

TEST_F(TimeTextTest, OtherTimesAreOfTheLocalZone) {
  use_zone("CET-1");
  EXPECT_EQ(relative_time("2026-11-24T10:00:00.000Z", now), "11-24 11:00");
  EXPECT_EQ(short_time("2025-11-24T23:30:00.000Z", now), "2025-11-25");
  EXPECT_EQ(short_time("2026-12-01T04:57:00.000Z", now), "05:57:00");
  EXPECT_EQ(full_time("2026-12-01T04:57:00.000Z", now),
            "2026-12-01 05:57:00 (3 min ago)");
  use_zone("UTC0");
  EXPECT_EQ(full_time("2026-11-24T10:00:00.000Z", now), "2026-11-24 10:00:00");
}

TEST_F(TimeTextTest, WhatIsNoTimeStays) {
  EXPECT_EQ(short_time("-", now), "-");
  EXPECT_EQ(relative_time("", now), "");
  EXPECT_EQ(full_time("soon", now), "soon");
}

TEST_F(TimeTextTest, DurationsHaveOneUnit) {
  EXPECT_EQ(rough_duration(999ms), "999 ms");
  EXPECT_EQ(rough_duration(119s), "119 s");
  EXPECT_EQ(rough_duration(120s), "2 min");
  EXPECT_EQ(rough_duration(47h), "47 h");
  EXPECT_EQ(rough_duration(48h), "2 days");
}

} // namespace

} // namespace fanfare::cli
