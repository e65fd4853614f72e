// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whether the records of a store, which can all be read, agree with each
/// other: each index with what it indexes, and what names another record with
/// that.

#include "storage/lmdb/backup/fault_list.hpp"
#include "storage/lmdb/file/transaction.hpp"

namespace fanfare::storage::lmdb {

/// Only for tables that check_records() has found whole.
void check_indexes(transaction& txn, const table_set& there,
                   fault_list& faults);

} // namespace fanfare::storage::lmdb
