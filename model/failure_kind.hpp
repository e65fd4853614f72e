// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What kind of failure a call is, for counters and statistics: few kinds,
/// which do not grow.

#include "fanfare/types.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace fanfare {

/// As the label says them. The first ones are what a call's reason begins with.
/// Statistics on disk hold places in this list: another kind goes to its end.
inline constexpr std::array<std::string_view, 18> failure_kinds{
  "policy",   "dns",       "connect",   "proxy",     "tls",        "timeout",
  "reset",    "malformed", "too_large", "cancelled", "internal",   "http_3xx",
  "http_4xx", "http_410",  "http_429",  "http_5xx",  "unsendable", "unsent"};

/// Whether the receiver has answered, only not with success.
constexpr bool is_answered(std::size_t kind) {
  return failure_kinds[kind].starts_with("http_");
}

/// The place in failure_kinds; nothing for a success.
[[nodiscard]] std::optional<std::size_t> failure_kind_of(const call& entry);

} // namespace fanfare
