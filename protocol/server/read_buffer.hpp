// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The bytes that a connection has read but not parsed. Small while the
/// connection is idle, as most are; larger while a body arrives.

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace fanfare::protocol::server {

class read_buffer {
public:
  [[nodiscard]] bool empty() const {
    return begin_ == end_;
  }
  [[nodiscard]] std::size_t size() const {
    return end_ - begin_;
  }
  /// The bytes read, contiguous; valid until prepare().
  [[nodiscard]] std::string_view bytes() const {
    return {bytes_.get() + begin_, size()};
  }
  /// Removes the first `count` bytes.
  void consume(std::size_t count) {
    begin_ += count;
  }
  void clear() {
    begin_ = end_;
  }

  /// Room after bytes() for the next read. `body_rest` is how much of a body is
  /// still to come, nothing between requests.
  [[nodiscard]] boost::asio::mutable_buffer
  prepare(std::optional<std::uint64_t> body_rest);
  /// `count` bytes were read into it.
  void commit(std::size_t count) {
    end_ += count;
  }

private:
  void resize(std::size_t capacity);

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

} // namespace fanfare::protocol::server
