// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/sync_directory.hpp"

#include "storage/system_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace fanfare::storage {

result<void> sync_directory(const std::filesystem::path& path) {
  const auto fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return system_error(errno, "open " + path.string());
  const bool done = ::fsync(fd) == 0;
  const auto code = errno;
  ::close(fd);
  if (!done)
    return system_error(code, "write to " + path.string());
  return {};
}

} // namespace fanfare::storage
