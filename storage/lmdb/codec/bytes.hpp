// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The alphabet of the store's records: numbers of 7 bits a byte, texts with
/// their length in front. Reading is safe on any bytes whatever.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

/// Appends to a buffer that its owner uses again and again.
class byte_writer {
public:
  explicit byte_writer(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) {
    out_.push_back(static_cast<char>(v));
  }

  void number(std::uint64_t v) {
    if (v < 0x80)
      return u8(static_cast<std::uint8_t>(v));
    char digits[10]; // 64 bits, 7 a byte
    std::size_t size = 0;
    while (v >= 0x80) {
      digits[size++] = static_cast<char>(v | 0x80);
      v >>= 7;
    }
    digits[size++] = static_cast<char>(v);
    out_.append(digits, size);
  }

  /// Small for small magnitudes of either sign.
  void signed_number(std::int64_t v) {
    number((static_cast<std::uint64_t>(v) << 1)
           ^ static_cast<std::uint64_t>(v >> 63));
  }

  void text(std::string_view v) {
    number(v.size());
    out_.append(v);
  }

private:
  std::string& out_;
};

/// After the first violation every read yields 0 or nothing, and ok() is false.
class byte_reader {
public:
  explicit byte_reader(std::string_view in) : in_(in) {}

  [[nodiscard]] bool ok() const noexcept {
    return ok_;
  }
  /// Whether everything was read and nothing was wrong.
  [[nodiscard]] bool complete() const noexcept {
    return ok_ && in_.empty();
  }
  void fail() noexcept {
    ok_ = false;
    in_ = {};
  }

  std::uint8_t u8() {
    if (in_.empty()) {
      fail();
      return 0;
    }
    auto v = static_cast<std::uint8_t>(in_.front());
    in_.remove_prefix(1);
    return v;
  }

  /// Fails if the number does not fit into T.
  template <class T = std::uint64_t>
  T number() {
    auto v = wide();
    if (v > std::numeric_limits<T>::max()) {
      fail();
      return 0;
    }
    return static_cast<T>(v);
  }

  std::int64_t signed_number() {
    auto v = wide();
    return static_cast<std::int64_t>((v >> 1) ^ (std::uint64_t{0} - (v & 1)));
  }

  std::string_view text() {
    auto size = wide();
    if (size > in_.size()) {
      fail();
      return {};
    }
    auto v = in_.substr(0, size);
    in_.remove_prefix(size);
    return v;
  }

  /// Number of elements of a list, each of which takes at least one byte: never
  /// more than there can be, so that memory can be reserved for it.
  std::size_t count() {
    auto n = wide();
    if (n > in_.size()) {
      fail();
      return 0;
    }
    return n;
  }

  /// What was not read yet.
  [[nodiscard]] std::string_view left() const noexcept {
    return in_;
  }
  std::string_view rest() {
    auto v = in_;
    in_ = {};
    return v;
  }

private:
  std::uint64_t wide() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      auto b = u8();
      if (shift == 63 && b > 1)
        break;
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80)
        return v;
    }
    fail();
    return 0;
  }

  std::string_view in_;
  bool ok_ = true;
};

} // namespace fanfare::storage::lmdb
