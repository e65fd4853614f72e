// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is in a store, in numbers.

#include "fanfare/backup.hpp"
#include "storage/backup.hpp"
#include "storage/lmdb/file/environment.hpp"

namespace fanfare::storage::lmdb {

/// `there`: the tables that are open, since an earlier format has fewer.
/// store_damaged, io_error.
result<data_summary> summarize(environment& env, const table_set& there,
                               is_sealed sealed);

/// The tables that the file has: store_foreign (they are another program's),
/// store_newer, store_damaged. `format` gets the version of the format.
result<table_set> open_known(environment& env, std::uint32_t& format);

} // namespace fanfare::storage::lmdb
