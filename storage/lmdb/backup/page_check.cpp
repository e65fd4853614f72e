// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/backup/page_check.hpp"

#include "storage/lmdb/file/errors.hpp"
#include "storage/lmdb/file/page_file.hpp"
#include "storage/lmdb/file/table.hpp"
#include "storage/lmdb/tables/keys.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::storage::lmdb {

namespace {

using namespace page_layout;

/// A tree as the page or node says that it is.
struct tree {
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t entries = 0;
  std::uint64_t root = no_page;
};

tree tree_at(std::string_view bytes, std::size_t at) {
  return {.flags = number_at<std::uint16_t>(bytes, at + tree_flags_at),
          .depth = number_at<std::uint16_t>(bytes, at + tree_depth_at),
          .entries = number_at<std::uint64_t>(bytes, at + tree_entries_at),
          .root = number_at<std::uint64_t>(bytes, at + tree_root_at)};
}

/// As LMDB compares them.
bool is_less(std::string_view a, std::string_view b, bool numbers) {
  if (!numbers)
    return a < b;
  const auto value = [](std::string_view key) {
    return key.size() == sizeof(std::uint32_t)
           ? number_at<std::uint32_t>(key, 0)
           : number_at<std::uint64_t>(key, 0);
  };
  return value(a) < value(b);
}

/// Whether the size of a key is one that numbers have.
bool is_number(std::string_view key) {
  return key.size() == sizeof(std::uint32_t)
      || key.size() == sizeof(std::uint64_t);
}

class page_walk {
public:
  page_walk(const page_file& file, const last_commit& commit, fault_list& to)
    : file_(file),
      page_size_(commit.page_size),
      pages_(std::min(commit.pages, file.length() / commit.page_size)),
      used_(static_cast<std::size_t>(pages_)),
      faults_(to) {}

  /// The tables, by way of the tree of their names.
  void walk_main(const tree& main) {
    place_ = "tables";
    is_main_ = true;
    walk_tree(main, false);
    is_main_ = false;
    const auto tables = std::move(named_);
    for (const auto& [name, table] : tables) {
      place_ = name;
      const auto* known = find(name);
      size_of_values_ = known ? known->value_size : 0;
      if (known && table.flags != flags_of(*known))
        fault({}, "its keys or values are of another kind than they should be");
      else
        walk_tree(table, size_of_values_ != 0);
    }
  }

  /// The free pages, which must be in no other use.
  void walk_free(const tree& free) {
    place_ = "free pages";
    is_free_list_ = true;
    walk_tree(free, false);
    is_free_list_ = false;
    std::size_t twice = 0;
    for (const auto page : listed_free_)
      twice += page < used_.size() && used_[static_cast<std::size_t>(page)] ? 1
                                                                            : 0;
    if (twice != 0)
      fault({}, std::to_string(twice) + " pages are free and in use");
  }

private:
  static const table_definition* find(std::string_view name) {
    const auto* i = std::ranges::find(table_definitions, name,
                                      &table_definition::name);
    return i == table_definitions.end() ? nullptr : &*i;
  }

  static std::uint16_t flags_of(const table_definition& known) {
    return static_cast<std::uint16_t>(
      (known.by_number ? by_number : 0)
      | (known.value_size != 0 ? sorted_values | equal_values : 0));
  }

  void fault(const std::string& key, const std::string& what) {
    faults_.add(place_, key, what);
  }
  bool bad_page(std::uint64_t number, const std::string& what) {
    fault("page " + std::to_string(number), what);
    return false;
  }

  /// Marks pages as used; false if they are not there, or were used before.
  bool take(std::uint64_t first, std::uint64_t count) {
    if (count == 0 || first < 2 || first >= pages_ || count > pages_ - first)
      return bad_page(first, "a page is named that is not in the file");
    for (auto page = first; page < first + count; ++page) {
      if (used_[static_cast<std::size_t>(page)])
        return bad_page(page, "two places use the same page");
      used_[static_cast<std::size_t>(page)] = true;
    }
    return true;
  }

  void walk_tree(const tree& what, bool many) {
    entries_ = 0;
    previous_.reset();
    numbers_ = (what.flags & by_number) != 0;
    many_ = many;
    if (what.root == no_page) {
      if (what.entries != 0)
        fault({}, "it should have records, and has none");
      return;
    }
    if (walk(what.root, what.depth) && entries_ != what.entries)
      fault({}, "it has " + std::to_string(entries_) + " records and should "
                  + "have " + std::to_string(what.entries));
  }

