// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Makes recovery start at a later place.

#include "storage/lmdb/state/change_layer.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/operations.hpp"

namespace fanfare::storage::lmdb {

/// Writes the changes of `layer`, and who is behind. `last`: the last numbers
/// given out. False: it has nothing new to say, and nothing was written.
bool write_checkpoint(record_writer& to, change_layer& layer,
                      const save_checkpoint& op, const counters& last);

} // namespace fanfare::storage::lmdb
