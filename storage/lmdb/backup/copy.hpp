// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Copies the tables as they are at one moment, at a pace, to whoever takes the
/// bytes.

#include "fanfare/backup.hpp"
#include "storage/lmdb/file/environment.hpp"

#include <cstddef>

namespace fanfare::storage::lmdb {

/// The last committed state. Meanwhile the file grows by what is written, since
/// no page that the copy may still read is used again: it is given up once that
/// is more than `growth` bytes. store_full, io_error (it took too long),
/// stopping, those of `to`.
result<void> copy_tables(environment& env, backup_sink& to,
                         const backup_options& options, std::size_t growth);

} // namespace fanfare::storage::lmdb
