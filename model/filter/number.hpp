// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Numbers of JSON compared by their exact value, whatever type they were
/// parsed into: 1 equals 1.0, and 2^53 + 1 does not equal the double 2^53.

#include <cmath>
#include <compare>
#include <cstdint>

namespace fanfare::filter {

/// Normalized so that equal values are represented equally: every integer of
/// 64 bits by sign and magnitude, even if it was parsed as a double; all other
/// numbers as a double, or by their digits where that is not exact
/// (model/filter/decimal.hpp).
struct number {
  std::uint64_t magnitude = 0;
  double real = 0; ///< unless integral
  bool integral = true;
  bool negative = false;
  bool digits = false; ///< kept elsewhere; `real` is the nearest double
};

inline constexpr double two_to_64 = 18446744073709551616.0;

[[nodiscard]] inline number make_number(std::uint64_t n) {
  return {.magnitude = n};
}

[[nodiscard]] inline number make_number(std::int64_t n) {
  // Negated as unsigned: the smallest value has no positive counterpart.
  return n < 0 ? number{.magnitude = 0 - static_cast<std::uint64_t>(n),
                        .negative = true}
               : number{.magnitude = static_cast<std::uint64_t>(n)};
}

/// Not for NaN.
[[nodiscard]] inline number make_number(double n) {
  const auto size = std::abs(n);
  if (size < two_to_64 && std::trunc(n) == n)
    return {.magnitude = static_cast<std::uint64_t>(size), .negative = n < 0};
  return {.real = n, .integral = false, .negative = n < 0};
}

[[nodiscard]] inline std::strong_ordering reversed(std::strong_ordering o) {
  return std::is_lt(o) ? std::strong_ordering::greater
       : std::is_gt(o) ? std::strong_ordering::less
                       : o;
}

/// Of an integer and a double that is not integral.
[[nodiscard]] inline std::strong_ordering compare_mixed(const number& integer,
                                                        const number& real) {
  if (integer.negative != real.negative)
    return integer.negative ? std::strong_ordering::less
                            : std::strong_ordering::greater;
  const auto size = std::abs(real.real);
  const auto smaller = size >= two_to_64
                    || integer.magnitude <= static_cast<std::uint64_t>(size);
  return smaller != integer.negative ? std::strong_ordering::less
                                     : std::strong_ordering::greater;
}

/// Not for numbers with digits.
[[nodiscard]] inline std::strong_ordering compare(const number& a,
                                                  const number& b) {
  if (a.integral != b.integral)
    return a.integral ? compare_mixed(a, b) : reversed(compare_mixed(b, a));
  if (!a.integral)
    return a.real < b.real ? std::strong_ordering::less
         : a.real > b.real ? std::strong_ordering::greater
                           : std::strong_ordering::equal;
  if (a.negative != b.negative)
    return a.negative ? std::strong_ordering::less
                      : std::strong_ordering::greater;
  return a.negative ? b.magnitude <=> a.magnitude : a.magnitude <=> b.magnitude;
}

} // namespace fanfare::filter
