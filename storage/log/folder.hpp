// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The folder of a log: which of its files are in use, and in which order.

#include "fanfare/error.hpp"
#include "storage/log/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace fanfare::storage::log {

/// The file of the segment with that number.
[[nodiscard]] std::filesystem::path
segment_file(const std::filesystem::path& folder, std::uint64_t number);

/// Makes the folder if there is none, with its name on disk.
result<void> make_folder(const std::filesystem::path& folder);

/// Bytes of its segments, as far as they can be read; 0 if there are none.
[[nodiscard]] std::size_t folder_size(const std::filesystem::path& folder);

struct found_segments {
  std::vector<segment> log; ///< by number, without gaps
  /// Made ready but not used, or older than those before a gap; the oldest
  /// first.
  std::vector<segment> unused;
};

/// Changes nothing. Errors: store_damaged, if it is the log of another store,
/// or a segment's header cannot be read; io_error. `read_only`: the segments
/// cannot be written either, and no folder is an empty one.
result<found_segments> find_segments(const std::filesystem::path& folder,
                                     const store_id& store,
                                     bool read_only = false);

} // namespace fanfare::storage::log
