// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Base64 of RFC 4648, the alphabet with + and /, for keys and signatures.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// How many characters `encode_base64` writes, padding included.
[[nodiscard]] constexpr std::size_t base64_length(std::size_t bytes) noexcept {
  return (bytes + 2) / 3 * 4;
}

/// Writes the characters, without a NUL, and returns the end. The buffer must
/// have room for `base64_length(bytes.size())`. Allocates nothing.
char* encode_base64(std::span<const unsigned char> bytes, char* to) noexcept;
[[nodiscard]] std::string encode_base64(std::span<const unsigned char> bytes);

/// The bytes; nothing if it is not Base64. Padding may be absent and unused
/// bits may be set, because people paste such texts: two texts may mean the
/// same.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

} // namespace fanfare::protocol
