// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A file of LMDB 0.9 with 64 bits (MDB_DATA_VERSION 1) as bytes, in the
/// machine's byte order: for those who must not believe what is in it.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

/// Where numbers are in a page, and what they mean.
namespace page_layout {
// A page begins with its number, and with flags and bounds. An overflow page
// has the number of its pages in place of the bounds.
inline constexpr std::size_t header = 16;
inline constexpr std::size_t key_size_at = 8; ///< if it has only keys
inline constexpr std::size_t flags_at = 10;
inline constexpr std::size_t lower_at = 12;
inline constexpr std::size_t upper_at = 14;
inline constexpr std::size_t count_at = 12;
inline constexpr std::uint16_t branch = 0x01;
inline constexpr std::uint16_t leaf = 0x02;
inline constexpr std::uint16_t overflow = 0x04;
inline constexpr std::uint16_t meta = 0x08;
inline constexpr std::uint16_t not_written = 0x10; ///< left in nodes only
inline constexpr std::uint16_t keys_only = 0x20;
inline constexpr std::uint16_t within_node = 0x40;
// Pages 0 and 1 say what was committed; the later of them counts.
inline constexpr std::uint32_t magic = 0xBEEFC0DE;
inline constexpr std::size_t magic_at = header;
inline constexpr std::size_t version_at = header + 4;
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t page_size_at = header + 24;
inline constexpr std::size_t free_tree_at = header + 24;
inline constexpr std::size_t free_root_at = header + 64;
inline constexpr std::size_t main_tree_at = header + 72;
inline constexpr std::size_t last_page_at = header + 120;
inline constexpr std::size_t transaction_at = header + 128;
inline constexpr std::size_t meta_size = header + 136;
// A tree.
inline constexpr std::size_t tree_key_size_at = 0; ///< of pages of only keys
inline constexpr std::size_t tree_flags_at = 4;
inline constexpr std::size_t tree_depth_at = 6;
inline constexpr std::size_t tree_entries_at = 32;
inline constexpr std::size_t tree_root_at = 40;
inline constexpr std::size_t tree_size = 48;
inline constexpr std::uint16_t sorted_values = 0x04;
inline constexpr std::uint16_t by_number = 0x08;
inline constexpr std::uint16_t equal_values = 0x10; ///< of one size
inline constexpr std::uint64_t no_page = ~std::uint64_t{0};
// A node: size of its value (or the number of the page below), flags, size of
// its key, key, value.
inline constexpr std::size_t node_header = 8;
inline constexpr std::size_t node_flags_at = 4;
inline constexpr std::size_t node_key_at = 6;
inline constexpr std::uint16_t value_elsewhere = 0x01;
inline constexpr std::uint16_t value_is_tree = 0x02;
inline constexpr std::uint16_t many_values = 0x04;
} // namespace page_layout

/// 0 if it is not there.
template <class T>
T number_at(std::string_view bytes, std::size_t at) {
  T value{};
  if (at <= bytes.size() && sizeof value <= bytes.size() - at)
    std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The number of the page below a branch's node.
[[nodiscard]] inline std::uint64_t page_below(std::string_view node) {
  return number_at<std::uint32_t>(node, 0)
       | std::uint64_t{number_at<std::uint16_t>(node, 4)} << 32;
}

/// Opened to be read. If it cannot be, errno says why.
class page_file {
public:
  explicit page_file(const std::filesystem::path& file);
  ~page_file();
  page_file(const page_file&) = delete;
  page_file& operator=(const page_file&) = delete;

  [[nodiscard]] bool is_open() const {
    return handle_ >= 0;
  }
  [[nodiscard]] std::uint64_t length() const;
  /// As much of it as there is.
  [[nodiscard]] std::string read(std::uint64_t at, std::size_t size) const;

private:
  int handle_;
};

/// What the later one of the first two pages says.
struct last_commit {
  std::string meta;
  std::uint64_t page_size = 0;
  std::uint64_t pages = 0;
};

/// Nothing if it is no file of LMDB, or shorter than these pages.
[[nodiscard]] std::optional<last_commit> find_last_commit(const page_file& in);

} // namespace fanfare::storage::lmdb
