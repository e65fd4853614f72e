// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Names of organizers and events, as they appear in paths.

#include <cstddef>
#include <string_view>

namespace fanfare::protocol {

inline constexpr std::size_t slug_limit = 50;

/// 1 to 50 of `A-Z a-z 0-9 . _ -`, the first a letter or digit, so that neither
/// "." nor ".." is one. Any thread.
[[nodiscard]] constexpr bool is_slug(std::string_view text) noexcept {
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.size() > slug_limit || !word(text.front()))
    return false;
  for (const char c : text)
    if (!word(c) && c != '.' && c != '_' && c != '-')
      return false;
  return true;
}

/// The sentence for a text that is not a slug.
inline constexpr std::string_view
  slug_rule = "A slug is made of 1 to 50 letters, digits, dots, underscores "
              "and hyphens, and begins with a "
              "letter or digit.";

} // namespace fanfare::protocol
