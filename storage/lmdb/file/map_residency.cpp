// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/map_residency.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace fanfare::storage::lmdb {

namespace {

/// What the process may have of its files in memory, its program included.
constexpr std::size_t max_resident = std::size_t{32} << 20;
/// Looked at after so many records or after that time, whichever comes first.
constexpr std::uint64_t look_records = 2'048;
constexpr std::chrono::milliseconds look_interval{50};

constexpr auto relaxed = std::memory_order_relaxed;

/// Bytes of files that this process has in memory.
std::size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t size = 0;
  std::size_t resident = 0;
  std::size_t of_files = 0;
  statm >> size >> resident >> of_files;
  return of_files * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

void map_residency::find(const char* file) {
  map_ = nullptr;
  std::error_code failed;
  const auto path = std::filesystem::canonical(file, failed).string();
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; !failed && std::getline(maps, line);)
    if (line.ends_with(" " + path)) {
      // "7f0c5a000000-7f1c5a000000 r--s …"
      if (std::sscanf(line.c_str(), "%p", &map_) != 1)
        map_ = nullptr;
      return;
    }
}

bool map_residency::note(std::uint64_t records) {
  const auto seen = records_.fetch_add(records, relaxed) + records;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  if (!map_
      || (seen < look_after_.load(relaxed)
          && now.count() < look_at_.load(relaxed)))
    return false;
  look_after_.store(seen + look_records, relaxed);
  look_at_.store((now + look_interval).count(), relaxed);
  return resident_bytes() > max_resident;
}

void map_residency::drop(std::size_t size) {
  ::madvise(map_, size, MADV_DONTNEED);
}

} // namespace fanfare::storage::lmdb