  /// False: what is below was not looked at to the end.
  bool walk(std::uint64_t number, unsigned depth) {
    if (!take(number, 1))
      return false;
    const auto page = file_.read(number * page_size_, page_size_);
    if (page.size() < page_size_)
      return bad_page(number, "the page cannot be read");
    const auto kind = number_at<std::uint16_t>(page, flags_at);
    if (number_at<std::uint64_t>(page, 0) != number)
      return bad_page(number, "the page has the number of another one");
    if (kind != (depth > 1 ? branch : leaf) || depth == 0)
      return bad_page(number, "the page is of another kind than it should be");
    const auto lower = number_at<std::uint16_t>(page, lower_at);
    const auto upper = number_at<std::uint16_t>(page, upper_at);
    if (lower < header || lower > upper || upper > page_size_ || lower % 2 != 0
        || lower == header)
      return bad_page(number, "the bounds of the page are damaged");
    bool whole = true;
    for (std::size_t at = header; at < lower; at += 2) {
      const auto offset = number_at<std::uint16_t>(page, at);
      if (offset < upper || offset + node_header > page_size_)
        return bad_page(number, "the page has a record outside of its bounds");
      const auto node = std::string_view{page}.substr(offset);
      const auto key_size = number_at<std::uint16_t>(node, node_key_at);
      if (key_size > max_key_size || node_header + key_size > node.size())
        return bad_page(number, "the page has a key outside of its bounds");
      const auto key = node.substr(node_header, key_size);
      if (kind == branch)
        // The first key of a branch is not used.
        whole = walk_below(node, at == header ? std::string_view{} : key, depth,
                           number)
             && whole;
      else
        whole = walk_record(node, key, number) && whole;
    }
    return whole;
  }

  /// The records below come at or after the key, and those before it before.
  bool walk_below(std::string_view node, std::string_view key, unsigned depth,
                  std::uint64_t number) {
    if (!key.empty()) {
      if (numbers_ && !is_number(key))
        return bad_page(number, "a key of the page is no number");
      if (previous_ && !is_less(*previous_, key, numbers_))
        return bad_page(number, "the keys of the page are not in order");
      at_least_ = std::string{key};
    }
    return walk(page_below(node), depth - 1);
  }

  bool walk_record(std::string_view node, std::string_view key,
                   std::uint64_t number) {
    if (key.empty() || (numbers_ && !is_number(key)))
      return bad_page(number, "a key of the page is damaged");
    if ((previous_ && !is_less(*previous_, key, numbers_))
        || (at_least_ && is_less(key, *at_least_, numbers_)))
      return bad_page(number, "the keys of the page are not in order");
    at_least_.reset();
    previous_ = std::string{key};
    const auto flags = number_at<std::uint16_t>(node, node_flags_at);
    const auto size = std::size_t{number_at<std::uint32_t>(node, 0)};
    const auto value = node.substr(node_header + key.size());
    if (flags == value_elsewhere)
      return walk_overflow(value, size, number);
    if (size > value.size())
      return bad_page(number, "a value is outside of the bounds of the page");
    return walk_value(flags, key, value.substr(0, size), number);
  }

  bool walk_overflow(std::string_view value, std::size_t size,
                     std::uint64_t number) {
    ++entries_;
    const auto first = number_at<std::uint64_t>(value, 0);
    const auto needed = (header + size + page_size_ - 1) / page_size_;
    if (value.size() < sizeof first || is_main_ || many_)
      return bad_page(number, "a value is outside of the bounds of the page");
    if (first >= pages_)
      return bad_page(first, "a page is named that is not in the file");
    // A value that became shorter keeps its pages.
    const auto head = file_.read(first * page_size_, header);
    const auto count = number_at<std::uint32_t>(head, count_at);
    if (number_at<std::uint64_t>(head, 0) != first
        || number_at<std::uint16_t>(head, flags_at) != overflow
        || count < needed)
      return bad_page(first, "the page of a large value is damaged");
    if (!take(first, count))
      return false;
    if (is_free_list_)
      note_free(file_.read(first * page_size_ + header, size), number);
    return true;
  }

  bool walk_value(std::uint16_t flags, std::string_view key,
                  std::string_view value, std::uint64_t number) {
    if (is_main_) {
      if (flags != value_is_tree || value.size() != tree_size)
        return bad_page(number, "a table's root is damaged");
      ++entries_;
      named_.emplace_back(key, tree_at(value, 0));
      return true;
    }
    if (flags == 0) {
      ++entries_;
      if (many_ && value.size() != size_of_values_)
        return bad_page(number, "a value has another size than it should");
      if (is_free_list_)
        note_free(value, number);
      return true;
    }
    if (!many_ || (flags & many_values) == 0)
      return bad_page(number, "a record is of another kind than it should be");
    if ((flags & value_is_tree) == 0)
      return walk_small_values(value, number);
    const auto values = tree_at(value, 0);
    if (value.size() != tree_size || values.flags != equal_values
        || number_at<std::uint32_t>(value, tree_key_size_at) != size_of_values_)
      return bad_page(number, "the root of a key's values is damaged");
    return walk_values(values);
  }

