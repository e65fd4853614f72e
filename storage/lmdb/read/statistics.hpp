// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tables say of calls in a time: the rows of statistics, and the
/// calls that are not in them yet.

#include "model/call_tally.hpp"
#include "storage/lmdb/file/transaction.hpp"

#include <vector>

namespace fanfare::storage::lmdb {

/// One for each step. What fails, fails in the transaction.
[[nodiscard]] std::vector<call_tally> read_tallies(transaction& txn,
                                                   const tally_query& which);

} // namespace fanfare::storage::lmdb
