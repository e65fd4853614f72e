// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Compares field names: ASCII and case-insensitive (RFC 9110, 5.1).

#include <algorithm>
#include <string_view>

namespace fanfare::protocol::server {

[[nodiscard]] inline char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// `lower` is in lower case.
[[nodiscard]] inline bool equals_lower(std::string_view text,
                                       std::string_view lower) {
  return text.size() == lower.size()
      && std::equal(text.begin(), text.end(), lower.begin(),
                    [](char x, char y) { return to_lower(x) == y; });
}

} // namespace fanfare::protocol::server
