// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Makes the store's file longer before LMDB needs it.

#include "fanfare/error.hpp"

#include <cstddef>

namespace fanfare::storage::lmdb {

/// Of one file. The writer's, with no transaction open.
class file_growth {
public:
  explicit file_growth(std::size_t page_size) : page_size_(page_size) {}

  /// Keeps zeros after the first `used` bytes, so that a commit which appends
  /// finds blocks there. Syncing it is then a matter of the data alone, which
  /// takes a third less time than having the file system note a longer file.
  /// Never beyond `limit`. Leaves it to the commit if it cannot.
  void grow_ahead(int file, std::size_t used, std::size_t limit);

private:
  std::size_t page_size_;
  std::size_t seen_to_ = 0; ///< bytes of the file
};

/// Has room on the disk for so many bytes of the file from there on, which
/// becomes as long: store_full, io_error.
result<void> reserve(int file, std::size_t from, std::size_t size);

/// Makes the file so much longer, with room on the disk: store_full, io_error.
result<void> lengthen(int file, std::size_t by);

} // namespace fanfare::storage::lmdb
