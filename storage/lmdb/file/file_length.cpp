// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "storage/lmdb/file/file_length.hpp"

#include "storage/lmdb/file/errors.hpp"
#include "storage/lmdb/file/page_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::storage::lmdb {

namespace {

using namespace page_layout;

/// Looks through the list of free pages, which is a tree of lists of numbers.
class free_list {
public:
  free_list(const page_file& file, std::uint64_t page_size, std::uint64_t there,
            std::uint64_t pages)
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
          || !((kind & leaf) != 0 ? note(node) : walk(page_below(node))))
        return false;
    }
    return true;
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

  const page_file& file_;
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
  const page_file opened{file};
  if (!opened.is_open()) {
    if (errno == ENOENT)
      return {};
    return to_error(errno, "open " + file.string());
  }
  const auto length = opened.length();
  if (length == 0)
    return cut_short(file, "it is empty; if there never was anything in it, "
                           "remove it");
  const auto meta = opened.read(0, meta_size);
  if (number_at<std::uint32_t>(meta, magic_at) != magic)
    return {};
  if (meta.size() < meta_size
      || length < 2 * number_at<std::uint32_t>(meta, page_size_at))
    return cut_short(file, "it was cut short");
  const auto last = find_last_commit(opened);
  if (!last)
    return {};
  const auto there = length / last->page_size;
  if (there >= last->pages)
    return {};
  // No commit gives up as many as that. A number that was changed may be any.
  constexpr std::uint64_t most_missing = std::uint64_t{1} << 24;
  if (last->pages - there > most_missing)
    return cut_short(file, "it was cut short, or its beginning is damaged");
  free_list free{opened, last->page_size, there, last->pages};
  if (free.has_all_missing(number_at<std::uint64_t>(last->meta, free_root_at)))
    return {};
  return cut_short(
    file, "it was cut short: it has " + std::to_string(length) + " of "
            + std::to_string(last->pages * last->page_size) + " bytes");
}

} // namespace fanfare::storage::lmdb
