// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/admin_token.hpp"

#include "protocol/credentials.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace fanfare::cli {

namespace {

result<void> check(const std::string& key, const std::string& where) {
  if (key.size() < 16)
    return error{ec::invalid_argument, "the admin token in " + where
                                         + " is shorter than 16 characters"};
  if (std::ranges::any_of(key,
                          [](unsigned char c) { return c <= ' ' || c >= 127; }))
    return error{ec::invalid_argument,
                 "the admin token in " + where
                   + " has characters other than printable ASCII"};
  return {};
}

error io_failure(const std::string& what, const std::filesystem::path& file) {
  return {ec::io_error,
          what + " " + file.string() + ": " + std::strerror(errno)};
}

/// Complete or not there: written beside it, then linked to its name.
result<void> write_private(const std::filesystem::path& file,
                           const std::string& text) {
  auto draft = file;
  draft += ".new";
  ::unlink(draft.c_str());
  const int fd = ::open(
    draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return io_failure("cannot write", draft);
  const bool written = ::write(fd, text.data(), text.size())
                      == static_cast<ssize_t>(text.size())
                    && ::fsync(fd) == 0;
  ::close(fd);
  if (!written || ::rename(draft.c_str(), file.c_str()) != 0)
    return io_failure("cannot write", file);
  return {};
}

} // namespace

result<admin_token> find_admin_token(const std::filesystem::path& directory) {
  admin_token found;
  if (const char* given = std::getenv("FANFARE_ADMIN_TOKEN");
      given != nullptr && *given != '\0') {
    found.key = given;
    if (auto valid = check(found.key, "FANFARE_ADMIN_TOKEN"); !valid)
      return valid.error();
    return found;
  }
  found.file = directory / "admin.token";
  if (std::ifstream in{found.file}) {
    std::getline(in, found.key);
    if (auto valid = check(found.key, found.file.string()); !valid)
      return valid.error();
    return found;
  }
  if (std::error_code ignored; std::filesystem::exists(found.file, ignored))
    return io_failure("cannot read", found.file);
  found.key = protocol::make_token_key();
  found.made_now = true;
  if (auto written = write_private(found.file, found.key + "\n"); !written)
    return written.error();
  return found;
}

} // namespace fanfare::cli
