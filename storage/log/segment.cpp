// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment.hpp"

#include "storage/log/crc32c.hpp"
#include "storage/system_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace fanfare::storage::log {

namespace {

constexpr std::array<char, 8> magic{'F', 'F', 'A', 'N', 'L', 'O', 'G', 1};
constexpr auto writing = "write to the store's log";

} // namespace

// -- files --------------------------------------------------------------------

result<segment> segment::make(const std::filesystem::path& file,
                              std::size_t size) {
  const auto fd = ::open(
    file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return system_error(errno, "make " + file.string());
  segment made{file, fd, size};
  // Reserved first, so that a disk without room is not filled for nothing.
  int code = EINTR;
  while (code == EINTR)
    code = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    made.remove();
    return system_error(code, writing);
  }
  // Written, too: to turn what is reserved into what is written is a matter of
  // the file system's own log, at each flush.
  static constexpr std::array<char, std::size_t{64} << 10> zeros{};
  for (std::size_t at = 0; at < size;) {
    const auto next = std::min(zeros.size(), size - at);
    if (auto done = made.write(at, {zeros.data(), next}); !done) {
      made.remove();
      return done.error();
    }
    at += next;
  }
  if (auto done = made.flush(); !done) {
    made.remove();
    return done.error();
  }
  return made;
}

result<segment> segment::open(const std::filesystem::path& file) {
  const auto fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  struct stat found {};
  if (fd < 0 || ::fstat(fd, &found) != 0) {
    const auto code = errno;
    if (fd >= 0)
      ::close(fd);
    return system_error(code, "open " + file.string());
  }
  return segment{file, fd, static_cast<std::size_t>(found.st_size)};
}

segment::segment(segment&& other) noexcept
  : path_(std::move(other.path_)),
    file_(std::exchange(other.file_, -1)),
    size_(other.size_) {}

segment& segment::operator=(segment&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  return *this;
}

segment::~segment() {
  if (file_ >= 0)
    ::close(file_);
}

result<void> segment::rename(const std::filesystem::path& to) {
  if (::rename(path_.c_str(), to.c_str()) != 0)
    return system_error(errno, writing);
  path_ = to;
  return {};
}

void segment::remove() noexcept {
  ::unlink(path_.c_str());
}

// -- bytes --------------------------------------------------------------------

result<void> segment::write(std::size_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = ::pwrite(file_, bytes.data(), bytes.size(),
                               static_cast<off_t>(at));
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return system_error(done < 0 ? errno : ENOSPC, writing);
    at += static_cast<std::size_t>(done);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

result<void> segment::write(std::size_t at, std::string_view head,
                            std::string_view rest) {
  const std::array<iovec, 2> both{
    iovec{const_cast<char*>(head.data()), head.size()},
    iovec{const_cast<char*>(rest.data()), rest.size()}};
  const auto done = ::pwritev(file_, both.data(), both.size(),
                              static_cast<off_t>(at));
  // What is missing, and why, turns out below.
  const auto written = done > 0 ? static_cast<std::size_t>(done) : 0;
  at += written;
  const auto of_head = std::min(written, head.size());
  if (of_head < head.size())
    if (auto more = write(at, head.substr(of_head)); !more)
      return more;
  at += head.size() - of_head;
  return write(at, rest.substr(written - of_head));
}

result<void> segment::write_header(segment_header header) {
  header.magic = magic;
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  constexpr auto covered = offsetof(segment_header, checksum);
  header.checksum = crc32c(std::string_view{bytes}.substr(0, covered));
  std::memcpy(bytes.data() + covered, &header.checksum, sizeof header.checksum);
  return write(0, bytes);
}

result<void> segment::flush() {
  while (::fdatasync(file_) != 0)
    if (errno != EINTR)
      return system_error(errno, writing);
  return {};
}

result<bool> segment::has_header() const {
  const auto bytes = read_first(sizeof(segment_header));
  if (!bytes)
    return bytes.error();
  return bytes->find_first_not_of('\0') != std::string::npos;
}

result<segment_header> segment::header() const {
  const auto page = read_first(begin);
  if (!page)
    return page.error();
  const auto found = read_header(*page);
  if (!found)
    return error{ec::store_damaged,
                 "The store's log is damaged: " + path_.string()
                   + " has no header. Restore the data directory from a "
                     "backup."};
  return *found;
}

result<std::string> segment::read() const {
  return read_first(size_);
}

result<std::string> segment::read_first(std::size_t size) const {
  std::string all(size, '\0');
  for (std::size_t at = 0; at < size;) {
    const auto done = ::pread(file_, all.data() + at, size - at,
                              static_cast<off_t>(at));
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return system_error(errno, "read the store's log");
    if (done == 0) {
      all.resize(at);
      break;
    }
    at += static_cast<std::size_t>(done);
  }
  return all;
}

std::optional<segment_header> read_header(std::string_view of) {
  segment_header header;
  if (of.size() < segment::begin)
    return std::nullopt;
  std::memcpy(&header, of.data(), sizeof header);
  if (header.magic != magic
      || crc32c(of.substr(0, offsetof(segment_header, checksum)))
           != header.checksum)
    return std::nullopt;
  return header;
}

} // namespace fanfare::storage::log
