// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads the records of a log's segments in order, as far as they continue the
/// chain.

#include "fanfare/error.hpp"
#include "storage/log/commit_log.hpp"
#include "storage/log/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace fanfare::storage::log {

/// Where the log ends: behind the last group that is whole.
struct log_end {
  log_sequence last = 0;    ///< that group
  std::uint32_t chain = 0;  ///< checksum of its last record
  std::size_t segments = 0; ///< as many of those given are part of it
  std::size_t offset = 0;   ///< in the last of these
  std::uint32_t epoch = 0;  ///< the newest that was read
};

/// Calls `visit`, unless it is empty, with each group that is whole and after
/// `after`. A record that was torn ends the log. store_damaged: it had been
/// durable, as a later one says.
result<log_end> walk(std::span<const segment> segments, const store_id& store,
                     log_sequence after, const commit_log::visitor& visit);

} // namespace fanfare::storage::log
