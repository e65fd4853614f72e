// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).

#include <cstdint>
#include <string_view>

namespace fanfare::storage::log {

/// Of the bytes; `before` is that of what comes before them. By the processor's
/// instruction where it has one.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes,
                                   std::uint32_t before = 0);
/// The same without that instruction.
[[nodiscard]] std::uint32_t crc32c_by_table(std::string_view bytes,
                                            std::uint32_t before = 0);

} // namespace fanfare::storage::log
