// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How groups lie in a segment: as records, each whole in one segment. A group
/// that does not fit into the rest of one is several records.
///
/// Numbers are little-endian. A record begins at a multiple of 8 bytes:
///
///     u32 checksum   CRC-32C of all that follows, after that of the store's id
///     u32 previous   the checksum of the record before
///     u64 sequence   of the group
///     u64 durable    the last group that was durable when this was written
///     u32 epoch      grows each time the store is opened
///     u32 size       of the bytes that follow the header
///     u64 part       1: begins its group; 2: ends it
///
/// What does not continue the chain of checksums is not there: what an earlier
/// use of the file has left, or what lies behind a record that was torn.

#include "storage/log/commit_log.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fanfare::storage::log {

struct record_header {
  std::uint32_t checksum = 0;
  std::uint32_t previous = 0;
  log_sequence sequence = 0;
  log_sequence durable = 0;
  std::uint32_t epoch = 0;
  std::uint32_t size = 0;
  std::uint64_t part = 0;

  static constexpr std::uint64_t begins = 1;
  static constexpr std::uint64_t ends = 2;
};
static_assert(sizeof(record_header) == 40);

constexpr std::size_t record_alignment = 8;

/// What a record with so many bytes takes.
[[nodiscard]] constexpr std::size_t record_size(std::size_t payload) {
  const auto all = sizeof(record_header) + payload;
  return (all + record_alignment - 1) / record_alignment * record_alignment;
}

struct record {
  record_header header;
  std::string_view payload;
};

/// Fills in the size and the checksum of the header for this payload. `seed`:
/// the checksum of the store's id.
void seal(record_header& header, std::string_view payload, std::uint32_t seed);

/// The record at the beginning of `in`; nothing if its checksum is not right.
[[nodiscard]] std::optional<record> read_record(std::string_view in,
                                                std::uint32_t seed);

} // namespace fanfare::storage::log
