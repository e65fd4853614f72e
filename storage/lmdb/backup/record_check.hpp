// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whether the records of a store can be read, each for itself.

#include "storage/lmdb/backup/fault_list.hpp"
#include "storage/lmdb/file/transaction.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

/// What is wrong with a record; empty if nothing is.
[[nodiscard]] std::string_view fault_of(table in, bytes key, bytes value);

/// A key as people write it: a number, a name, or hexadecimal digits.
[[nodiscard]] std::string readable(table in, bytes key);

/// All records of the tables that are there.
void check_records(transaction& txn, const table_set& there,
                   fault_list& faults);

/// A group of the log: false if it, or a record in it, cannot be read.
[[nodiscard]] bool is_readable_group(bytes group);

} // namespace fanfare::storage::lmdb
