// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/terminal_text.hpp"

#include "protocol/text.hpp"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <cstdio>

namespace fanfare::cli {

namespace {

using protocol::code_point;
using protocol::first_code_point;

/// Columns of a character, or -1 for a control character. Uses a locale of its
/// own: the user's may not be UTF-8.
int width_of(char32_t c) {
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (c >= 0x20 && c < 0x7f)
    return 1;
  if (utf8 == nullptr)
    return -1;
  const auto before = uselocale(utf8);
  const int width = wcwidth(static_cast<wchar_t>(c));
  uselocale(before);
  return width;
}

bool is_dangerous(char32_t c) {
  const bool directs = (c >= 0x200b && c <= 0x200f)
                    || (c >= 0x2028 && c <= 0x202e)
                    || (c >= 0x2060 && c <= 0x206f) || c == 0x61c
                    || c == 0xfeff;
  return directs || width_of(c) < 0;
}

void append_escaped(std::string& out, char32_t c) {
  switch (c) {
    case U'\n': out += "\\n"; return;
    case U'\r': out += "\\r"; return;
    case U'\t': out += "\\t"; return;
    default: break;
  }
  char text[16];
  std::snprintf(text, sizeof text, c < 0x80 ? "\\x%02x" : "\\u%04x",
                static_cast<unsigned>(c));
  out += text;
}

std::string escaped(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto next = first_code_point(text);
    if (keep_lines && (next.value == U'\n' || next.value == U'\t'))
      out += text.front();
    else if (is_dangerous(next.value))
      append_escaped(out, next.value);
    else if (next.value == 0xfffd)
      out += "\xef\xbf\xbd"; // also for invalid UTF-8
    else
      out += text.substr(0, next.size);
    text.remove_prefix(next.size);
  }
  return out;
}

} // namespace

std::string printable(std::string_view text) {
  return escaped(text, false);
}

std::string printable_lines(std::string_view text) {
  return escaped(text, true);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto next = first_code_point(text);
    width += static_cast<std::size_t>(std::max(0, width_of(next.value)));
    text.remove_prefix(next.size);
  }
  return width;
}

std::string cut(std::string_view text, std::size_t width) {
  if (display_width(text) <= width)
    return std::string{text};
  if (width == 0)
    return {};
  std::size_t used = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const auto next = first_code_point(text.substr(bytes));
    const auto columns = static_cast<std::size_t>(
      std::max(0, width_of(next.value)));
    if (used + columns > width - 1) // one column for the ellipsis
      break;
    used += columns;
    bytes += next.size;
  }
  return std::string{text.substr(0, bytes)} + "…";
}

} // namespace fanfare::cli
