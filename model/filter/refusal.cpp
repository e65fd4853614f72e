// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/filter/refusal.hpp"

#include "model/filter/limits.hpp"

#include <utility>

namespace fanfare::filter {

std::string printable(std::string_view text) {
  constexpr std::size_t limit = 64;
  const auto cut = text.size() > limit;
  if (cut) {
    auto end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end; // not within a character
    text = text.substr(0, end);
  }
  std::string out{text};
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?';
  return cut ? out + "…" : out;
}

error refused(std::string sentence) {
  return {ec::invalid_argument, std::move(sentence), "filter"};
}

error nested_too_deep(const std::string& at) {
  return refused("The filter has objects nested deeper than "
                 + std::to_string(depth_limit) + " levels"
                 + (at.empty() ? "" : " at " + at) + ".");
}

error too_long() {
  return refused("The filter is longer than " + std::to_string(text_limit)
                 + " bytes as JSON text.");
}

} // namespace fanfare::filter
