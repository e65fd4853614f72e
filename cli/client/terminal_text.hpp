// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Text of others on a terminal: what receivers and clients sent must not move
/// the cursor, change colours or read backwards. All functions: any thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace fanfare::cli {

/// The text on one line, with control characters and those that change the
/// direction of text as \n, \x1b or \u202e, and U+FFFD for what is not UTF-8.
[[nodiscard]] std::string printable(std::string_view text);

/// Like `printable`, but lines stay lines, and tabs tabs.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// Columns that printable text takes.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// Printable text in at most `width` columns; "…" stands for what was cut off.
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);

} // namespace fanfare::cli
