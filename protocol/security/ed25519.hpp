// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Ed25519 (RFC 8032) by means of OpenSSL. INTERNAL to security/. Any thread;
/// throws if OpenSSL fails for reasons of its own.

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace fanfare::protocol {

/// Of the seed, and of the public key.
inline constexpr std::size_t ed25519_key_size = 32;
inline constexpr std::size_t ed25519_signature_size = 64;

struct key_deleter {
  void operator()(EVP_PKEY* key) const {
    EVP_PKEY_free(key); // erases a private one
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, key_deleter>;

using ed25519_half = std::array<unsigned char, ed25519_key_size>;
using ed25519_signature = std::array<unsigned char, ed25519_signature_size>;

[[nodiscard]] key_ptr ed25519_private_key(std::string_view seed);
/// Null if OpenSSL does not take it.
[[nodiscard]] key_ptr ed25519_public_key(std::string_view bytes);

/// The caller erases it.
[[nodiscard]] ed25519_half ed25519_seed(EVP_PKEY* key);
[[nodiscard]] ed25519_half ed25519_public_half(EVP_PKEY* key);

/// Does not change the key.
[[nodiscard]] ed25519_signature ed25519_sign(EVP_PKEY* key,
                                             std::string_view text);
[[nodiscard]] bool ed25519_verifies(EVP_PKEY* key, std::string_view signature,
                                    std::string_view text);

} // namespace fanfare::protocol