  /// The values of a key that lie in its node, as a page.
  bool walk_small_values(std::string_view page, std::uint64_t number) {
    const auto kind = number_at<std::uint16_t>(page, flags_at);
    const auto lower = number_at<std::uint16_t>(page, lower_at);
    if (page.size() < header
        || (kind & ~not_written) != (within_node | leaf | keys_only))
      return bad_page(number, "the values of a key are damaged");
    std::optional<std::string> last;
    return walk_keys(page, lower, number, last);
  }

  /// The same in pages of their own.
  bool walk_values(const tree& of) {
    std::optional<std::string> last;
    const auto before = entries_;
    if (!walk_value_page(of.root, of.depth, last))
      return false;
    if (entries_ - before != of.entries) {
      fault({}, "a key has " + std::to_string(entries_ - before)
                  + " values and should have " + std::to_string(of.entries));
      return false;
    }
    return true;
  }

  bool walk_value_page(std::uint64_t number, unsigned depth,
                       std::optional<std::string>& last) {
    if (!take(number, 1))
      return false;
    const auto page = file_.read(number * page_size_, page_size_);
    const auto kind = number_at<std::uint16_t>(page, flags_at);
    const auto lower = number_at<std::uint16_t>(page, lower_at);
    if (page.size() < page_size_ || number_at<std::uint64_t>(page, 0) != number
        || depth == 0 || kind != (depth > 1 ? branch : leaf | keys_only))
      return bad_page(number, "a page of values is damaged");
    if (depth == 1)
      return walk_keys(page, lower, number, last);
    if (lower <= header || lower > page_size_ || lower % 2 != 0)
      return bad_page(number, "the bounds of the page are damaged");
    for (std::size_t at = header; at < lower; at += 2) {
      const auto offset = number_at<std::uint16_t>(page, at);
      if (offset < lower || offset + node_header > page_size_)
        return bad_page(number, "the page has a record outside of its bounds");
      const auto node = std::string_view{page}.substr(offset);
      if (!walk_value_page(page_below(node), depth - 1, last))
        return false;
    }
    return true;
  }

  /// Values of the same size, one after the other.
  bool walk_keys(std::string_view page, std::size_t lower, std::uint64_t number,
                 std::optional<std::string>& last) {
    const auto size = std::size_t{number_at<std::uint16_t>(page, key_size_at)};
    const auto count = (lower - std::min(lower, header)) / 2;
    if (lower <= header || size != size_of_values_
        || header + count * size > page.size())
      return bad_page(number, "the values of a key are damaged");
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = page.substr(header + i * size, size);
      if (last && !(*last < value))
        return bad_page(number, "the values of a key are not in order");
      last = std::string{value};
    }
    entries_ += count;
    return true;
  }

  /// A list of free pages: how many, then their numbers.
  void note_free(std::string_view list, std::uint64_t number) {
    const auto count = number_at<std::uint64_t>(list, 0);
    if (list.size() < sizeof count || count > list.size() / 8 - 1) {
      bad_page(number, "a list of free pages is damaged");
      return;
    }
    for (std::uint64_t i = 1; i <= count; ++i)
      listed_free_.push_back(
        number_at<std::uint64_t>(list, static_cast<std::size_t>(i) * 8));
  }

  const page_file& file_;
  std::uint64_t page_size_;
  std::uint64_t pages_; ///< that are there
  std::vector<bool> used_;
  fault_list& faults_;
  std::vector<std::pair<std::string, tree>> named_;
  std::vector<std::uint64_t> listed_free_;
  // Of the tree that is walked.
  std::string place_;
  bool is_main_ = false;
  bool is_free_list_ = false;
  bool numbers_ = false;
  bool many_ = false; ///< a key may have many values
  std::size_t size_of_values_ = 0;
  std::uint64_t entries_ = 0;
  std::optional<std::string> previous_; ///< the last key
  std::optional<std::string> at_least_; ///< what the next one is not less than
};

} // namespace

result<void> check_pages(const std::filesystem::path& file,
                         fault_list& faults) {
  const page_file opened{file};
  if (!opened.is_open())
    return to_error(errno, "open " + file.string());
  const auto last = find_last_commit(opened);
  const auto name = file.filename().string();
  if (!last) {
    faults.add(name, {}, "it is no Fanfare store, or its beginning is damaged");
    return {};
  }
  for (const std::uint64_t number : {0, 1}) {
    const auto page = opened.read(number * last->page_size, meta_size);
    if ((number_at<std::uint16_t>(page, flags_at) & meta) == 0
        || number_at<std::uint32_t>(page, magic_at) != magic
        || number_at<std::uint32_t>(page, version_at) != version) {
      faults.add(name, "page " + std::to_string(number),
                 "the page that says what was committed is damaged");
      return {};
    }
  }
  page_walk walk{opened, *last, faults};
  walk.walk_main(tree_at(last->meta, main_tree_at));
  auto free = tree_at(last->meta, free_tree_at);
  free.flags = by_number;
  walk.walk_free(free);
  return {};
}

} // namespace fanfare::storage::lmdb
