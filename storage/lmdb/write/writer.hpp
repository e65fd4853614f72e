// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Makes commits of the LMDB store, one at a time.

#include "storage/lmdb/state/live_state.hpp"
#include "storage/lmdb/state/recovery.hpp"
#include "storage/lmdb/write/batch.hpp"
#include "storage/lmdb/write/space_budget.hpp"

#include <cstddef>
#include <span>

namespace fanfare::storage::lmdb {

class writer {
public:
  /// Starts with what recovery has found, and makes it the state that is read.
  writer(live_state& live, std::size_t max_size, recovered_state&& from);

  [[nodiscard]] const space_budget& budget() const noexcept {
    return budget_;
  }

  /// Returns once the operations are on disk, or with an error and nothing
  /// done.
  result<void> commit(std::span<operation> operations);

private:
  /// How much more may be written.
  struct room {
    std::size_t publishing = 0; ///< bytes
    bool growing = false; ///< whether anything but making room is possible
  };

  [[nodiscard]] room measure(std::span<const operation> operations) const;
  result<void> try_commit(std::span<operation> operations,
                          std::size_t publishing_room);
  /// Once, without a second try. `code` is that of the error.
  result<void> commit_once(std::span<operation> operations,
                           std::size_t publishing_room, int& code);

  live_state& live_;
  environment& env_;
  space_budget budget_;
  counters last_;
  checkpoint checkpoint_;
};

} // namespace fanfare::storage::lmdb
