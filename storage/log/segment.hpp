// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One file of the log, of a fixed length: a header of a page, then records.

#include "fanfare/error.hpp"
#include "storage/log/block_buffer.hpp"
#include "storage/log/commit_log.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::storage::log {

/// Of a store: its log belongs to no other one.
using store_id = std::array<char, 16>;

/// The first page of a segment that is in use.
struct segment_header {
  std::array<char, 8> magic{};
  store_id store{};
  std::uint64_t number = 0;   ///< as in the file's name
  log_sequence first = 0;     ///< the group of its first record
  std::uint32_t previous = 0; ///< checksum of the record before that
  std::uint32_t epoch = 0;
  std::uint32_t unused = 0;
  std::uint32_t checksum = 0; ///< of what is before it
};
static_assert(sizeof(segment_header) == 56);

class segment {
public:
  /// Where records begin.
  static constexpr std::size_t begin = 4096;

  /// A new file of zeros, on disk: store_full, io_error.
  static result<segment> make(const std::filesystem::path& file,
                              std::size_t size);
  /// One that is there.
  static result<segment> open(const std::filesystem::path& file,
                              bool read_only = false);

  segment(segment&& other) noexcept;
  segment& operator=(segment&& other) noexcept;
  ~segment();

  [[nodiscard]] const std::filesystem::path& path() const noexcept {
    return path_;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  result<void> rename(const std::filesystem::path& to);
  /// Removes the file.
  void remove() noexcept;

  /// Within the file.
  result<void> write(std::size_t at, std::string_view bytes);
  /// One after the other, in whole blocks; zeros fill up the last one. What is
  /// before them in the first block stays. Past the system's cache, where the
  /// file system can do that.
  result<void> append(block_buffer& by, std::size_t at, std::string_view head,
                      std::string_view rest);
  result<void> write_header(segment_header header);
  /// What was written is on disk afterwards. After an error nobody knows.
  result<void> flush();

  /// Whether anything is where the header is: else it was never used.
  [[nodiscard]] result<bool> has_header() const;
  /// store_damaged: it cannot be read.
  [[nodiscard]] result<segment_header> header() const;
  /// All of it: io_error.
  [[nodiscard]] result<std::string> read() const;

private:
  segment(std::filesystem::path path, int file, std::size_t size)
    : path_(std::move(path)),
      file_(file),
      size_(size) {}

  [[nodiscard]] result<std::string> read_first(std::size_t size) const;
  /// The block at this offset.
  result<void> read_block(char* to, std::size_t at);
  result<void> write_blocks(std::size_t at, std::string_view bytes);
  void set_direct(bool direct);

  std::filesystem::path path_;
  int file_ = -1;
  std::size_t size_ = 0;
  /// How append() reaches the disk.
  enum class way : std::uint8_t { undecided, direct, cached };
  way way_ = way::undecided;
};

/// Of the bytes of a segment; nothing if it is in no use.
[[nodiscard]] std::optional<segment_header> read_header(std::string_view of);

} // namespace fanfare::storage::log
