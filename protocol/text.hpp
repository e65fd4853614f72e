// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Texts as the API's clients mean them: white space and numbers in text as
/// Python reads them, because the API that Fanfare is compatible with does. All
/// functions: any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

/// One code point of UTF-8 text and how many bytes it takes; U+FFFD for a byte
/// that is not UTF-8.
struct code_point {
  char32_t value = 0;
  std::size_t size = 1;
};
/// The first of `text`, which must not be empty.
[[nodiscard]] code_point first_code_point(std::string_view text);
[[nodiscard]] std::size_t count_code_points(std::string_view text);
/// The text with U+FFFD in place of each byte that is not UTF-8.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

/// Whether it is UTF-8 without NUL.
[[nodiscard]] bool is_plain_text(std::string_view text);

[[nodiscard]] bool is_space(char32_t c);
[[nodiscard]] std::string_view trim(std::string_view text);
/// ASCII letters only.
[[nodiscard]] std::string to_lower(std::string_view text);
/// Between runs of ASCII white space.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

/// " +1_0" is 10. Nothing if it is not a whole number. Out of range, it is the
/// nearest limit.
[[nodiscard]] std::optional<std::int64_t> to_integer(std::string_view text);

/// Turns `%41` into `A`; everything else stays. `plus`: also `+` into a space.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus);
/// For a query: encodes all but letters, digits and `_.-~`; a space becomes
/// `+`.
[[nodiscard]] std::string percent_encode(std::string_view text);

} // namespace fanfare::protocol
