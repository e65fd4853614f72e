// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// HMAC (RFC 2104) with SHA-1, SHA-256 and SHA-512. INTERNAL to security/.

#include "protocol/security/erase.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace fanfare::protocol {

// The low-level functions are deprecated in OpenSSL 3, but their states are
// plain values: a copy on the stack is all that a signature needs, where
// EVP_MAC_CTX_dup allocates several objects and takes three times as long as
// the hashing itself. They cannot fail.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

struct sha1 {
  using state = SHA_CTX;
  static constexpr std::size_t block_size = SHA_CBLOCK;
  static constexpr std::size_t size = SHA_DIGEST_LENGTH;
  static void start(state& s) {
    SHA1_Init(&s);
  }
  static void add(state& s, const void* data, std::size_t length) {
    SHA1_Update(&s, data, length);
  }
  static void finish(state& s, unsigned char* digest) {
    SHA1_Final(digest, &s);
  }
};

struct sha256 {
  using state = SHA256_CTX;
  static constexpr std::size_t block_size = SHA256_CBLOCK;
  static constexpr std::size_t size = SHA256_DIGEST_LENGTH;
  static void start(state& s) {
    SHA256_Init(&s);
  }
  static void add(state& s, const void* data, std::size_t length) {
    SHA256_Update(&s, data, length);
  }
  static void finish(state& s, unsigned char* digest) {
    SHA256_Final(digest, &s);
  }
};

struct sha512 {
  using state = SHA512_CTX;
  static constexpr std::size_t block_size = SHA512_CBLOCK;
  static constexpr std::size_t size = SHA512_DIGEST_LENGTH;
  static void start(state& s) {
    SHA512_Init(&s);
  }
  static void add(state& s, const void* data, std::size_t length) {
    SHA512_Update(&s, data, length);
  }
  static void finish(state& s, unsigned char* digest) {
    SHA512_Final(digest, &s);
  }
};

#pragma GCC diagnostic pop

/// A key, kept as the states of the two hashes after it. Immutable; any thread.
template <class Hash>
class hmac_key {
public:
  explicit hmac_key(std::string_view key) {
    std::array<unsigned char, Hash::block_size> pad{};
    const eraser erased{pad};
    if (key.size() > pad.size()) {
      Hash::start(inner_);
      Hash::add(inner_, key.data(), key.size());
      Hash::finish(inner_, pad.data());
    } else {
      std::copy(key.begin(), key.end(), pad.begin());
    }
    for (auto& byte : pad)
      byte ^= 0x36U;
    Hash::start(inner_);
    Hash::add(inner_, pad.data(), pad.size());
    for (auto& byte : pad)
      byte ^= 0x36U ^ 0x5cU;
    Hash::start(outer_);
    Hash::add(outer_, pad.data(), pad.size());
  }
  hmac_key(const hmac_key&) = delete;
  hmac_key& operator=(const hmac_key&) = delete;
  ~hmac_key() {
    // Who knows them can sign.
    OPENSSL_cleanse(&inner_, sizeof inner_);
    OPENSSL_cleanse(&outer_, sizeof outer_);
  }

  /// One computation.
  class run {
  public:
    explicit run(const hmac_key& key) : key_(key), state_(key.inner_) {}
    run(const run&) = delete;
    run& operator=(const run&) = delete;
    ~run() {
      OPENSSL_cleanse(&state_, sizeof state_);
    }

    void add(std::string_view text) {
      Hash::add(state_, text.data(), text.size());
    }
    [[nodiscard]] std::array<unsigned char, Hash::size> finish() {
      std::array<unsigned char, Hash::size> digest{};
      Hash::finish(state_, digest.data());
      state_ = key_.outer_;
      Hash::add(state_, digest.data(), digest.size());
      Hash::finish(state_, digest.data());
      return digest;
    }

  private:
    const hmac_key& key_;
    typename Hash::state state_;
  };

private:
  typename Hash::state inner_;
  typename Hash::state outer_;
};

} // namespace fanfare::protocol
