// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Finds a text in another in linear time, whatever the texts are: the
/// algorithm of Knuth, Morris and Pratt. std::string_view::find is quadratic
/// in the worst case, which whoever publishes could provoke.

#include <cstdint>
#include <string_view>
#include <vector>

namespace fanfare::filter {

/// For each prefix of the text, the length of its longest proper prefix that
/// is also its suffix. The text has at most `text_limit` bytes.
[[nodiscard]] std::vector<std::uint16_t> borders_of(std::string_view text);

/// Whether `wanted`, with its borders, is somewhere in `text`.
[[nodiscard]] bool has_text(std::string_view text, std::string_view wanted,
                            const std::vector<std::uint16_t>& borders);

} // namespace fanfare::filter
