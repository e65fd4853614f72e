// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Memory from which a file is written in whole blocks, past the system's
/// cache: its address and all offsets and lengths are multiples of a block. It
/// knows the last block that was written, which the next write begins with. Not
/// thread-safe.

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace fanfare::storage::log {

class block_buffer {
public:
  /// Any disk's blocks are no larger.
  static constexpr std::size_t block = 4096;
  /// In smaller parts, a large group waits for the disk once for each.
  static constexpr std::size_t capacity = std::size_t{1} << 20;

  block_buffer() : bytes_(std::make_unique<storage>()) {}

  [[nodiscard]] char* data() {
    return bytes_->data();
  }
  [[nodiscard]] std::size_t size() const {
    return size_;
  }
  [[nodiscard]] bool full() const {
    return size_ == capacity;
  }

  /// Whether the block at this offset of this file is the last one written.
  [[nodiscard]] bool has(int file, std::size_t at) const {
    return file_ == file && tail_at_ == at;
  }
  /// What was written is not known any more.
  void forget() {
    file_ = -1;
  }

  /// Begins with the first so many bytes of the last block, or of what was read
  /// to data().
  void begin(std::size_t lead, bool with_tail);
  /// Takes as much as there is room for; returns how much.
  std::size_t add(std::string_view bytes);
  /// Fills up the last block with zeros.
  void pad();
  /// All of it was written at this offset.
  void written(int file, std::size_t at);

private:
  struct alignas(block) storage : std::array<char, capacity> {};

  std::unique_ptr<storage> bytes_;
  std::array<char, block> tail_{};
  std::size_t size_ = 0;
  int file_ = -1;
  std::size_t tail_at_ = 0;
};

} // namespace fanfare::storage::log
