// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/page_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <utility>

namespace fanfare::storage::lmdb {

page_file::page_file(const std::filesystem::path& file)
  : handle_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}

page_file::~page_file() {
  if (handle_ >= 0)
    ::close(handle_);
}

std::uint64_t page_file::length() const {
  struct stat found {};
  return ::fstat(handle_, &found) == 0
         ? static_cast<std::uint64_t>(found.st_size)
         : 0;
}

std::string page_file::read(std::uint64_t at, std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const auto n = ::pread(handle_, bytes.data() + got, size - got,
                           static_cast<off_t>(at + got));
    if (n <= 0 && !(n < 0 && errno == EINTR))
      break;
    got += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  bytes.resize(got);
  return bytes;
}

std::optional<last_commit> find_last_commit(const page_file& in) {
  using namespace page_layout;
  last_commit found;
  found.meta = in.read(0, meta_size);
  if (number_at<std::uint32_t>(found.meta, magic_at) != magic)
    return std::nullopt;
  found.page_size = number_at<std::uint32_t>(found.meta, page_size_at);
  if (!std::has_single_bit(found.page_size) || found.page_size < meta_size
      || in.length() < 2 * found.page_size)
    return std::nullopt;
  auto other = in.read(found.page_size, meta_size);
  if (number_at<std::uint64_t>(other, transaction_at)
      > number_at<std::uint64_t>(found.meta, transaction_at))
    found.meta = std::move(other);
  found.pages = number_at<std::uint64_t>(found.meta, last_page_at) + 1;
  return found;
}

} // namespace fanfare::storage::lmdb
