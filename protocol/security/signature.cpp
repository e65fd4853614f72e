// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/signature.hpp"

#include "protocol/base64.hpp"
#include "protocol/security/ed25519.hpp"
#include "protocol/security/erase.hpp"
#include "protocol/security/hmac.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <utility>

namespace fanfare::protocol {

namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::string_view private_prefix = "whsk_";
constexpr std::string_view public_prefix = "whpk_";
constexpr std::string_view hmac_version = "v1,";
constexpr std::string_view ed25519_version = "v1a,";

constexpr std::size_t shortest_secret = 16;
constexpr std::size_t longest_secret = 75;

/// Base64 of the HMAC of "ID.TIMESTAMP.BODY".
using hmac_text = std::array<char, base64_length(sha256::size)>;

hmac_text hmac_signature(const hmac_key<sha256>& key,
                         const signed_content& what) {
  hmac_key<sha256>::run hmac{key};
  hmac.add(what.id);
  hmac.add(".");
  hmac.add(what.timestamp);
  hmac.add(".");
  hmac.add(what.body);
  const auto digest = hmac.finish();
  hmac_text text{};
  encode_base64(digest, text.data());
  return text;
}

/// Ed25519 reads its message twice and so wants it in one piece.
std::string joined(const signed_content& what) {
  std::string text;
  text.reserve(what.id.size() + what.timestamp.size() + what.body.size() + 2);
  text.append(what.id).append(1, '.').append(what.timestamp);
  text.append(1, '.').append(what.body);
  return text;
}

// -- texts of keys ------------------------------------------------------------

error bad_secret(std::string detail) {
  return {ec::invalid_argument, std::move(detail), "secret"};
}

/// The bytes after the prefix. The caller erases them.
result<std::string> key_bytes(std::string_view text, std::string_view prefix) {
  auto bytes = decode_base64(text.substr(prefix.size()));
  if (!bytes || bytes->empty())
    return bad_secret("what follows " + std::string{prefix} + " is not Base64");
  return std::move(*bytes);
}

/// Of "whsk_…".
result<key_ptr> parse_private_key(std::string_view text) {
  auto bytes = key_bytes(text, private_prefix);
  if (!bytes)
    return bytes.error();
  const eraser erased{*bytes};
  const std::string_view all{*bytes};
  if (all.size() != ed25519_key_size && all.size() != 2 * ed25519_key_size)
    return bad_secret("whsk_ is followed by " + std::to_string(all.size())
                      + " bytes in Base64; a private key has 64 (seed and "
                        "public key) or 32 (seed)");
  auto key = ed25519_private_key(all.substr(0, ed25519_key_size));
  const auto half = ed25519_public_half(key.get());
  // Half a key pasted into another one would sign what nobody can verify.
  if (all.size() == 2 * ed25519_key_size
      && all.substr(ed25519_key_size) != text_of(half))
    return bad_secret("the second half of the private key is not the public "
                      "key of its first half");
  return key;
}

/// Of "whpk_…".
result<key_ptr> parse_public_key(std::string_view text) {
  auto bytes = key_bytes(text, public_prefix);
  if (!bytes)
    return bytes.error();
  key_ptr key;
  if (bytes->size() == ed25519_key_size)
    key = ed25519_public_key(*bytes);
  if (!key)
    return bad_secret("whpk_ is followed by " + std::to_string(bytes->size())
                      + " bytes in Base64; a public key has 32");
  return key;
}

/// Calls `each` with the signatures of a header.
template <class Function>
void for_each_signature(std::string_view header, Function each) {
  while (!header.empty()) {
    const auto space = std::min(header.find(' '), header.size());
    each(header.substr(0, space));
    header.remove_prefix(std::min(space + 1, header.size()));
  }
}

bool verify_hmac(std::string_view secret, const signed_content& what,
                 std::string_view header) {
  const hmac_key<sha256> key{secret};
  const auto expected = hmac_signature(key, what);
  bool found = false;
  for_each_signature(header, [&](std::string_view one) {
    if (!one.starts_with(hmac_version))
      return;
    one.remove_prefix(hmac_version.size());
    if (one.size() == expected.size()
        && CRYPTO_memcmp(one.data(), expected.data(), expected.size()) == 0)
      found = true;
  });
  return found;
}

bool verify_ed25519(EVP_PKEY* key, const signed_content& what,
                    std::string_view header) {
  const auto text = joined(what);
  bool found = false;
  for_each_signature(header, [&](std::string_view one) {
    if (found || !one.starts_with(ed25519_version))
      return;
    one.remove_prefix(ed25519_version.size());
    if (one.size() != base64_length(ed25519_signature_size))
      return;
    const auto bytes = decode_base64(one);
    // There is one way to write a signature.
    if (bytes && bytes->size() == ed25519_signature_size
        && encode_base64(bytes_of(*bytes)) == one)
      found = ed25519_verifies(key, *bytes, text);
  });
  return found;
}

} // namespace

// -- signing_key --------------------------------------------------------------

struct signing_key::state {
  explicit state(std::string_view secret, std::string shown)
    : text(std::move(shown)),
      algorithm(signing_algorithm::hmac_sha256),
      hmac(std::in_place, secret) {}

