// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Untrusted text on a terminal: what receivers and clients sent must not move
/// the cursor, change colours or the direction of text. Any thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace fanfare::cli {

/// The text on one line: control characters and those that change the direction
/// of text as \n, \x1b or \u202e, and U+FFFD for invalid UTF-8.
[[nodiscard]] std::string printable(std::string_view text);

/// Like `printable`, but keeps line ends and tabs.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// Columns that printable text occupies.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// Printable text in at most `width` columns; "…" marks where it was cut.
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);

} // namespace fanfare::cli
