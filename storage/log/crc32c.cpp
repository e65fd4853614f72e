// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/crc32c.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#  include <nmmintrin.h>
#endif

namespace fanfare::storage::log {

namespace {

constexpr std::uint32_t polynomial = 0x82F63B78; // its bits reversed

constexpr auto table = [] {
  std::array<std::uint32_t, 256> of{};
  for (std::uint32_t byte = 0; byte < of.size(); ++byte) {
    auto left = byte;
    for (int bit = 0; bit < 8; ++bit)
      left = (left >> 1) ^ ((left & 1) != 0 ? polynomial : 0);
    of[byte] = left;
  }
  return of;
}();

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t by_instruction(std::string_view bytes,
                                                       std::uint32_t before) {
  std::uint64_t left = ~before;
  const auto* at = bytes.data();
  auto size = bytes.size();
  for (; size >= sizeof(std::uint64_t); size -= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    left = _mm_crc32_u64(left, word);
    at += sizeof word;
  }
  auto rest = static_cast<std::uint32_t>(left);
  for (; size > 0; --size)
    rest = _mm_crc32_u8(rest, static_cast<unsigned char>(*at++));
  return ~rest;
}
#endif

} // namespace

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before) {
  auto left = ~before;
  for (const char c : bytes)
    left = (left >> 8) ^ table[(left ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~left;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction)
    return by_instruction(bytes, before);
#endif
  return crc32c_by_table(bytes, before);
}

} // namespace fanfare::storage::log
