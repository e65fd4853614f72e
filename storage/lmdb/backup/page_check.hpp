// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whether the pages of an LMDB file are trees of keys in order. LMDB believes
/// what is in a page and may end the process where that was changed: it can
/// open only what was looked at here.

#include "storage/lmdb/backup/fault_list.hpp"

#include <filesystem>

namespace fanfare::storage::lmdb {

/// Reads every page that is in use. io_error.
result<void> check_pages(const std::filesystem::path& file, fault_list& faults);

} // namespace fanfare::storage::lmdb
