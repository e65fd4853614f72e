// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/faults/disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t sector = 512; // is written as a whole or not at all

struct written_bytes {
  std::size_t at = 0;
  std::string bytes;
};

/// What is known of a file, by its number in the file system.
struct watched_file {
  std::string on_disk;
  std::vector<written_bytes> in_memory; ///< since the last flush
};

struct status {
  std::mutex mutex;
  std::optional<faulty_disk::fault> fault;
  std::size_t matched = 0;
  std::size_t failed = 0;
  /// The file whose flush has failed, and the descriptors that know it.
  ino_t failed_file = 0;
  std::set<int> told;
  std::map<std::string, std::size_t> written;
  bool hurries = false;
  fs::path folder;
  std::function<void()> before_call;
  std::map<ino_t, watched_file> files;
};

status& now() {
  static auto& only = *new status; // outlives all threads
  return only;
}

/// The calls of who looks on are not looked at.
thread_local bool looks_on = false;

struct looking_on {
  looking_on() {
    looks_on = true;
  }
  ~looking_on() {
    looks_on = false;
  }
};

std::string path_of(int file) {
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(file);
  const auto size = ::readlink(link.c_str(), path.data(), path.size());
  return {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::string contents_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

ino_t number_of(const fs::path& file) {
  struct stat found {};
  return ::stat(file.c_str(), &found) == 0 ? found.st_ino : 0;
}

ino_t number_of(int file) {
  struct stat found {};
  return ::fstat(file, &found) == 0 ? found.st_ino : 0;
}

void put(std::string& into, const written_bytes& what) {
  into.resize(std::max(into.size(), what.at + what.bytes.size()));
  into.replace(what.at, what.bytes.size(), what.bytes);
}

/// One call of the program.
class caught_call {
public:
  caught_call(faulty_disk::call kind, int file) : file_(file) {
    if (looks_on)
      return;
    guard_ = std::unique_lock{now().mutex};
    const looking_on us;
    path_ = path_of(file);
    auto& it = now();
    is_watched_ = !it.folder.empty() && path_.starts_with(it.folder.string());
    if (is_watched_ && it.before_call)
      it.before_call();
    if (!it.fault || it.fault->of != kind
        || path_.find(it.fault->where) == std::string::npos)
      return;
    if (kind == faulty_disk::call::flush && number_of(file) == it.failed_file
        && it.told.insert(file).second) {
      code_ = it.fault->code;
      return;
    }
    const auto which = it.matched++;
    if (which < it.fault->after || which - it.fault->after >= it.fault->count)
      return;
    ++it.failed;
    if (kind == faulty_disk::call::flush) {
      it.failed_file = number_of(file);
      it.told.insert(file);
    }
    code_ = it.fault->code;
    first_ = it.failed == 1 ? it.fault->bytes : 0;
  }

  [[nodiscard]] int code() const {
    return code_;
  }
  /// Bytes that go well before the error.
  [[nodiscard]] std::size_t first() const {
    return first_;
  }
  [[nodiscard]] bool hurries() const {
    return !looks_on && now().hurries;
  }

  void wrote(std::size_t at, std::string bytes) {
    if (looks_on)
      return;
    now().written[path_] += bytes.size();
    if (is_watched_)
      file().in_memory.push_back({at, std::move(bytes)});
  }
  void flushed() {
    if (!is_watched_)
      return;
    auto& it = file();
    for (const auto& one : std::exchange(it.in_memory, {}))
      put(it.on_disk, one);
    struct stat found {};
    ::fstat(file_, &found);
    it.on_disk.resize(static_cast<std::size_t>(found.st_size));
  }
  void lost() {
    if (is_watched_)
      file().in_memory.clear();
  }

private:
  [[nodiscard]] watched_file& file() const {
    return now().files[number_of(file_)];
  }

  int file_;
  std::unique_lock<std::mutex> guard_;
  std::string path_;
  bool is_watched_ = false;
  int code_ = 0;
  std::size_t first_ = 0;
};

ssize_t write_all(int file, std::string bytes, std::size_t at) {
  caught_call call{faulty_disk::call::write, file};
  if (call.code() != 0)
    bytes.resize(std::min(bytes.size(), call.first()));
  if (call.code() != 0 && bytes.empty()) {
    errno = call.code();
    return -1;
  }
  const auto done = ::syscall(SYS_pwrite64, file, bytes.data(), bytes.size(),
                              at);
  if (done > 0) {
    bytes.resize(static_cast<std::size_t>(done));
    call.wrote(at, std::move(bytes));
  }
  return done;
}

std::string joined(const iovec* parts, int count) {
  std::string all;
  for (int i = 0; i < count; ++i)
    all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return all;
}

int flush(int file, long number) {
  caught_call call{faulty_disk::call::flush, file};
  if (call.code() != 0) {
    call.lost();
    errno = call.code();
    return -1;
  }
  const auto done = call.hurries() ? 0 : ::syscall(number, file);
  if (done == 0)
    call.flushed();
  return static_cast<int>(done);
}

} // namespace

// -- for tests ----------------------------------------------------------------

void faulty_disk::arm(fault which) {
  const std::lock_guard guard{now().mutex};
  now().fault = std::move(which);
  now().matched = now().failed = 0;
  now().failed_file = 0;
  now().told.clear();
}

void faulty_disk::disarm() {
  const std::lock_guard guard{now().mutex};
  now().fault.reset();
}

std::size_t faulty_disk::failed() {
  const std::lock_guard guard{now().mutex};
  return now().failed;
}

std::size_t faulty_disk::written(const std::string& where) {
  const std::lock_guard guard{now().mutex};
  std::size_t sum = 0;
  for (const auto& [path, bytes] : now().written)
    sum += path.find(where) != std::string::npos ? bytes : 0;
  return sum;
}

void faulty_disk::hurry(bool on) {
  const std::lock_guard guard{now().mutex};
  now().hurries = on;
}

void faulty_disk::watch(const fs::path& folder,
                        std::function<void()> before_call) {
  const std::lock_guard guard{now().mutex};
  auto& it = now();
  it.folder = folder;
  it.before_call = std::move(before_call);
  it.files.clear();
  if (fs::exists(folder))
    for (const auto& one : fs::recursive_directory_iterator{folder})
      if (one.is_regular_file())
        it.files[number_of(one.path())].on_disk = contents_of(one.path());
}

void faulty_disk::watch_nothing() {
  const std::lock_guard guard{now().mutex};
  now().folder.clear();
  now().before_call = {};
  now().files.clear();
}

void faulty_disk::lose_power(const fs::path& into, std::mt19937_64* random) {
  // In before_call, the lock is held already.
  std::unique_lock<std::mutex> guard;
  if (!looks_on)
    guard = std::unique_lock{now().mutex};
  const auto was = std::exchange(looks_on, true);
  const auto& it = now();
  for (const auto& one : fs::recursive_directory_iterator{it.folder}) {
    const auto to = into / fs::relative(one.path(), it.folder);
    fs::create_directories(to.parent_path());
    if (one.is_directory()) {
      fs::create_directories(to);
      continue;
    }
    const auto found = it.files.find(number_of(one.path()));
    auto bytes = found == it.files.end() ? std::string{}
                                         : found->second.on_disk;
    if (random && found != it.files.end())
      for (const auto& [at, all] : found->second.in_memory)
        for (std::size_t from = 0; from < all.size();) {
          const auto size = std::min(all.size() - from,
                                     sector - (at + from) % sector);
          if ((*random)() % 2 == 0)
            put(bytes, {at + from, all.substr(from, size)});
          from += size;
        }
    std::ofstream{to, std::ios::binary} << bytes;
  }
  looks_on = was;
}

void faulty_disk::kill_process(const fs::path& into) {
  const auto was = std::exchange(looks_on, true);
  const auto from = now().folder;
  fs::copy(from, into, fs::copy_options::recursive);
  looks_on = was;
}

} // namespace fanfare::test

