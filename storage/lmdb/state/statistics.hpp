// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Statistics of calls: a fold of the table of calls, which is made every few
/// minutes. `counted_upto` in the tables says how far it has come, so that each
/// call is counted once whatever happens; those after it are counted by whoever
/// reads.
///
/// The rows of `statistics` have 12 tallies of 5 minutes. Later each becomes
/// one tally in a row of `older_statistics`, with 12 hours.

#include "storage/lmdb/tables/records.hpp"

#include <cstddef>
#include <cstdint>

namespace fanfare::storage::lmdb {

/// Seconds of a row, by its table.
inline constexpr std::uint32_t fine_row = 3600;
inline constexpr std::uint32_t coarse_row = 12 * 3600;

/// Calls that may be uncounted at a checkpoint: a reader looks at them. The
/// more, the less often each webhook's row is written when all are called.
inline constexpr std::size_t most_uncounted = 524'288;
/// So many are counted in one commit, however many there are: those who publish
/// wait for it. The rest is left to the next checkpoints.
inline constexpr std::size_t most_counted = 2 * most_uncounted;

/// Seconds since the epoch. Nothing is before it, which a clock that was never
/// set is near to.
[[nodiscard]] std::uint64_t seconds_of(timestamp time);

[[nodiscard]] counted_upto read_counted(transaction& txn);

/// Who reads many calls lets go of what was read after so many.
inline constexpr std::size_t read_at_once = 2'048;

/// Counts the calls that were not, up to this one, and moves on what is old, a
/// bounded part at a time. Memory: 16 bytes for each of `at_once`.
void count_calls(record_writer& to, call_id upto,
                 std::size_t at_once = most_uncounted);
/// The same if the last call, `upto`, belongs to other 5 minutes than the last
/// that was counted, or if `limit` of them are not.
void count_if_due(record_writer& to, call_id upto,
                  std::size_t limit = most_uncounted);

} // namespace fanfare::storage::lmdb
