// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "storage/lmdb/file/file_length.hpp"

#include "storage/lmdb/file/errors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::storage::lmdb {

namespace {

// The format of LMDB 0.9 with 64 bits (MDB_DATA_VERSION 1), in the machine's
// byte order. A page begins with its number, and with flags and bounds.
constexpr std::size_t header = 16;
constexpr std::size_t flags_at = 10;
constexpr std::size_t lower_at = 12;
constexpr std::uint16_t branch = 0x01;
constexpr std::uint16_t leaf = 0x02;
// Pages 0 and 1 say what was committed; the later of them counts.
constexpr std::uint32_t magic = 0xBEEFC0DE;
constexpr std::size_t magic_at = header;
constexpr std::size_t page_size_at = header + 24;
constexpr std::size_t free_root_at = header + 64;
constexpr std::size_t last_page_at = header + 120;
constexpr std::size_t transaction_at = header + 128;
constexpr std::size_t meta_size = header + 136;
// A node: size of its value (or the number of the page below), flags, size of
// its key, key, value.
constexpr std::size_t node_header = 8;
constexpr std::uint16_t value_elsewhere = 0x01;
constexpr std::uint64_t no_page = ~std::uint64_t{0};

template <class T>
T number_at(std::string_view bytes, std::size_t at) {
  T value{};
  if (at + sizeof value <= bytes.size())
    std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

class opened_file {
public:
  explicit opened_file(const std::filesystem::path& file)
    : handle_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~opened_file() {
    if (handle_ >= 0)
      ::close(handle_);
  }
  opened_file(const opened_file&) = delete;
  opened_file& operator=(const opened_file&) = delete;

  [[nodiscard]] bool is_open() const {
    return handle_ >= 0;
  }
  [[nodiscard]] std::uint64_t length() const {
    struct stat found {};
    return ::fstat(handle_, &found) == 0
           ? static_cast<std::uint64_t>(found.st_size)
           : 0;
  }
  /// As much of it as there is.
  [[nodiscard]] std::string read(std::uint64_t at, std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const auto n = ::pread(handle_, bytes.data() + got, size - got,
                             static_cast<off_t>(at + got));
      if (n <= 0 && !(n < 0 && errno == EINTR))
        break;
      got += n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    bytes.resize(got);
    return bytes;
  }

private:
  int handle_;
};

/// Looks through the list of free pages, which is a tree of lists of numbers.
class free_list {
public:
  free_list(const opened_file& file, std::uint64_t page_size,
            std::uint64_t there, std::uint64_t pages)
    : file_(file),
      page_size_(page_size),
      there_(there),
      is_free_(pages - there) {}

  /// Whether all pages that are not there are free: such pages were used and
  /// given up within one transaction, and never written.
  bool has_all_missing(std::uint64_t root) {
    return (root == no_page || walk(root))
        && std::ranges::all_of(is_free_, [](bool free) { return free; });
  }

private:
  /// False if it is not whole.
  bool walk(std::uint64_t number) {
    if (number >= there_ || ++walked_ > there_)
      return false;
    const auto page = file_.read(number * page_size_, page_size_);
    const auto kind = number_at<std::uint16_t>(page, flags_at);
    const auto lower = number_at<std::uint16_t>(page, lower_at);
    if (page.size() < page_size_ || lower < header || lower > page_size_
        || (kind & (branch | leaf)) == 0)
      return false;
    for (std::size_t at = header; at + 2 <= lower; at += 2) {
      const auto node = std::string_view{page}.substr(
        std::min<std::size_t>(number_at<std::uint16_t>(page, at), page.size()));
      if (node.size() < node_header
          || !((kind & leaf) != 0 ? note(node) : walk(below(node))))
        return false;
    }
    return true;
  }

  static std::uint64_t below(std::string_view node) {
    return number_at<std::uint32_t>(node, 0)
         | std::uint64_t{number_at<std::uint16_t>(node, 4)} << 32;
  }

  /// Notes the pages of one list: how many they are, then their numbers.
  bool note(std::string_view node) {
    const auto size = number_at<std::uint32_t>(node, 0);
    const auto key_size = number_at<std::uint16_t>(node, 6);
    const auto value = node_header + key_size;
    std::string elsewhere;
    std::string_view list;
    if ((number_at<std::uint16_t>(node, 4) & value_elsewhere) != 0) {
      const auto first = number_at<std::uint64_t>(node, value);
      if (first >= there_)
        return false;
      elsewhere = file_.read(first * page_size_ + header, size);
      list = elsewhere;
    } else {
      list = node.substr(std::min(value, node.size()), size);
    }
    if (list.size() < size)
      return false;
    const auto count = number_at<std::uint64_t>(list, 0);
    for (std::uint64_t i = 1; i <= count && (i + 1) * 8 <= list.size(); ++i)
      if (const auto page = number_at<std::uint64_t>(list, i * 8);
          page >= there_ && page - there_ < is_free_.size())
        is_free_[page - there_] = true;
    return true;
  }

  const opened_file& file_;
  std::uint64_t page_size_;
  std::uint64_t there_;
  std::vector<bool> is_free_; ///< of the missing ones
  std::uint64_t walked_ = 0;
};

error cut_short(const std::filesystem::path& file, const std::string& what) {
  return {ec::store_damaged, "Cannot open " + file.string() + ": " + what
                               + ". Restore the data directory from a backup."};
}

} // namespace

result<void> check_length(const std::filesystem::path& file) {
  const opened_file opened{file};
  if (!opened.is_open()) {
    if (errno == ENOENT)
      return {};
    return to_error(errno, "open " + file.string());
  }
  const auto length = opened.length();
  if (length == 0)
    return cut_short(file, "it is empty; if there never was anything in it, "
                           "remove it");
  auto meta = opened.read(0, meta_size);
  if (number_at<std::uint32_t>(meta, magic_at) != magic)
    return {};
  const std::uint64_t page_size = number_at<std::uint32_t>(meta, page_size_at);
  if (meta.size() < meta_size || length < 2 * page_size)
    return cut_short(file, "it was cut short");
  if (!std::has_single_bit(page_size) || page_size < meta_size)
    return {};
  const auto other = opened.read(page_size, meta_size);
  if (number_at<std::uint64_t>(other, transaction_at)
      > number_at<std::uint64_t>(meta, transaction_at))
    meta = other;
  const auto pages = number_at<std::uint64_t>(meta, last_page_at) + 1;
  const auto there = length / page_size;
  if (there >= pages)
    return {};
  free_list free{opened, page_size, there, pages};
  if (free.has_all_missing(number_at<std::uint64_t>(meta, free_root_at)))
    return {};
  return cut_short(file, "it was cut short: it has " + std::to_string(length)
                           + " of " + std::to_string(pages * page_size)
                           + " bytes");
}

} // namespace fanfare::storage::lmdb
