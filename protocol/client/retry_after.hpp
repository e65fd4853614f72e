// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The `Retry-After` header (RFC 9110, section 10.2.3).

#include "fanfare/types.hpp"

#include <optional>
#include <string_view>

namespace fanfare::protocol {

/// When to retry: a number of seconds from `now`, or a date in one of the three
/// forms of RFC 9110, section 5.6.7, whose day of the week is not checked, and
/// which may also end with UTC, -0000 or +0000. A date in the past is `now`;
/// nothing if the text is neither, or no day of the calendar. Any thread.
[[nodiscard]] std::optional<timestamp> read_retry_after(std::string_view text,
                                                        timestamp now);

} // namespace fanfare::protocol