// -- the calls ----------------------------------------------------------------

// Those of the C library are not reached any more, by nobody in this program.

#pragma GCC visibility push(default) // LMDB's library is to find them

extern "C" {

ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  return fanfare::test::write_all(file, {static_cast<const char*>(bytes), size},
                                  static_cast<std::size_t>(at));
}

ssize_t pwritev(int file, const iovec* parts, int count, off_t at) {
  return fanfare::test::write_all(file, fanfare::test::joined(parts, count),
                                  static_cast<std::size_t>(at));
}

// LMDB writes pages that follow each other by this.
ssize_t writev(int file, const iovec* parts, int count) {
  const auto at = ::lseek(file, 0, SEEK_CUR);
  if (at < 0) // a pipe
    return ::syscall(SYS_writev, file, parts, count);
  const auto done = fanfare::test::write_all(
    file, fanfare::test::joined(parts, count), static_cast<std::size_t>(at));
  if (done > 0)
    ::lseek(file, at + done, SEEK_SET);
  return done;
}

int fdatasync(int file) {
  return fanfare::test::flush(file, SYS_fdatasync);
}

int fsync(int file) {
  return fanfare::test::flush(file, SYS_fsync);
}

int posix_fallocate(int file, off_t at, off_t size) {
  const fanfare::test::caught_call call{
    fanfare::test::faulty_disk::call::reserve, file};
  if (call.code() != 0)
    return call.code();
  return ::syscall(SYS_fallocate, file, 0, at, size) == 0 ? 0 : errno;
}
}

#pragma GCC visibility pop
