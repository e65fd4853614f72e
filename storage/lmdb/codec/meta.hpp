// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Records of the table meta: codec.hpp says how to use them.

#include "fanfare/types.hpp"
#include "storage/run_times.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

/// Where recovery starts.
struct checkpoint {
  position routed_upto = 0;
  call_id last_call = 0; ///< calls after it are to be replayed
  bool operator==(const checkpoint&) const = default;
};

/// The last numbers given out. They are not given out again, even when the
/// records that had them are gone.
struct counters {
  position tail = 0;
  call_id last_call = 0;
  bool operator==(const counters&) const = default;
};

/// Up to where the statistics have the calls.
struct counted_upto {
  call_id last_call = 0;
  std::uint64_t bucket = 0; ///< the 5 minutes in which the last one began
  bool operator==(const counted_upto&) const = default;
};

/// How much of its log the store has taken over.
struct log_mark {
  std::array<char, 16> store{}; ///< its id, at random
  std::uint64_t sequence = 0;   ///< the last group
  bool operator==(const log_mark&) const = default;
};

void encode(std::string& out, const checkpoint& value);
[[nodiscard]] bool decode(std::string_view in, checkpoint& value);

void encode(std::string& out, const counters& value);
[[nodiscard]] bool decode(std::string_view in, counters& value);

void encode(std::string& out, const counted_upto& value);
[[nodiscard]] bool decode(std::string_view in, counted_upto& value);

void encode(std::string& out, const log_mark& value);
[[nodiscard]] bool decode(std::string_view in, log_mark& value);

void encode(std::string& out, const run_times& value);
[[nodiscard]] bool decode(std::string_view in, run_times& value);

} // namespace fanfare::storage::lmdb
