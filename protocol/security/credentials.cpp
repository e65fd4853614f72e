// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/credentials.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace fanfare::protocol {

std::string make_token_key() {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t length = 64;
  std::string key;
  std::array<unsigned char, 128> random{};
  while (key.size() < length) {
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
      throw std::runtime_error{"the system's random generator failed"};
    // 252 is the largest multiple of 36 in a byte: above it characters would
    // not be equally likely.
    for (auto byte : random)
      if (byte < 252 && key.size() < length)
        key += alphabet[byte % alphabet.size()];
  }
  return key;
}

std::string hash_token_key(std::string_view key) {
  // Looked up once: EVP_sha256() has OpenSSL search its providers each time,
  // which takes longer than the hashing.
  static const auto* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  struct ending {
    void operator()(EVP_MD_CTX* which) const {
      EVP_MD_CTX_free(which);
    }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, ending> context{
    EVP_MD_CTX_new()};
  std::string hash(32, '\0');
  if (EVP_DigestInit_ex2(context.get(), sha256, nullptr) != 1
      || EVP_DigestUpdate(context.get(), key.data(), key.size()) != 1
      || EVP_DigestFinal_ex(context.get(),
                            reinterpret_cast<unsigned char*>(hash.data()),
                            nullptr)
           != 1)
    throw std::runtime_error{"SHA-256 failed"};
  return hash;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size()
      && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace fanfare::protocol
