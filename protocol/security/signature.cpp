// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/signature.hpp"

#include "protocol/base64.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
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
constexpr std::size_t ed25519_key_size = 32; // the seed, and the public key
constexpr std::size_t ed25519_signature_size = 64;

std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

std::string_view text_of(std::span<const unsigned char> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Erases bytes where the scope ends.
template <class Bytes>
class eraser {
public:
  explicit eraser(Bytes& bytes) : bytes_(bytes) {}
  eraser(const eraser&) = delete;
  eraser& operator=(const eraser&) = delete;
  ~eraser() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
  }

private:
  Bytes& bytes_;
};

// -- HMAC ---------------------------------------------------------------------

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

/// A key of an HMAC (RFC 2104) as the states of the two hashes after it.
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

// -- Ed25519 ------------------------------------------------------------------

struct key_ending {
  void operator()(EVP_PKEY* key) const {
    EVP_PKEY_free(key); // erases a private one
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, key_ending>;

struct context_ending {
  void operator()(EVP_MD_CTX* context) const {
    EVP_MD_CTX_free(context);
  }
};
/// One for each call: one for each thread would hold the last key, which takes
/// little time beside the curve's arithmetic.
using context_ptr = std::unique_ptr<EVP_MD_CTX, context_ending>;

context_ptr new_context() {
  context_ptr context{EVP_MD_CTX_new()};
  if (!context)
    throw std::bad_alloc{};
  return context;
}

key_ptr private_key(std::string_view seed) {
  key_ptr key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                           bytes_of(seed).data(), seed.size())};
  if (!key)
    throw std::runtime_error{"Ed25519 failed to take a seed"};
  return key;
}

/// Null if OpenSSL does not take it.
key_ptr public_key(std::string_view bytes) {
  return key_ptr{EVP_PKEY_new_raw_public_key(
    EVP_PKEY_ED25519, nullptr, bytes_of(bytes).data(), bytes.size())};
}

std::array<unsigned char, ed25519_key_size> public_half(EVP_PKEY* key) {
  std::array<unsigned char, ed25519_key_size> bytes{};
  auto size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) != 1
      || size != bytes.size())
    throw std::runtime_error{"Ed25519 failed to give a public key"};
  return bytes;
}

/// Ed25519 reads its message twice and so wants it in one piece.
std::string joined(const signed_content& what) {
  std::string text;
  text.reserve(what.id.size() + what.timestamp.size() + what.body.size() + 2);
  text.append(what.id).append(1, '.').append(what.timestamp);
  text.append(1, '.').append(what.body);
  return text;
}

bool ed25519_verifies(EVP_PKEY* key, std::string_view signature,
                      std::string_view text) {
  const auto context = new_context();
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key)
        == 1
      && EVP_DigestVerify(context.get(), bytes_of(signature).data(),
                          signature.size(), bytes_of(text).data(), text.size())
           == 1;
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
  auto key = private_key(all.substr(0, ed25519_key_size));
  const auto half = public_half(key.get());
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
    key = public_key(*bytes);
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

// -- the legacy header --------------------------------------------------------

/// Calls `add` with the pieces of the text that is signed.
template <class Function>
void expand(std::string_view content, const signed_content& what,
            Function add) {
  const std::pair<std::string_view, std::string_view> places[] = {
    {"{id}", what.id}, {"{timestamp}", what.timestamp}, {"{body}", what.body}};
  std::size_t literal = 0; // where what was not added yet begins
  std::size_t at = 0;
  while ((at = content.find('{', at)) != std::string_view::npos) {
    const auto* const place = std::find_if(
      std::begin(places), std::end(places),
      [&](const auto& p) { return content.substr(at).starts_with(p.first); });
    if (place == std::end(places)) {
      ++at;
      continue;
    }
    add(content.substr(literal, at - literal));
    add(place->second);
    at += place->first.size();
    literal = at;
  }
  add(content.substr(literal));
}

template <class Hash>
void append_legacy_signature(const legacy_signature& how,
                             std::string_view secret,
                             const signed_content& what, std::string& out) {
  const hmac_key<Hash> key{secret};
  typename hmac_key<Hash>::run hmac{key};
  expand(how.content, what, [&](std::string_view piece) { hmac.add(piece); });
  const auto digest = hmac.finish();
  switch (how.text) {
    case legacy_signature::encoding::hex:
      for (const auto byte : digest) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
      }
      return;
    case legacy_signature::encoding::base64: {
      std::array<char, base64_length(Hash::size)> text{};
      encode_base64(digest, text.data());
      out.append(text.data(), text.size());
      return;
    }
  }
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
    const auto half = public_half(ed25519.get());
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
      return signing_key{std::make_shared<state>(private_key(bytes), bytes)};
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
    std::array<unsigned char, ed25519_key_size> seed{};
    const eraser erased{seed};
    auto size = seed.size();
    if (EVP_PKEY_get_raw_private_key(key->get(), seed.data(), &size) != 1)
      throw std::runtime_error{"Ed25519 failed to give a seed"};
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
  const auto text = joined(what);
  const auto context = new_context();
  std::array<unsigned char, ed25519_signature_size> signature{};
  auto size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr,
                         state_->ed25519.get())
        != 1
      || EVP_DigestSign(context.get(), signature.data(), &size,
                        bytes_of(text).data(), text.size())
           != 1)
    throw std::runtime_error{"Ed25519 failed to sign"};
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

void append_legacy_header(const legacy_signature& how, std::string_view secret,
                          const signed_content& what, std::string& out) {
  out.append(how.header).append(": ").append(how.prefix);
  switch (how.digest) {
    case legacy_signature::hash::sha1:
      append_legacy_signature<sha1>(how, secret, what, out);
      break;
    case legacy_signature::hash::sha256:
      append_legacy_signature<sha256>(how, secret, what, out);
      break;
    case legacy_signature::hash::sha512:
      append_legacy_signature<sha512>(how, secret, what, out);
      break;
  }
  out.append("\r\n");
}

} // namespace fanfare::protocol
