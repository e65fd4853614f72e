// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/numbers.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>

namespace fanfare::test {
namespace {

/// What an option from 1 to 64 becomes.
std::optional<std::size_t> taken(const std::string& text) {
  CLI::App app;
  std::size_t value = 0;
  app.add_option("--n", value)
    ->transform(cli::decimal())
    ->check(CLI::Range(1, 64));
  try {
    app.parse({text, "--n"}); // in reverse
  } catch (const CLI::ParseError&) {
    return std::nullopt;
  }
  return value;
}

TEST(DecimalTest, TakesDigits) {
  EXPECT_EQ(taken("12"), 12U);
  EXPECT_EQ(taken("012"), 12U);
  EXPECT_EQ(taken("0064"), 64U);
  EXPECT_EQ(taken("09"), 9U);
}

TEST(DecimalTest, RefusesAllElse) {
  for (const auto* text : {"0x1F", "0b1", "1e1", "1.0", "+1", " 1", "1 ", "-1",
                           "ten", "", "0", "00", "065", "18446744073709551617"})
    EXPECT_EQ(taken(text), std::nullopt) << text;
}

} // namespace
} // namespace fanfare::test
