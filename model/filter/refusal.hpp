// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The errors for filters that are refused: one sentence each, about the field
/// "filter".

#include "fanfare/error.hpp"

#include <string>
#include <string_view>

namespace fanfare::filter {

/// A name as part of a sentence: on one line, cut if it is long.
[[nodiscard]] std::string printable(std::string_view text);

[[nodiscard]] error refused(std::string sentence);

/// `at` is where in the filter, "" if that is not known.
[[nodiscard]] error nested_too_deep(const std::string& at);

[[nodiscard]] error too_long();

} // namespace fanfare::filter
