// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Makes commits, one at a time: carries the operations out in the tables, and
/// waits until the log has what they change.

#include "model/counter.hpp"
#include "storage/lmdb/replay/effects.hpp"
#include "storage/lmdb/state/live_state.hpp"
#include "storage/lmdb/write/applier.hpp"
#include "storage/lmdb/write/space_budget.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace fanfare::storage::lmdb {

class writer {
public:
  /// `last`: the last numbers given out.
  writer(live_state& live, commit_log& log, applier& tables,
         const space_budget& budget, const counters& last);

  /// Returns once the operations are on disk, or with an error and nothing
  /// done. store_full: no room; io_error.
  result<void> commit(std::span<operation> operations);
  /// To the log. Any thread.
  [[nodiscard]] std::uint64_t bytes_written() const {
    return written_.value();
  }

private:
  /// How much more may be written.
  struct room {
    std::size_t publishing = 0; ///< bytes
    bool growing = false; ///< whether anything but making room is possible
  };

  [[nodiscard]] room measure(std::span<const operation> operations);
  [[nodiscard]] static bool suffices(const room& left,
                                     std::span<const operation> operations);
  /// Sees to it that the disk takes so many bytes more.
  result<void> reserve(std::size_t size);
  result<void> try_commit(std::span<operation> operations,
                          bool with_publishing);
  result<void> carry_out(std::span<operation> operations,
                         const applier::work& in, std::size_t weight,
                         std::size_t publishing_room);

  live_state& live_;
  environment& env_;
  commit_log& log_;
  applier& tables_;
  space_budget budget_;
  counters last_;
  group_recorder recorder_;
  counter written_; ///< bytes
};

} // namespace fanfare::storage::lmdb
