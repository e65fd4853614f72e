// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The bytes of an answer that have come and were not taken yet. It grows
/// without a limit of its own: its user counts bytes. INTERNAL to
/// incoming_answer.

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

namespace fanfare::protocol {

class answer_buffer {
public:
  /// Bytes that it holds without an allocation.
  static constexpr std::size_t small_size = 8 * 1024;

  /// Where the next bytes go; stays valid until bytes are added or removed.
  [[nodiscard]] boost::asio::mutable_buffer space() noexcept {
    return boost::asio::buffer(data() + end_, capacity() - end_);
  }
  /// So many have come into `space()`.
  void add(std::size_t bytes) noexcept {
    end_ += bytes;
  }

  [[nodiscard]] char* begin() noexcept {
    return data() + begin_;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return end_ - begin_;
  }
  [[nodiscard]] bool empty() const noexcept {
    return begin_ == end_;
  }
  /// The first `bytes` were taken.
  void remove(std::size_t bytes) noexcept {
    begin_ += bytes;
  }

  /// Forgets everything; a larger block is given back.
  void clear() noexcept {
    begin_ = end_ = 0;
    large_ = nullptr;
  }

  /// Makes `space()` larger than nothing.
  void make_space() {
    if (empty()) {
      begin_ = end_ = 0;
      return;
    }
    if (begin_ > 0) {
      std::memmove(data(), begin(), size());
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == capacity()) {
      auto larger = std::make_unique<std::vector<char>>(capacity() * 2);
      std::memcpy(larger->data(), data(), end_);
      large_ = std::move(larger);
    }
  }

private:
  [[nodiscard]] char* data() noexcept {
    return large_ ? large_->data() : small_.data();
  }
  [[nodiscard]] std::size_t capacity() const noexcept {
    return large_ ? large_->size() : small_.size();
  }

  std::size_t begin_ = 0; // of what was not taken
  std::size_t end_ = 0;
  std::array<char, small_size> small_;
  std::unique_ptr<std::vector<char>> large_; // once `small_` was too small
};

} // namespace fanfare::protocol
