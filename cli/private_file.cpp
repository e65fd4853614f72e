// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/private_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fanfare::cli {

namespace {

error io_failure(const std::filesystem::path& file) {
  return {ec::io_error,
          "cannot write " + file.string() + ": " + std::strerror(errno)};
}

} // namespace

result<void> write_private_file(const std::filesystem::path& file,
                                const std::string& text) {
  auto draft = file;
  draft += ".new";
  ::unlink(draft.c_str());
  const int fd = ::open(
    draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return io_failure(draft);
  const bool written = ::write(fd, text.data(), text.size())
                      == static_cast<ssize_t>(text.size())
                    && ::fsync(fd) == 0;
  ::close(fd);
  if (!written || ::rename(draft.c_str(), file.c_str()) != 0)
    return io_failure(file);
  return {};
}

} // namespace fanfare::cli
