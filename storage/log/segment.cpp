// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment.hpp"

#include "storage/log/crc32c.hpp"
#include "storage/system_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
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

result<segment> segment::open(const std::filesystem::path& file,
                              bool read_only) {
  const auto fd = ::open(file.c_str(), (read_only ? O_RDONLY : O_RDWR)
                                         | O_CLOEXEC | O_NOFOLLOW);
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
    size_(other.size_),
    way_(other.way_) {}

segment& segment::operator=(segment&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  std::swap(way_, other.way_);
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

result<void> segment::append(block_buffer& by, std::size_t at,
                             std::string_view head, std::string_view rest) {
  if (way_ == way::undecided)
    set_direct(true);
  auto from = at / block_buffer::block * block_buffer::block;
  const bool has_tail = by.has(file_, from);
  if (!has_tail && at != from)
    if (auto done = read_block(by.data(), from); !done)
      return done;
  by.begin(at - from, has_tail);
  while (!head.empty() || !rest.empty()) {
    head.remove_prefix(by.add(head));
    if (head.empty())
      rest.remove_prefix(by.add(rest));
    if (!by.full() && !rest.empty())
      continue;
    by.pad();
    // A file of an odd length stays as long as it is.
    const auto size = std::min(by.size(), size_ - from);
    if (auto done = write_blocks(from, {by.data(), size}); !done) {
      by.forget();
      return done;
    }
    from += by.size();
    by.written(file_, from - by.size());
  }
  return {};
}

void segment::set_direct(bool direct) {
  const auto flags = ::fcntl(file_, F_GETFL);
  const auto wanted = direct ? flags | O_DIRECT : flags & ~O_DIRECT;
  const bool done = flags >= 0 && ::fcntl(file_, F_SETFL, wanted) == 0;
  way_ = direct && done ? way::direct : way::cached;
}

result<void> segment::read_block(char* to, std::size_t at) {
  for (;;) {
    const auto done = ::pread(file_, to, block_buffer::block,
                              static_cast<off_t>(at));
    if (done >= 0) { // less at the end of a file of an odd length
      std::memset(to + done, 0,
                  block_buffer::block - static_cast<std::size_t>(done));
      return {};
    }
    if (errno == EINVAL && way_ == way::direct)
      set_direct(false); // larger blocks, or a file system that cannot do it
    else if (errno != EINTR)
      return system_error(errno, "read the store's log");
  }
}

result<void> segment::write_blocks(std::size_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = ::pwrite(file_, bytes.data(), bytes.size(),
                               static_cast<off_t>(at));
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0 && errno == EINVAL && way_ == way::direct) {
      set_direct(false);
      continue;
    }
    if (done <= 0)
      return system_error(done < 0 ? errno : ENOSPC, writing);
    if (static_cast<std::size_t>(done) < bytes.size())
      set_direct(false); // what is left may be no whole blocks
    at += static_cast<std::size_t>(done);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

result<void> segment::write_header(segment_header header) {
  header.magic = magic;
  constexpr auto covered = offsetof(segment_header, checksum);
  std::array<char, covered> bytes{};
  std::memcpy(bytes.data(), &header, covered);
  header.checksum = crc32c({bytes.data(), bytes.size()});
  // All of its page: append() may have left the file to be written in blocks.
  struct alignas(block_buffer::block) page : std::array<char, begin> {};
  page all{};
  std::memcpy(all.data(), &header, sizeof header);
  return write_blocks(0, {all.data(), all.size()});
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
