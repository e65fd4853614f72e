// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Files with secrets in them.

#include "fanfare/error.hpp"

#include <filesystem>
#include <string>

namespace fanfare::cli {

/// Writes a file that only its owner can read (0600), replacing an old one. It
/// is complete or absent even after a power failure: it is written under
/// another name and renamed. io_error.
result<void> write_private_file(const std::filesystem::path& file,
                                const std::string& text);

} // namespace fanfare::cli
