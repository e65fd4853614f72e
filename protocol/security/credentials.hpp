// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Keys that clients authenticate with. A key is shown once; only its hash is
/// kept.

#include <string>
#include <string_view>

namespace fanfare::protocol {

/// 64 random characters of a–z and 0–9 from the system's generator.
[[nodiscard]] std::string make_token_key();

/// SHA-256 of the key, 32 bytes. The key has more than 300 bits of entropy, so
/// neither salt nor a slow hash is needed.
[[nodiscard]] std::string hash_token_key(std::string_view key);

/// Compares in constant time.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b);

} // namespace fanfare::protocol
