// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/ed25519.hpp"

#include "protocol/security/erase.hpp"

#include <new>
#include <stdexcept>

namespace fanfare::protocol {

namespace {

struct digest_context_deleter {
  void operator()(EVP_MD_CTX* context) const {
    EVP_MD_CTX_free(context);
  }
};
/// One for each call: one for each thread would hold the last key. It takes
/// little time beside the curve's arithmetic.
using digest_context = std::unique_ptr<EVP_MD_CTX, digest_context_deleter>;

digest_context new_digest_context() {
  digest_context context{EVP_MD_CTX_new()};
  if (!context)
    throw std::bad_alloc{};
  return context;
}

} // namespace

key_ptr ed25519_private_key(std::string_view seed) {
  key_ptr key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                           bytes_of(seed).data(), seed.size())};
  if (!key)
    throw std::runtime_error{"Ed25519 failed to take a seed"};
  return key;
}

key_ptr ed25519_public_key(std::string_view bytes) {
  return key_ptr{EVP_PKEY_new_raw_public_key(
    EVP_PKEY_ED25519, nullptr, bytes_of(bytes).data(), bytes.size())};
}

ed25519_half ed25519_seed(EVP_PKEY* key) {
  ed25519_half bytes{};
  auto size = bytes.size();
  if (EVP_PKEY_get_raw_private_key(key, bytes.data(), &size) != 1)
    throw std::runtime_error{"Ed25519 failed to give a seed"};
  return bytes;
}

ed25519_half ed25519_public_half(EVP_PKEY* key) {
  ed25519_half bytes{};
  auto size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) != 1
      || size != bytes.size())
    throw std::runtime_error{"Ed25519 failed to give a public key"};
  return bytes;
}

ed25519_signature ed25519_sign(EVP_PKEY* key, std::string_view text) {
  const auto context = new_digest_context();
  ed25519_signature signature{};
  auto size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1
      || EVP_DigestSign(context.get(), signature.data(), &size,
                        bytes_of(text).data(), text.size())
           != 1)
    throw std::runtime_error{"Ed25519 failed to sign"};
  return signature;
}

bool ed25519_verifies(EVP_PKEY* key, std::string_view signature,
                      std::string_view text) {
  const auto context = new_digest_context();
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key)
        == 1
      && EVP_DigestVerify(context.get(), bytes_of(signature).data(),
                          signature.size(), bytes_of(text).data(), text.size())
           == 1;
}

} // namespace fanfare::protocol
