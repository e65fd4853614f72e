// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/filter/text_search.hpp"

#include "model/filter/limits.hpp"

namespace fanfare::filter {

std::vector<std::uint16_t> borders_of(std::string_view text) {
  static_assert(text_limit <= UINT16_MAX);
  std::vector<std::uint16_t> borders(text.size());
  std::size_t length = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    while (length > 0 && text[i] != text[length])
      length = borders[length - 1];
    if (text[i] == text[length])
      ++length;
    borders[i] = static_cast<std::uint16_t>(length);
  }
  return borders;
}

bool has_text(std::string_view text, std::string_view wanted,
              const std::vector<std::uint16_t>& borders) {
  if (wanted.size() > text.size())
    return false;
  if (wanted.empty())
    return true;
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (length == 0) {
      // The library skips to the first byte faster than the loop could.
      i = text.find(wanted.front(), i);
      if (i == std::string_view::npos)
        return false;
    }
    while (length > 0 && text[i] != wanted[length])
      length = borders[length - 1];
    if (text[i] == wanted[length])
      ++length;
    if (length == wanted.size())
      return true;
  }
  return false;
}

} // namespace fanfare::filter