  explicit state(key_ptr key, std::string_view seed)
    : algorithm(signing_algorithm::ed25519),
      ed25519(std::move(key)) {
    const auto half = ed25519_public_half(ed25519.get());
    std::array<unsigned char, 2 * ed25519_key_size> both{};
    const eraser erased{both};
    std::copy(seed.begin(), seed.end(), both.begin());
    std::copy(half.begin(), half.end(), both.begin() + ed25519_key_size);
    text.resize(private_prefix.size() + base64_length(both.size()));
    std::copy(private_prefix.begin(), private_prefix.end(), text.begin());
    encode_base64(both, text.data() + private_prefix.size());
    public_text = std::string{public_prefix} + encode_base64(half);
  }

  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    OPENSSL_cleanse(text.data(), text.size());
  }

  std::string text;
  std::string public_text;
  signing_algorithm algorithm;
  std::optional<hmac_key<sha256>> hmac;
  key_ptr ed25519; // signing does not change it
};

signing_key::signing_key(std::shared_ptr<const state> s)
  : state_(std::move(s)) {}

signing_key::signing_key(const signing_key&) = default;
signing_key::signing_key(signing_key&&) noexcept = default;
signing_key& signing_key::operator=(const signing_key&) = default;
signing_key& signing_key::operator=(signing_key&&) noexcept = default;
signing_key::~signing_key() = default;

signing_key signing_key::make(signing_algorithm algorithm) {
  std::array<unsigned char, 32> random{};
  const eraser erased{random};
  if (RAND_priv_bytes(random.data(), static_cast<int>(random.size())) != 1)
    throw std::runtime_error{"the system's random generator failed"};
  const auto bytes = text_of(random);
  switch (algorithm) {
    case signing_algorithm::hmac_sha256: {
      std::string text(secret_prefix.size() + base64_length(random.size()),
                       '\0');
      std::copy(secret_prefix.begin(), secret_prefix.end(), text.begin());
      encode_base64(random, text.data() + secret_prefix.size());
      return signing_key{std::make_shared<state>(bytes, std::move(text))};
    }
    case signing_algorithm::ed25519:
      return signing_key{
        std::make_shared<state>(ed25519_private_key(bytes), bytes)};
    case signing_algorithm::none: break;
  }
  throw std::logic_error{"there are no keys for calls that are not signed"};
}

result<signing_key> signing_key::parse(std::string_view text) {
  if (text.starts_with(secret_prefix)) {
    auto bytes = key_bytes(text, secret_prefix);
    if (!bytes)
      return bytes.error();
    const eraser erased{*bytes};
    if (bytes->size() < shortest_secret || bytes->size() > longest_secret)
      return bad_secret("whsec_ is followed by " + std::to_string(bytes->size())
                        + " bytes in Base64; a secret has 16 to 75");
    return signing_key{std::make_shared<state>(*bytes, std::string{text})};
  }
  if (text.starts_with(private_prefix)) {
    auto key = parse_private_key(text);
    if (!key)
      return key.error();
    auto seed = ed25519_seed(key->get());
    const eraser erased{seed};
    return signing_key{std::make_shared<state>(std::move(*key), text_of(seed))};
  }
  if (text.starts_with(public_prefix))
    return bad_secret("whpk_ begins a public key, which cannot sign; give the "
                      "private one, whsk_");
  return bad_secret("a secret begins with whsec_, a private key with whsk_");
}

signing_algorithm signing_key::algorithm() const noexcept {
  return state_->algorithm;
}

std::string signing_key::text() const {
  return state_->text;
}

std::string signing_key::public_text() const {
  return state_->public_text;
}

void signing_key::sign(const signed_content& what, std::string& out) const {
  if (state_->hmac) {
    const auto text = hmac_signature(*state_->hmac, what);
    out.append(hmac_version).append(text.data(), text.size());
    return;
  }
  const auto signature = ed25519_sign(state_->ed25519.get(), joined(what));
  std::array<char, base64_length(ed25519_signature_size)> encoded{};
  encode_base64(signature, encoded.data());
  out.append(ed25519_version).append(encoded.data(), encoded.size());
}

// -- verification -------------------------------------------------------------

result<signing_algorithm> verification_algorithm(std::string_view key) {
  if (key.starts_with(secret_prefix)) {
    auto bytes = key_bytes(key, secret_prefix);
    if (!bytes)
      return bytes.error();
    const eraser erased{*bytes};
    return signing_algorithm::hmac_sha256;
  }
  if (key.starts_with(private_prefix)) {
    if (const auto parsed = parse_private_key(key); !parsed)
      return parsed.error();
    return signing_algorithm::ed25519;
  }
  if (key.starts_with(public_prefix)) {
    if (const auto parsed = parse_public_key(key); !parsed)
      return parsed.error();
    return signing_algorithm::ed25519;
  }
  return bad_secret("a secret begins with whsec_, a public key with whpk_, a "
                    "private one with whsk_");
}

bool verify_signature(std::string_view key, const signed_content& what,
                      std::string_view header) {
  if (key.starts_with(secret_prefix)) {
    auto bytes = key_bytes(key, secret_prefix);
    if (!bytes)
      return false;
    const eraser erased{*bytes};
    return verify_hmac(*bytes, what, header);
  }
  if (key.starts_with(private_prefix) || key.starts_with(public_prefix)) {
    const auto parsed = key.starts_with(private_prefix) ? parse_private_key(key)
                                                        : parse_public_key(key);
    return parsed && verify_ed25519(parsed->get(), what, header);
  }
  return false;
}

// -- headers ------------------------------------------------------------------

void append_signature_headers(std::span<const signing_key> keys,
                              const signed_content& what, std::string& out) {
  if (keys.empty())
    return;
  constexpr std::string_view line_end = "\r\n";
  out.append("webhook-id: ").append(what.id).append(line_end);
  out.append("webhook-timestamp: ").append(what.timestamp).append(line_end);
  out.append("webhook-signature:");
  for (const auto& key : keys) {
    out += ' ';
    key.sign(what, out);
  }
  out.append(line_end);
}

} // namespace fanfare::protocol
