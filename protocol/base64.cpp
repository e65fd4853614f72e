// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/base64.hpp"

#include <cstdint>

namespace fanfare::protocol {

char* encode_base64(std::span<const unsigned char> bytes, char* to) noexcept {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
                                        "mnopqrstuvwxyz0123456789+/";
  const auto put = [&](std::uint32_t triple, int characters) {
    for (int i = 0; i < characters; ++i)
      *to++ = alphabet[triple >> (18 - 6 * i) & 63U];
  };
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3)
    put(std::uint32_t{bytes[at]} << 16U | std::uint32_t{bytes[at + 1]} << 8U
          | bytes[at + 2],
        4);
  if (bytes.size() - at == 2) {
    put(std::uint32_t{bytes[at]} << 16U | std::uint32_t{bytes[at + 1]} << 8U,
        3);
    *to++ = '=';
  } else if (bytes.size() - at == 1) {
    put(std::uint32_t{bytes[at]} << 16U, 2);
    *to++ = '=';
    *to++ = '=';
  }
  return to;
}

std::string encode_base64(std::span<const unsigned char> bytes) {
  std::string out(base64_length(bytes.size()), '\0');
  encode_base64(bytes, out.data());
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
    text.remove_suffix(1);
  if (text.size() % 4 == 1)
    return std::nullopt; // no encoding has that length
  std::string out;
  // Allocated at once: a secret that grows leaves copies behind.
  out.reserve(text.size() / 4 * 3 + 2);
  unsigned bits = 0;
  std::uint32_t value = 0;
  for (const auto c : text) {
    std::uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z')
      digit = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      digit = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      digit = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '+' || c == '/')
      digit = c == '+' ? 62 : 63;
    else
      return std::nullopt;
    value = value << 6U | digit;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(value >> bits & 0xffU);
    }
  }
  return out;
}

} // namespace fanfare::protocol
