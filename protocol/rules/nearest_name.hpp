// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which of the known names was meant by one that is not known.

#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

/// The name in `known` with the smallest edit distance; empty if there is
/// none.
[[nodiscard]] std::string nearest_name(std::string_view name,
                                       const std::vector<std::string>& known);

/// The one that `name` begins with or is the beginning of, or else the nearest
/// that a few slips of the finger turn into it; empty if there is none.
[[nodiscard]] std::string similar_name(std::string_view name,
                                       const std::vector<std::string>& known);

} // namespace fanfare::protocol
