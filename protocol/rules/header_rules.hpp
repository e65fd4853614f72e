// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which further headers a webhook's calls may have: none that Fanfare sets
/// itself, none that governs the connection, nothing that could end a line.

#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol {

inline constexpr std::size_t headers_limit = 32;
inline constexpr std::size_t header_name_limit = 128;
inline constexpr std::size_t header_value_limit = 4'096;
/// All of them, as they are sent.
inline constexpr std::size_t header_bytes_limit = 16 * 1'024;

/// Why this header is not allowed, as a sentence; nothing if it is. Any thread.
[[nodiscard]] std::optional<std::string> header_fault(std::string_view name,
                                                      std::string_view value);
/// The same for a name alone.
[[nodiscard]] std::optional<std::string>
header_name_fault(std::string_view name);

/// Whether every byte may stand in a header's value: visible ASCII, spaces and
/// tabs.
[[nodiscard]] bool is_header_text(std::string_view text);

} // namespace fanfare::protocol
