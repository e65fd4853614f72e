// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The bytes of answers that a client has not taken yet. Heads and small bodies
/// share one piece of text, a large body is its own piece and not copied; one
/// system call writes up to 16 pieces.

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace fanfare::protocol::server {

class write_queue {
public:
  /// Larger bodies are not copied after their head.
  static constexpr std::size_t small_body = 8 * 1024;

  using pieces = std::array<boost::asio::const_buffer, 16>;

  /// `total` counts the bytes in the queues of one I/O thread, this one
  /// included from now on; it must outlive them.
  explicit write_queue(std::size_t& total) : total_(total) {}
  write_queue(const write_queue&) = delete;
  write_queue& operator=(const write_queue&) = delete;
  ~write_queue() {
    total_ -= size_;
  }

  [[nodiscard]] bool empty() const {
    return size_ == 0;
  }
  [[nodiscard]] std::size_t size() const {
    return size_;
  }

  /// The text to append to; commit() moves the appended text into the queue.
  [[nodiscard]] std::string& text();
  void commit();
  /// Commits, and queues a body after it.
  void push_body(std::string&& body);

  /// The bytes to write next. The queue must not be empty.
  [[nodiscard]] std::span<const boost::asio::const_buffer> front(pieces& into);
  /// The first `count` bytes were written.
  void consume(std::size_t count);

private:
  void count_in(std::size_t bytes) {
    size_ += bytes;
    total_ += bytes;
  }

  std::size_t& total_;
  std::size_t size_ = 0;
  std::vector<std::string> out_;  // being written, not to be touched
  std::size_t index_ = 0;         // of the first piece not written
  std::size_t offset_ = 0;        // in it
  std::vector<std::string> next_; // queued meanwhile
  std::size_t committed_ = 0;     // bytes of next_.back()
  bool sealed_ = false;           // next_.back() is a large body
};

} // namespace fanfare::protocol::server
