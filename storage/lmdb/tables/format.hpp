// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The stamp that makes an LMDB file a store, and the version of its format.

#include "storage/lmdb/file/transaction.hpp"

#include <cstdint>
#include <optional>

namespace fanfare::storage::lmdb {

/// Version of the tables and of all layouts in them. A Fanfare reads stores of
/// its own version and of earlier ones. 2 added replays and idempotency keys, 4
/// what was asked for under such a key, 5 the log, 6 statistics,
/// names of webhooks, and organizers and events that were removed.
inline constexpr std::uint32_t format_version = 6;

/// The version that the tables are of; nothing if no Fanfare has stamped them.
std::optional<std::uint32_t> read_format(transaction& txn);
/// store_newer: this Fanfare does not know it.
result<void> check_format(std::uint32_t version);

/// Opens all tables. An empty file becomes a store; one of an earlier version
/// gets the tables it lacks. Anything else makes the transaction fail:
/// store_foreign, store_newer.
void open_tables(write_transaction& txn);

} // namespace fanfare::storage::lmdb
