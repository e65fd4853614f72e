// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/filter/number.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>
#include <vector>

namespace fanfare::filter {
namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
constexpr auto smallest = std::numeric_limits<std::int64_t>::min();

TEST(FilterNumber, IsTheSameWhateverTypeItWasParsedInto) {
  for (const std::int64_t n : {0, 1, 2, 1 << 30}) {
    const auto as_unsigned = make_number(static_cast<std::uint64_t>(n));
    EXPECT_TRUE(std::is_eq(compare(make_number(n), as_unsigned))) << n;
    EXPECT_TRUE(
      std::is_eq(compare(make_number(static_cast<double>(n)), as_unsigned)))
      << n;
    EXPECT_TRUE(std::is_eq(
      compare(make_number(static_cast<double>(-n)), make_number(-n))))
      << n;
  }
  EXPECT_TRUE(std::is_eq(compare(make_number(-0.0), make_number(0.0))));
  EXPECT_TRUE(std::is_eq(
    compare(make_number(std::ldexp(-1, 63)), make_number(smallest))));
}

// Each pair both ways, and each number with itself.
TEST(FilterNumber, IsOrderedByItsExactValue) {
  constexpr std::uint64_t beyond_double = (std::uint64_t{1} << 53) + 1;
  const std::vector<number> ascending{
    make_number(-std::numeric_limits<double>::infinity()),
    make_number(-1e300),
    make_number(smallest),
    make_number(smallest + 1),
    make_number(-1.5),
    make_number(std::int64_t{-1}),
    make_number(-0.5),
    make_number(std::int64_t{0}),
    make_number(std::numeric_limits<double>::denorm_min()),
    make_number(0.5),
    make_number(std::uint64_t{1}),
    make_number(1.5),
    make_number(static_cast<double>(beyond_double)),
    make_number(beyond_double),
    make_number(largest - 1),
    make_number(largest),
    make_number(two_to_64),
    make_number(std::numeric_limits<double>::infinity()),
  };
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j)
      EXPECT_EQ(compare(ascending[i], ascending[j]), i <=> j)
        << i << " with " << j;
}

} // namespace
} // namespace fanfare::filter
