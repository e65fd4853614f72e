// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/admin_token.hpp"

#include "cli/private_file.hpp"
#include "protocol/security/credentials.hpp"

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
  if (auto written = write_private_file(found.file, found.key + "\n"); !written)
    return written.error();
  return found;
}

} // namespace fanfare::cli
