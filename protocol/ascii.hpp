// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Characters of ASCII, whatever the locale; names of fields compare like this
/// (RFC 9110, 5.1). All functions: any thread.

#include <algorithm>
#include <string_view>

namespace fanfare::protocol {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// A blank within a line (RFC 9110, 5.6.3).
[[nodiscard]] constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

[[nodiscard]] constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// Of a hexadecimal digit; -1 for anything else.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (is_digit(c))
    return c - '0';
  const char l = ascii_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// `lower` is in lower case.
[[nodiscard]] constexpr bool equals_lower(std::string_view text,
                                          std::string_view lower) noexcept {
  return text.size() == lower.size()
      && std::equal(text.begin(), text.end(), lower.begin(),
                    [](char x, char y) { return ascii_lower(x) == y; });
}

} // namespace fanfare::protocol
