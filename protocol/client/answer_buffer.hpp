// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The bytes of an answer received but not yet taken: at most one
/// incomplete line, whose end the parser can do without. INTERNAL to
/// incoming_answer.

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace fanfare::protocol {

class answer_buffer {
public:
  /// Bytes that it holds.
  static constexpr std::size_t capacity = 8 * 1024;

  /// Where the next bytes go; stays valid until bytes are added or removed.
  [[nodiscard]] boost::asio::mutable_buffer space() noexcept {
    return boost::asio::buffer(bytes_.data() + end_, capacity - end_);
  }
  /// `bytes` arrived in `space()`.
  void add(std::size_t bytes) noexcept {
    end_ += bytes;
  }

  [[nodiscard]] std::string_view view() const noexcept {
    return {bytes_.data() + begin_, end_ - begin_};
  }
  [[nodiscard]] bool empty() const noexcept {
    return begin_ == end_;
  }
  /// There is no room after the contents, and none before.
  [[nodiscard]] bool full() const noexcept {
    return begin_ == 0 && end_ == capacity;
  }
  /// The first `bytes` were taken.
  void remove(std::size_t bytes) noexcept {
    begin_ += bytes;
  }

  void clear() noexcept {
    begin_ = end_ = 0;
  }

  /// Makes `space()` as large as it can be.
  void make_space() noexcept {
    const auto kept = end_ - begin_;
    if (begin_ > 0 && kept > 0)
      std::memmove(bytes_.data(), bytes_.data() + begin_, kept);
    begin_ = 0;
    end_ = kept;
  }

private:
  std::size_t begin_ = 0; // of what was not taken
  std::size_t end_ = 0;
  std::array<char, capacity> bytes_;
};

} // namespace fanfare::protocol
