// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Numbers that neither 64 bits nor a double hold: all digits of their text.
/// A double stands for its shortest text, as it does in every other JSON
/// library, so 0.1 is 0.1 and less than 0.10000000000000000001.
///
/// boost::json::value has no room for digits, so such a number is a string of
/// it that begins with a byte no JSON text can hold. Made by the reader only,
/// and told apart by `scalar_of`.

#include "model/filter/number.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::filter {

/// What holds the exact value of a number of JSON.
struct exact_number {
  enum class form : std::uint8_t { integer, real, digits };
  form as = form::integer;
  std::uint64_t magnitude = 0; ///< of an integer; at most 2^63 if negative
  bool negative = false;
};

/// `text` is a number of JSON, `nearest` the double next to it, which is the
/// number itself if it is `real`. In `encoded` if it needs its digits. O(text).
[[nodiscard]] exact_number read_exactly(std::string_view text, double nearest,
                                        std::string& encoded);

/// Whether the content of a boost::json::string is such a number.
[[nodiscard]] inline bool is_encoded(std::string_view text) {
  return !text.empty() && text.front() == '\xff';
}

/// Without its digits, for which `encoded` must be at hand.
[[nodiscard]] number decode(std::string_view encoded);

/// Of two numbers, `digits` of at least one; their texts are as encoded, or
/// empty. O(shorter text). Does not allocate.
[[nodiscard]] std::strong_ordering
compare_digits(const number& a, std::string_view a_encoded, const number& b,
               std::string_view b_encoded);

} // namespace fanfare::filter
