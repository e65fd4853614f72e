// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Durations and sizes as written on a command line.

#include "fanfare/error.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::cli {

/// What parse_duration() takes, for the help.
inline constexpr const char* duration_help =
  "DURATION: a whole number with ms, s, m, h or d, as in 500ms, 30s, 5m, 2h or "
  "3d; alone, seconds.";

/// What parse_size() takes, for the help.
inline constexpr const char* size_help =
  "SIZE: a whole number with K, M, G or T (powers of 1024), as in 512M or 64G; "
  "alone, bytes.";

/// "250ms", "5s", "10m", "3h", "30d"; a number alone means seconds.
result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Durations joined by commas: "5s,30s,5m".
result<std::vector<std::chrono::milliseconds>>
parse_schedule(std::string_view text);

/// "512M", "64G", "1T" (powers of 1024); a number alone means bytes.
result<std::size_t> parse_size(std::string_view text);

} // namespace fanfare::cli
