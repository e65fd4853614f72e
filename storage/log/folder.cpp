// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/folder.hpp"

#include "storage/sync_directory.hpp"
#include "storage/system_error.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace fanfare::storage::log {

namespace fs = std::filesystem;

namespace {

constexpr auto suffix = ".log";
constexpr std::size_t digits = 20; // of 64 bits

std::optional<std::uint64_t> number_of(const fs::path& file) {
  const auto name = file.stem().string();
  std::uint64_t number = 0;
  const auto* end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, number);
  if (file.extension() != suffix || name.size() != digits
      || read.ec != std::errc{} || read.ptr != end)
    return std::nullopt;
  return number;
}

} // namespace

fs::path segment_file(const fs::path& folder, std::uint64_t number) {
  auto name = std::to_string(number);
  name.insert(0, digits - name.size(), '0');
  name += suffix;
  return folder / name;
}

result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0)
    return sync_directory(folder.parent_path());
  if (errno != EEXIST)
    return system_error(errno, "make the directory " + folder.string());
  return {};
}

std::size_t folder_size(const fs::path& folder) {
  std::size_t sum = 0;
  std::error_code code;
  for (fs::directory_iterator at{folder, code}, end; !code && at != end;
       at.increment(code)) {
    std::error_code gone; // it was renamed or removed meanwhile
    const auto size = at->file_size(gone);
    if (!gone && number_of(at->path()))
      sum += size;
  }
  return sum;
}

result<found_segments> find_segments(const fs::path& folder,
                                     const store_id& store, bool read_only) {
  std::vector<std::pair<std::uint64_t, segment>> all;
  std::error_code code;
  for (fs::directory_iterator at{folder, code}, end; !code && at != end;
       at.increment(code)) {
    const auto number = number_of(at->path());
    if (!number)
      continue; // not ours
    auto opened = segment::open(at->path(), read_only);
    if (!opened)
      return opened.error();
    all.emplace_back(*number, std::move(*opened));
  }
  if (code && !(read_only && code == std::errc::no_such_file_or_directory))
    return system_error(code.value(), "read the directory " + folder.string());
  std::ranges::sort(all, {}, [](const auto& one) { return one.first; });
  found_segments found;
  std::uint64_t last = 0;
  for (auto& entry : all) {
    const auto number = entry.first;
    auto& one = entry.second;
    const auto in_use = one.has_header();
    if (!in_use)
      return in_use.error();
    // One that is there and not in use is no gap: its header may be what a loss
    // of power has left out of a group that went over several.
    const auto skip = [&] {
      found.unused.push_back(std::move(one));
      if (number == last + 1)
        last = number;
    };
    if (!*in_use) {
      skip();
      continue;
    }
    const auto header = one.header();
    if (!header)
      return header.error();
    if (header->number < number) { // renamed, to be used again
      skip();
      continue;
    }
    if (header->number > number)
      return error{ec::store_damaged,
                   "The store's log is damaged: " + one.path().string()
                     + " is segment " + std::to_string(header->number)
                     + ". Restore the data directory from a backup."};
    if (header->store != store)
      return error{ec::store_damaged,
                   "The log in " + folder.string()
                     + " belongs to another store. Restore the whole data "
                       "directory from one backup."};
    if (number != last + 1)
      // What is before a gap was given back when the store ended.
      std::ranges::move(std::exchange(found.log, {}),
                        std::back_inserter(found.unused));
    last = number;
    found.log.push_back(std::move(one));
  }
  return found;
}

} // namespace fanfare::storage::log
