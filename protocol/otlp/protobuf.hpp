// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Messages of Protocol Buffers as bytes
/// (https://protobuf.dev/programming-guides/encoding/), to the extent that OTLP
/// needs them: a writer that appends fields, a reader that goes through them.
/// Fields whose value is the default are the caller's to leave out.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol::otlp {

class message_writer {
public:
  explicit message_writer(std::string& to) : to_(to) {}

  void varint(std::uint32_t field, std::uint64_t value) {
    tag(field, 0);
    append_varint(value);
  }
  void fixed64(std::uint32_t field, std::uint64_t value) {
    tag(field, 1);
    append_little(value, 8);
  }
  void fixed32(std::uint32_t field, std::uint32_t value) {
    tag(field, 5);
    append_little(value, 4);
  }
  /// `bytes`, `string`, or a message that is encoded already.
  void bytes(std::uint32_t field, std::string_view value) {
    tag(field, 2);
    append_varint(value.size());
    to_.append(value);
  }
  /// A message whose fields `write` appends with the writer that it gets.
  template <class Write>
  void message(std::uint32_t field, Write write) {
    tag(field, 2);
    const auto begin = to_.size();
    to_ += '\0'; // most are shorter than 128 bytes: their length is one
    write(*this);
    auto length = to_.size() - begin - 1;
    if (length < 0x80) {
      to_[begin] = static_cast<char>(length);
      return;
    }
    std::string prefix;
    message_writer{prefix}.append_varint(length);
    to_.replace(begin, 1, prefix);
  }

private:
  void tag(std::uint32_t field, std::uint32_t type) {
    append_varint(std::uint64_t{field} << 3 | type);
  }
  void append_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      to_ += static_cast<char>((value & 0x7f) | 0x80);
    to_ += static_cast<char>(value);
  }
  void append_little(std::uint64_t value, int size) {
    for (; size > 0; --size, value >>= 8)
      to_ += static_cast<char>(value & 0xff);
  }

  std::string& to_;
};

/// Goes through the fields of a message. What is no message ends it early.
class message_reader {
public:
  struct field {
    std::uint64_t number = 0;
    std::uint64_t value = 0;     ///< of a varint
    std::string_view bytes = {}; ///< of text, bytes or a message
  };

  explicit message_reader(std::string_view from) : from_(from) {}

  /// The next one; nothing at the end.
  [[nodiscard]] std::optional<field> next() {
    const auto tag = take_varint();
    if (!tag)
      return std::nullopt;
    field out{.number = *tag >> 3};
    switch (*tag & 7) {
      case 0: {
        const auto value = take_varint();
        if (!value)
          return std::nullopt;
        out.value = *value;
        return out;
      }
      case 1: return take(out, 8);
      case 2: {
        const auto size = take_varint();
        if (!size)
          return std::nullopt;
        return take(out, *size);
      }
      case 5: return take(out, 4);
      default: return std::nullopt;
    }
  }

private:
  std::optional<field> take(field& out, std::uint64_t size) {
    if (size > from_.size())
      return std::nullopt;
    out.bytes = from_.substr(0, static_cast<std::size_t>(size));
    from_.remove_prefix(static_cast<std::size_t>(size));
    return out;
  }
  std::optional<std::uint64_t> take_varint() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64 && !from_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(from_.front());
      from_.remove_prefix(1);
      out |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80)
        return out;
    }
    return std::nullopt;
  }

  std::string_view from_;
};

} // namespace fanfare::protocol::otlp
