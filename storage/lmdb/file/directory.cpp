// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/directory.hpp"

#include "storage/lmdb/file/errors.hpp"
#include "storage/log/folder.hpp"
#include "storage/sync_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace fanfare::storage::lmdb {

namespace fs = std::filesystem;

namespace {

constexpr auto store_name = "fanfare.mdb";
constexpr auto lock_name = "LOCK";
constexpr auto log_name = "log";

/// What may be in a directory before the store is: Fanfare's own files that are
/// made earlier, and what file systems and people leave behind unseen.
bool may_precede_store(const std::string& name) {
  return name.starts_with('.') || name == lock_name
      || name.starts_with("admin.token") || name == "lost+found"
      || name == std::string{store_name} + "-lock";
}

result<void> make(const fs::path& path) {
  std::error_code code;
  if (fs::is_directory(path, code))
    return {};
  if (auto parent = path.parent_path(); !parent.empty()) {
    fs::create_directories(parent, code);
    if (code)
      return to_error(code.value(), "make the directory " + parent.string());
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return to_error(errno, "make the directory " + path.string());
  auto parent = path.parent_path();
  // As far as that can be done: some parents may not be read.
  (void)sync_directory(parent.empty() ? fs::path{"."} : parent);
  if (!fs::is_directory(path, code))
    return to_error(ENOTDIR, "use " + path.string() + " as data directory");
  return {};
}

result<void> expect_ours(const fs::path& path) {
  std::error_code code;
  fs::directory_iterator entry{path, code};
  if (code)
    return to_error(code.value(), "read the directory " + path.string());
  std::string stranger;
  for (; entry != fs::directory_iterator{}; entry.increment(code)) {
    if (code)
      return to_error(code.value(), "read the directory " + path.string());
    auto name = entry->path().filename().string();
    if (name == store_name)
      return {};
    if (!may_precede_store(name))
      stranger = name;
  }
  if (stranger.empty())
    return {};
  if (log::folder_size(path / log_name) != 0)
    return error{ec::store_damaged,
                 "The directory " + path.string()
                   + " has the log of a Fanfare store, but " + store_name
                   + " is missing. Restore the whole directory from one "
                     "backup."};
  return error{ec::store_foreign,
               "The directory " + path.string()
                 + " holds something else than a Fanfare store (\"" + stranger
                 + "\"). Use an empty or new directory."};
}

/// Without what does not matter, such as the slash at the end of "data/".
fs::path plain(const fs::path& given) {
  auto path = given.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

/// The process id that the holder of the lock has written, or nothing.
std::string read_owner(int file) {
  char text[24] = {};
  auto size = ::pread(file, text, sizeof text - 1, 0);
  std::string_view digits{text, size > 0 ? static_cast<std::size_t>(size) : 0};
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  return std::string{digits};
}

} // namespace

result<data_directory> data_directory::open(const fs::path& given) {
  auto path = plain(given);
  if (auto made = make(path); !made)
    return made.error();
  if (auto ours = expect_ours(path); !ours)
    return ours.error();
  auto lock_path = path / lock_name;
  auto file = ::open(lock_path.c_str(),
                     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0)
    return to_error(errno, "open " + lock_path.string());
  data_directory directory{path, file, ::getpid()};
  if (auto locked = directory.lock(); !locked)
    return locked.error();
  // Only a help for people: that it cannot be written must not stop anyone.
  auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file, 0) == 0) [[maybe_unused]]
    auto written = ::pwrite(file, pid.data(), pid.size(), 0);
  return directory;
}

result<data_directory> data_directory::open_existing(const fs::path& given) {
  auto path = plain(given);
  std::error_code code;
  if (!fs::exists(path, code))
    return error{ec::not_found, "There is no directory " + path.string() + "."};
  if (auto ours = expect_ours(path); !ours)
    return ours.error();
  if (!fs::exists(path / store_name, code))
    return error{ec::not_found, "There is no store in " + path.string() + ": "
                                  + store_name + " is missing."};
  const auto lock_path = path / lock_name;
  const auto file = ::open(lock_path.c_str(),
                           O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0 && errno != ENOENT)
    return to_error(errno, "open " + lock_path.string());
  data_directory directory{path, file, ::getpid()};
  if (file >= 0)
    if (auto locked = directory.lock(); !locked)
      return locked.error();
  return directory;
}

result<void> data_directory::lock() const {
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0)
    return {};
  if (errno != EWOULDBLOCK)
    return to_error(errno, "lock " + (path_ / lock_name).string());
  auto owner = read_owner(lock_);
  if (owner == std::to_string(::getpid()))
    return error{ec::store_locked,
                 "The data directory " + path_.string()
                   + " is used by another engine of this process, or of one "
                     "with the same process id ("
                   + owner + "). Destroy it first or use another directory."};
  return error{
    ec::store_locked,
    "The data directory " + path_.string() + " is used by another process"
      + (owner.empty() ? std::string{} : " (process id " + owner + ")")
      + ". Stop it first or use another directory."};
}

data_directory::data_directory(data_directory&& other) noexcept
  : path_(std::move(other.path_)),
    lock_(std::exchange(other.lock_, -1)),
    owner_(other.owner_) {}

data_directory& data_directory::operator=(data_directory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  std::swap(owner_, other.owner_);
  return *this;
}

data_directory::~data_directory() {
  if (lock_ < 0)
    return;
  // Children that were forked share the lock, and closing would leave it to
  // them; when they end, it stays with us.
  if (is_of_this_process())
    ::flock(lock_, LOCK_UN);
  ::close(lock_);
}

bool data_directory::is_of_this_process() const noexcept {
  return owner_ == ::getpid();
}

void data_directory::sync() const {
  (void)sync_directory(path_);
}

fs::path data_directory::log_folder() const {
  return path_ / log_name;
}

fs::path data_directory::store_file() const {
  return path_ / store_name;
}

} // namespace fanfare::storage::lmdb
