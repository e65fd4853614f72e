// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <utility>

using fanfare::test::read_file;
using fanfare::test::temp_dir;

TEST(TempDirTest, IsGoneWithWhatItHeldAtTheEnd) {
  std::filesystem::path path;
  {
    temp_dir dir;
    path = dir.path();
    EXPECT_TRUE(std::filesystem::is_directory(path));
    EXPECT_EQ(read_file(dir.write("note", "hello")), "hello");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TempDirTest, IsNotSharedByTwo) {
  temp_dir one;
  temp_dir two;
  EXPECT_NE(one.path(), two.path());
}

TEST(TempDirTest, SurvivesAMove) {
  temp_dir one;
  auto path = one.path();
  temp_dir two{std::move(one)};
  EXPECT_EQ(two.path(), path);
  EXPECT_TRUE(std::filesystem::is_directory(path));
}
