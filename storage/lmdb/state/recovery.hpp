// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Makes of what is on disk what a store has in memory.

#include "storage/lmdb/state/change_layer.hpp"
#include "storage/store.hpp"

namespace fanfare::storage::lmdb {

struct recovered_state {
  recovery found;
  counters last;
  checkpoint start; ///< where it began
  changes since;    ///< of the calls after it
};

/// Applies the calls after the given one to `layer`. Returns how many.
std::size_t replay_calls(transaction& txn, call_id after, change_layer& layer);

/// The last numbers given out.
counters read_counters(transaction& txn, const checkpoint& start);

/// Loads the last checkpoint and replays the calls after it.
recovered_state recover(transaction& txn);

} // namespace fanfare::storage::lmdb
