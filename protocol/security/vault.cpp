// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/vault.hpp"

#include "protocol/ascii.hpp"
#include "protocol/base64.hpp"
#include "protocol/security/private_file.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

namespace fanfare::protocol {

namespace {

constexpr char format_plain = 1;
constexpr char format_aes_256_gcm = 2;

constexpr std::size_t key_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t overhead = 1 + nonce_size + tag_size;
constexpr std::size_t largest_file = std::size_t{64} * 1024;

using vault_key = std::array<unsigned char, key_size>;

struct cipher_context_deleter {
  void operator()(EVP_CIPHER_CTX* context) const {
    EVP_CIPHER_CTX_free(context); // erases the key in it
  }
};
using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, cipher_context_deleter>;

cipher_context new_cipher_context() {
  cipher_context context{EVP_CIPHER_CTX_new()};
  if (!context)
    throw std::bad_alloc{};
  return context;
}

const EVP_CIPHER* aes_256_gcm() {
  // Looked up once: EVP_aes_256_gcm() has OpenSSL search its providers each
  // time.
  static const auto* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM",
                                                     nullptr);
  if (!cipher)
    throw std::runtime_error{"OpenSSL has no AES-256-GCM"};
  return cipher;
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes(char* text) {
  return reinterpret_cast<unsigned char*>(text);
}

/// What EVP counts in an int.
bool fits(std::string_view text) {
  return text.size() <= INT_MAX - overhead;
}

/// The text, if it was sealed with this key.
std::optional<std::string> opened(const vault_key& key, std::string_view sealed,
                                  std::string_view purpose) {
  const auto nonce = sealed.substr(1, nonce_size);
  const auto cipher = sealed.substr(1 + nonce_size, sealed.size() - overhead);
  // OpenSSL wants to write to what it only reads.
  std::array<unsigned char, tag_size> tag{};
  std::memcpy(tag.data(), sealed.data() + sealed.size() - tag_size, tag_size);
  const auto context = new_cipher_context();
  std::string plain(cipher.size(), '\0');
  int length = 0;
  int rest = 0;
  if (EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), key.data(),
                          bytes(nonce), nullptr)
        == 1
      && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG,
                             static_cast<int>(tag.size()), tag.data())
           == 1
      && EVP_DecryptUpdate(context.get(), nullptr, &length, bytes(purpose),
                           static_cast<int>(purpose.size()))
           == 1
      && EVP_DecryptUpdate(context.get(), bytes(plain.data()), &length,
                           bytes(cipher), static_cast<int>(cipher.size()))
           == 1
      && EVP_DecryptFinal_ex(context.get(), bytes(plain.data()) + length, &rest)
           == 1)
    return plain;
  // The text was decrypted before its tag was found to be wrong.
  OPENSSL_cleanse(plain.data(), plain.size());
  return std::nullopt;
}

// -- texts of keys ------------------------------------------------------------

bool read_hex(std::string_view text, vault_key& key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto high = hex_value(text[2 * i]);
    const auto low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return false;
    key[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

/// Whether the line is a key.
bool read_key(std::string_view line, vault_key& key) {
  if (line.size() == 2 * key_size)
    return read_hex(line, key);
  if (line.size() != base64_length(key_size))
    return false;
  auto decoded = decode_base64(line).value_or(std::string{});
  const auto good = decoded.size() == key_size;
  if (good)
    std::copy(decoded.begin(), decoded.end(), key.begin());
  OPENSSL_cleanse(decoded.data(), decoded.size());
  return good;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

/// Calls `each` with the lines that should be keys, and their numbers, until it
/// returns false.
template <class Function>
void for_each_key_line(std::string_view text, Function each) {
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (!line.empty() && !line.starts_with('#') && !each(line, number))
      return;
  }
}

/// Whether it is text without a key. Random bytes that begin with # are a key:
/// they are not all printable.
bool only_comments(std::string_view text) {
  const auto printable = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n';
  });
  bool none = true;
  if (printable)
    for_each_key_line(text, [&](auto, auto) { return none = false; });
  return printable && none;
}

error bad_key(std::string detail) {
  return {ec::invalid_argument, std::move(detail)};
}

} // namespace

vault::~vault() {
  erase();
}

vault& vault::operator=(const vault& other) {
  if (this != &other) {
    auto copy = other.keys_;
    erase();
    keys_.swap(copy);
  }
  return *this;
}

void vault::erase() noexcept {
  for (auto& key : keys_)
    OPENSSL_cleanse(key.data(), key.size());
}

