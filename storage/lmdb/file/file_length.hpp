// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whether a file of LMDB is as long as it says. LMDB maps it, so that the
/// first look at a page behind the end of a copy that was cut short would end
/// the process by SIGBUS.

#include "fanfare/error.hpp"

#include <filesystem>

namespace fanfare::storage::lmdb {

/// Reads the file as it is; to be called before it is opened, by whoever has
/// the directory's lock. Without an error it is whole, or there is none, or it
/// is no such file, which LMDB tells itself. store_damaged, io_error.
result<void> check_length(const std::filesystem::path& file);

} // namespace fanfare::storage::lmdb
