// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/folder.hpp"

#include "storage/sync_directory.hpp"
#include "storage/system_error.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
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

result<std::vector<segment>> find_segments(const fs::path& folder,
                                           const store_id& store) {
  std::vector<std::pair<std::uint64_t, segment>> found;
  std::vector<segment> unused;
  std::error_code code;
  for (fs::directory_iterator at{folder, code}, end; !code && at != end;
       at.increment(code)) {
    const auto number = number_of(at->path());
    if (!number)
      continue; // not ours
    auto opened = segment::open(at->path());
    if (!opened)
      return opened.error();
    const auto header = opened->header();
    if (!header && header.error().code != ec::store_damaged)
      return header.error();
    if (!header || header->number != *number)
      unused.push_back(std::move(*opened));
    else if (header->store != store)
      return error{ec::store_damaged,
                   "The log in " + folder.string()
                     + " belongs to another store. Restore the whole data "
                       "directory from one backup."};
    else
      found.emplace_back(*number, std::move(*opened));
  }
  if (code)
    return system_error(code.value(), "read the directory " + folder.string());
  for (auto& one : unused)
    one.remove();
  std::ranges::sort(found, {}, [](const auto& one) { return one.first; });
  std::vector<segment> segments;
  segments.reserve(found.size());
  for (auto& [number, one] : found)
    segments.push_back(std::move(one));
  return segments;
}

} // namespace fanfare::storage::log
