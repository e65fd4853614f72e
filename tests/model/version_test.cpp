// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/version.hpp"

#include <gtest/gtest.h>

#include <algorithm>

TEST(VersionTest, IsThreeNumbersWithDotsBetween) {
  auto dots = std::count(fanfare::version.begin(), fanfare::version.end(), '.');
  EXPECT_EQ(dots, 2);
  EXPECT_EQ(fanfare::version.find_first_not_of("0123456789."),
            std::string_view::npos);
}
