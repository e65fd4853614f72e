// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/file_growth.hpp"

#include "storage/lmdb/file/errors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace fanfare::storage::lmdb {

namespace {

/// By how many zeros a file grows.
constexpr std::size_t shortest_step = std::size_t{64} << 10;
constexpr std::size_t longest_step = std::size_t{512} << 10;

} // namespace

void file_growth::grow_ahead(int file, std::size_t used, std::size_t limit) {
  // A small store grows in small steps.
  const auto step = std::clamp(used / 8 / page_size_ * page_size_,
                               shortest_step, longest_step);
  if (used + step / 2 <= seen_to_)
    return; // also if nothing was written: an idle store is not touched
  struct stat found {};
  if (::fstat(file, &found) != 0)
    return;
  // Only after all that LMDB has ever written.
  auto at = std::max(used, static_cast<std::size_t>(found.st_size));
  const auto upto = std::min(at + step, limit);
  // A page at a time, as LMDB writes them: Linux may keep what is written at
  // once as a whole, and later count all of it as written.
  static constexpr std::array<char, 4096> zeros{};
  while (at < upto) {
    const auto written = ::pwrite(file, zeros.data(),
                                  std::min(zeros.size(), upto - at),
                                  static_cast<off_t>(at));
    if (written <= 0)
      break; // whether there is room is for the commit to find out
    at += static_cast<std::size_t>(written);
  }
  seen_to_ = std::max(upto, used + step); // tried once, not at each commit
}

result<void> reserve(int file, std::size_t from, std::size_t size) {
  // Where the file system cannot reserve room, the C library writes to each
  // block.
  int code = EINTR;
  while (code == EINTR)
    code = ::posix_fallocate(file, static_cast<off_t>(from),
                             static_cast<off_t>(size));
  return code == 0 ? result<void>{} : to_error(code, "write to the store");
}

result<void> lengthen(int file, std::size_t by) {
  struct stat found {};
  if (::fstat(file, &found) != 0)
    return to_error(errno, "write to the store");
  return reserve(file, static_cast<std::size_t>(found.st_size), by);
}

} // namespace fanfare::storage::lmdb
