// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Times of the API as people read them, in the zone of the system (`TZ`). A
/// text that is no such time stays as it is.

#include "fanfare/types.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace fanfare::cli {

/// "05:38:44" on the day of `now`, "12-01 05:38" in its year, else
/// "2025-12-01".
[[nodiscard]] std::string short_time(std::string_view iso, timestamp now);
/// "3 min ago", "in 40 s"; a short time if it is more than two days away.
[[nodiscard]] std::string relative_time(std::string_view iso, timestamp now);
/// "2026-12-01 05:38:44 (3 min ago)".
[[nodiscard]] std::string full_time(std::string_view iso, timestamp now);
/// "40 s", "3 min", "5 h", "12 days".
[[nodiscard]] std::string rough_duration(std::chrono::milliseconds d);

/// As of this moment.
[[nodiscard]] timestamp time_now();

} // namespace fanfare::cli
