// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The folder of a log: which of its files are in use, and in which order.

#include "fanfare/error.hpp"
#include "storage/log/segment.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace fanfare::storage::log {

/// The file of the segment with that number.
[[nodiscard]] std::filesystem::path
segment_file(const std::filesystem::path& folder, std::uint64_t number);

/// Makes the folder if there is none, with its name on disk.
result<void> make_folder(const std::filesystem::path& folder);

/// The segments in use, by number. Removes files that were made ready but not
/// used. Errors: store_damaged, if it is the log of another store; io_error.
result<std::vector<segment>> find_segments(const std::filesystem::path& folder,
                                           const store_id& store);

} // namespace fanfare::storage::log
