// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Rows of statistics: tallies of consecutive stretches of time, those without
/// calls left out. A tally takes 4 bytes if it has one call, and grows with the
/// number of different bins and kinds of failures, not with that of calls.
///
///     u8      layout
///     then of each tally, by its place:
///     u8      place + 16 if there are failures, 32 retries, 64 given up,
///             128 if it is the last one
///     number  of bins with answers; of each, 2 * count, + 1 if it does not
///             follow the bin before it, and then how many are between them
///     number  of kinds of failures; of each, its place and the count
///     number  of retries
///     number  of given up
///
/// Successes are the answers that are no failures.

#include "model/call_tally.hpp"
#include "storage/lmdb/codec/bytes.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

/// Tallies of a row.
inline constexpr unsigned tallies_in_row = 12;

class tally_walk;

/// Writes a row of one tally or more.
class tally_writer {
public:
  /// Appends to `out`.
  explicit tally_writer(std::string& out);

  // By ascending place.

  void add(unsigned place, const call_tally& value);
  /// The one it stands on, as it is.
  void add(const tally_walk& from);

  /// After the last one.
  void end();

private:
  std::string& out_;
  std::size_t last_ = 0; ///< where the last one begins
};

/// Walks through the tallies of a row.
class tally_walk {
public:
  explicit tally_walk(std::string_view row);

  /// Whether there is another one, which it then stands on.
  bool next();
  /// False: the bytes are no row.
  [[nodiscard]] bool ok() const noexcept {
    return from_.ok();
  }

  [[nodiscard]] unsigned place() const noexcept {
    return place_;
  }
  [[nodiscard]] const call_tally& value() const noexcept {
    return value_;
  }

private:
  friend class tally_writer;

  void read_answers();
  void read_failures();

  byte_reader from_;
  unsigned least_ = 0; ///< of the next place
  bool ended_ = false; ///< it stands on the last one
  unsigned place_ = 0;
  call_tally value_;
  std::string_view bytes_; ///< of it
};

} // namespace fanfare::storage::lmdb
