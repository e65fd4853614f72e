// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What retention may remove.

#include "storage/lmdb/file/transaction.hpp"
#include "storage/store.hpp"

#include <cstddef>

namespace fanfare::storage::lmdb {

/// See `store::plan_expiry`.
expiry_plan plan_expiry(transaction& txn, timestamp cutoff, std::size_t limit,
                        timestamp answers_cutoff);

} // namespace fanfare::storage::lmdb
