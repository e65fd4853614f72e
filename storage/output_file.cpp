// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/output_file.hpp"

#include "storage/sync_directory.hpp"
#include "storage/system_error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

namespace fanfare::storage {

namespace fs = std::filesystem;

namespace {

error cannot_write(int code, const fs::path& target) {
  const auto doing = "write " + target.string();
  if (code == EACCES || code == EPERM || code == EROFS)
    return {ec::io_error, "Cannot " + doing + ": "
                            + std::generic_category().message(code)
                            + ". Choose a directory that you may write to."};
  if (code == ENOENT || code == ENOTDIR)
    return {ec::io_error, "Cannot " + doing + ": there is no directory "
                            + target.parent_path().string()
                            + ". Make it first."};
  return system_error(code, doing);
}

error there_is(const fs::path& target) {
  return {ec::already_exists, target.string()
                                + " exists, and nothing is replaced. Remove it "
                                  "or choose another name."};
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path{"."};
}

fs::path in_process(int file) {
  return "/proc/self/fd/" + std::to_string(file);
}

} // namespace

result<output_file> output_file::create(const fs::path& target) {
  auto path = target.lexically_normal();
  if (!path.has_filename())
    return error{ec::io_error, "Cannot write " + target.string()
                                 + ": it is the name of a directory. Give that "
                                   "of a file."};
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0)
    return there_is(path);
  const auto parent = folder_of(path);
  if (::access("/proc/self/fd", X_OK) == 0) {
    const auto file = ::open(parent.c_str(),
                             O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0)
      return output_file{std::move(path), file, {}};
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
      return cannot_write(errno, path);
  }
  auto draft = parent / ("." + path.filename().string() + ".partial");
  const auto file = ::open(
    draft.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0)
    return cannot_write(errno, path);
  // One that is there was left by a process that was killed, or is being
  // written by another one.
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    ::close(file);
    return error{ec::already_exists,
                 draft.string()
                   + " is being written by another process. "
                     "Wait for it or choose another name."};
  }
  // The other one may have given it its name meanwhile.
  struct stat ours {};
  struct stat there {};
  if (::fstat(file, &ours) != 0 || ::lstat(draft.c_str(), &there) != 0
      || ours.st_dev != there.st_dev || ours.st_ino != there.st_ino) {
    ::close(file);
    return there_is(path);
  }
  output_file made{std::move(path), file, std::move(draft)};
  if (::ftruncate(file, 0) != 0)
    return cannot_write(errno, made.target_);
  return made;
}

output_file::output_file(output_file&& other) noexcept
  : target_(std::move(other.target_)),
    draft_(std::move(other.draft_)),
    file_(std::exchange(other.file_, -1)) {}

output_file::~output_file() {
  if (file_ < 0)
    return;
  if (!draft_.empty())
    ::unlink(draft_.c_str());
  ::close(file_);
}

result<void> output_file::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = ::write(file_, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return cannot_write(done < 0 ? errno : ENOSPC, target_);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

result<std::string_view> output_file::read(std::uint64_t at, char* to,
                                           std::size_t size) const {
  std::size_t got = 0;
  while (got < size) {
    const auto done = ::pread(file_, to + got, size - got,
                              static_cast<off_t>(at + got));
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return system_error(errno, "read " + target_.string());
    if (done == 0)
      break;
    got += static_cast<std::size_t>(done);
  }
  return std::string_view{to, got};
}

fs::path output_file::path() const {
  return draft_.empty() ? in_process(file_) : draft_;
}

result<void> output_file::name() const {
  auto done = draft_.empty()
              ? ::linkat(AT_FDCWD, in_process(file_).c_str(), AT_FDCWD,
                         target_.c_str(), AT_SYMLINK_FOLLOW)
              : ::renameat2(AT_FDCWD, draft_.c_str(), AT_FDCWD, target_.c_str(),
                            RENAME_NOREPLACE);
  if (done != 0 && !draft_.empty() && errno == EINVAL)
    done = ::link(draft_.c_str(), target_.c_str());
  if (done == 0)
    return {};
  return errno == EEXIST ? there_is(target_) : cannot_write(errno, target_);
}

result<void> output_file::publish() {
  while (::fsync(file_) != 0)
    if (errno != EINTR)
      return cannot_write(errno, target_);
  if (auto named = name(); !named)
    return named;
  if (auto synced = sync_directory(folder_of(target_)); !synced) {
    ::unlink(target_.c_str());
    return synced;
  }
  return {};
}

} // namespace fanfare::storage