result<vault> vault::from_text(std::string_view text) {
  vault made;
  vault_key key{};
  if (text.size() == key_size && !only_comments(text)) {
    made.keys_.emplace_back();
    std::copy(text.begin(), text.end(), made.keys_.back().begin());
    return made;
  }
  // Reserved at once: a vector that grows leaves copies of keys behind.
  made.keys_.reserve(
    static_cast<std::size_t>(1 + std::count(text.begin(), text.end(), '\n')));
  std::size_t bad_line = 0;
  for_each_key_line(text, [&](std::string_view line, std::size_t number) {
    if (!read_key(line, key)) {
      bad_line = number;
      return false;
    }
    made.keys_.push_back(key);
    return true;
  });
  OPENSSL_cleanse(key.data(), key.size());
  if (bad_line != 0)
    return bad_key("line " + std::to_string(bad_line)
                   + " is not a key: write 32 bytes as 64 hexadecimal digits "
                     "or as 44 characters of Base64");
  if (made.keys_.empty())
    return bad_key("there is no key in it: write one per line, 32 bytes as 64 "
                   "hexadecimal digits or as 44 characters of Base64");
  return made;
}

result<vault> vault::from_file(const std::string& path) {
  auto text = read_private_file(path, largest_file);
  if (!text)
    return text.error();
  auto made = from_text(*text);
  OPENSSL_cleanse(text->data(), text->size());
  if (!made)
    return error{made.error().code, path + ": " + made.error().detail};
  return made;
}

std::string vault::seal(std::string_view plain,
                        std::string_view purpose) const {
  std::string out;
  if (keys_.empty()) {
    out.reserve(1 + plain.size());
    out += format_plain;
    out += plain;
    return out;
  }
  if (!fits(plain) || !fits(purpose))
    throw std::length_error{"too long to be sealed"};
  out.resize(overhead + plain.size());
  out[0] = format_aes_256_gcm;
  auto* const nonce = bytes(out.data()) + 1;
  auto* const cipher = nonce + nonce_size;
  auto* const tag = cipher + plain.size();
  // Random: with 2^32 texts under one key, far more than there ever are, two
  // share a nonce with a probability below 2^-32.
  if (RAND_bytes(nonce, nonce_size) != 1)
    throw std::runtime_error{"the system's random generator failed"};
  const auto context = new_cipher_context();
  int length = 0;
  int rest = 0;
  if (EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), keys_.front().data(),
                          nonce, nullptr)
        != 1
      || EVP_EncryptUpdate(context.get(), nullptr, &length, bytes(purpose),
                           static_cast<int>(purpose.size()))
           != 1
      || EVP_EncryptUpdate(context.get(), cipher, &length, bytes(plain),
                           static_cast<int>(plain.size()))
           != 1
      || EVP_EncryptFinal_ex(context.get(), cipher + length, &rest) != 1
      || EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG,
                             static_cast<int>(tag_size), tag)
           != 1)
    throw std::runtime_error{"AES-256-GCM failed"};
  return out;
}

namespace {

std::string_view purpose_of(secret_text::use what) {
  switch (what) {
    case secret_text::use::header: return "header";
    case secret_text::use::client_key: return "client key";
    case secret_text::use::proxy: return "proxy";
  }
  return {};
}

} // namespace

secret_text vault::seal(const secret_text& text, secret_text::use what) const {
  if (text.is_sealed())
    return text;
  return secret_text::sealed(seal(text.bytes(), purpose_of(what)), what);
}

result<std::string> vault::open(const secret_text& text) const {
  if (!text.is_sealed())
    return text.bytes();
  return open(text.bytes(), purpose_of(*text.used_for()));
}

result<std::string> vault::open(std::string_view sealed,
                                std::string_view purpose) const {
  if (sealed.starts_with(format_plain))
    return std::string{sealed.substr(1)};
  if (!is_encrypted(sealed))
    return bad_key(
      "a stored secret is neither plain nor sealed: it is damaged, "
      "or a newer version of Fanfare wrote it");
  if (keys_.empty())
    return bad_key("a stored secret is sealed and no key was given: give the "
                   "key that it was sealed with");
  if (sealed.size() >= overhead && fits(sealed) && fits(purpose))
    for (const auto& key : keys_)
      if (auto plain = opened(key, sealed, purpose))
        return std::move(*plain);
  return bad_key("no key opens a stored secret: give the key that was used, "
                 "beside the new one if it was replaced");
}

bool vault::is_encrypted(std::string_view sealed) noexcept {
  return sealed.starts_with(format_aes_256_gcm);
}

} // namespace fanfare::protocol
