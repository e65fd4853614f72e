// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The server's own key: from the environment, else from a file that only its
/// owner can read.

#include "fanfare/error.hpp"

#include <filesystem>
#include <string>

namespace fanfare::cli {

struct admin_token {
  std::string key;
  /// Its file; empty if it came from FANFARE_ADMIN_TOKEN.
  std::filesystem::path file;
  bool made_now = false;
};

/// Takes FANFARE_ADMIN_TOKEN, else reads DIRECTORY/admin.token, else creates
/// that file (0600). invalid_argument: shorter than 16 characters, or not
/// printable ASCII; io_error.
result<admin_token> find_admin_token(const std::filesystem::path& directory);

} // namespace fanfare::cli
