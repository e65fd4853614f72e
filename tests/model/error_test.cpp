// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/error.hpp"

#include "tests/support/paths.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace fanfare {
namespace {

TEST(ErrorCodeTest, IsAStandardErrorCode) {
  const std::error_code code = ec::store_full;
  EXPECT_EQ(code.category().name(), std::string{"fanfare"});
  EXPECT_EQ(code.value(), 9);
  EXPECT_EQ(code.message(), "store_full");
  EXPECT_EQ(code, ec::store_full);
  EXPECT_NE(code, ec::io_error);
  EXPECT_FALSE(std::error_code{ec::ok});
}

TEST(ErrorCodeTest, EqualsTheConditionThatMeansTheSame) {
  EXPECT_EQ(std::error_code{ec::store_full}, std::errc::no_space_on_device);
  EXPECT_EQ(std::error_code{ec::overloaded},
            std::errc::resource_unavailable_try_again);
  EXPECT_EQ(std::error_code{ec::invalid_argument}, std::errc::invalid_argument);
  EXPECT_NE(std::error_code{ec::conflict}, std::errc::invalid_argument);
}

TEST(ErrorCodeTest, HasANameForEachNumber) {
  for (int i = 0; i <= static_cast<int>(ec::internal); ++i)
    EXPECT_NE(to_string(static_cast<ec>(i)), "unknown") << i;
  EXPECT_EQ(to_string(static_cast<ec>(17)), "unknown")
    << "there are more codes than this test knows";
}

TEST(ErrorCodeTest, IsInTheTableOfThePageForPrograms) {
  const auto page = test::read_file(test::source_dir() / "docs/embedding.md");
  for (int i = 1; i <= static_cast<int>(ec::internal); ++i) {
    const auto row = "\n| `" + std::string{to_string(static_cast<ec>(i))}
                   + "` | " + std::to_string(i) + " | ";
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
}

TEST(ResultTest, HoldsAValueOrWhyThereIsNone) {
  result<std::string> good = "text";
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "text");
  EXPECT_EQ(good->size(), 4U);
  EXPECT_EQ(good.value(), "text");
  const result<std::string> bad = error{ec::not_found, "None.", "id"};
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), (error{ec::not_found, "None.", "id"}));
  EXPECT_NE(good, bad);
}

TEST(ResultTest, AskedForAValueThatIsNotThereThrowsASystemError) {
  const result<int> bad = error{ec::overloaded, "Try again."};
  try {
    (void)bad.value();
    FAIL() << "did not throw";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), ec::overloaded);
    EXPECT_NE(std::string{e.what()}.find("Try again."), std::string::npos);
  }
  EXPECT_THROW(result<void>(error{ec::internal, ""}).value(),
               std::system_error);
  EXPECT_NO_THROW(result<void>{}.value());
}

TEST(ResultTest, MovesWhatCannotBeCopied) {
  result<std::unique_ptr<int>> made = std::make_unique<int>(7);
  auto taken = *std::move(made);
  EXPECT_EQ(*taken, 7);
}

TEST(ResultTest, ATemporaryGivesItsValueAway) {
  const auto list = [] {
    return result<std::vector<int>>{std::vector{1, 2, 3}};
  };
  int sum = 0;
  for (const int i : *list()) // the list outlives the result
    sum += i;
  EXPECT_EQ(sum, 6);
}

} // namespace
} // namespace fanfare
