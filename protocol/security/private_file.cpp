// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/private_file.hpp"

#include <openssl/crypto.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fanfare::protocol {

namespace {

class file_descriptor {
public:
  explicit file_descriptor(int fd) : fd_(fd) {}
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int get() const {
    return fd_;
  }

private:
  int fd_;
};

error cannot_read(const std::string& path) {
  return {ec::io_error, "cannot read " + path + ": " + std::strerror(errno)};
}

error unfit(std::string why) {
  return {ec::invalid_argument, std::move(why)};
}

} // namespace

result<std::string> read_private_file(const std::string& path,
                                      std::size_t most) {
  // O_NONBLOCK: a pipe without a writer must not block the start.
  const file_descriptor file{
    ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  if (file.get() < 0)
    return cannot_read(path);
  struct stat found {};
  if (::fstat(file.get(), &found) != 0)
    return cannot_read(path);
  if (!S_ISREG(found.st_mode))
    return unfit(path + " is not a regular file");
  if ((found.st_mode & 077U) != 0)
    return unfit("others than its owner may use " + path
                 + ": make it private with chmod 600");
  // Reads one byte more than allowed to see whether there is more. The file may
  // grow meanwhile, so its size says nothing.
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      auto failure = cannot_read(path);
      OPENSSL_cleanse(text.data(), text.size());
      return failure;
    }
    if (got == 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most) {
    OPENSSL_cleanse(text.data(), text.size());
    return unfit(path + ": it has more than " + std::to_string(most / 1'024)
                 + " KiB");
  }
  text.resize(size);
  return text;
}

} // namespace fanfare::protocol
