// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The log of commits: the truth that a store's tables are made from. Each
/// commit is a group of bytes, which only the store understands.

#include "fanfare/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace fanfare::storage {

/// The number of a group. The first one is 1, and there are no gaps.
using log_sequence = std::uint64_t;

class commit_log {
public:
  virtual ~commit_log() = default;

  /// The last group that is durable; 0 if there is none.
  [[nodiscard]] virtual log_sequence last() const = 0;

  /// Makes the group durable under the next number. Errors: store_full, it is
  /// not there and can be tried again; io_error, no group is taken any more,
  /// and this one may be there when the log is opened anew. One thread at a
  /// time.
  virtual result<void> append(std::string_view group) = 0;

  using visitor = std::function<result<void>(log_sequence,
                                             std::string_view group)>;
  /// Visits the groups after the given one in order, until the first error. Not
  /// beside append().
  virtual result<void> read(log_sequence after, const visitor& visit) const = 0;

  /// The groups up to that one are not needed any more. One thread at a time,
  /// also beside append().
  virtual void truncate(log_sequence upto) = 0;
  /// Whether truncate() could give something back.
  [[nodiscard]] virtual bool can_truncate() const = 0;
};

} // namespace fanfare::storage
