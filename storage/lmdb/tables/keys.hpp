// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the keys of the tables are made of.

#include "fanfare/types.hpp"
#include "model/idempotency.hpp"
#include "storage/lmdb/file/table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstring>
#include <optional>
#include <string>

namespace fanfare::storage::lmdb {

namespace meta_key {
inline constexpr bytes format = "format";
inline constexpr bytes checkpoint = "checkpoint";
inline constexpr bytes counters = "counters";
inline constexpr bytes log = "log";
inline constexpr bytes runs = "runs";
inline constexpr bytes counted = "counted";
} // namespace meta_key

/// LMDB's limit.
inline constexpr std::size_t max_key_size = 511;

// -- numbers as they are ------------------------------------------------------

/// The bytes of a number, as long as it lives.
template <std::unsigned_integral T>
bytes as_key(const T& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

template <std::unsigned_integral T>
std::optional<T> to_number(bytes key) {
  T number;
  if (key.size() != sizeof number)
    return std::nullopt;
  std::memcpy(&number, key.data(), sizeof number);
  return number;
}

// -- numbers that sort as bytes -----------------------------------------------

static_assert(std::endian::native == std::endian::little,
              "data directories are not portable");

inline std::uint64_t swap_bytes(std::uint64_t v) {
  return __builtin_bswap64(v);
}
inline std::uint32_t swap_bytes(std::uint32_t v) {
  return __builtin_bswap32(v);
}

/// Numbers one after the other, compared as a tuple is.
template <std::unsigned_integral... Ts>
class big_endian {
public:
  static constexpr std::size_t size = (sizeof(Ts) + ...);

  explicit big_endian(Ts... numbers) {
    auto* to = data_.data();
    auto put = [&](auto number) {
      number = swap_bytes(number);
      std::memcpy(to, &number, sizeof number);
      to += sizeof number;
    };
    (put(numbers), ...);
  }

  [[nodiscard]] bytes view() const {
    return {data_.data(), size};
  }

  /// Into the given numbers; false if the bytes are of another length.
  static bool read(bytes from, Ts&... numbers) {
    if (from.size() != size)
      return false;
    const auto* at = from.data();
    auto get = [&](auto& number) {
      std::memcpy(&number, at, sizeof number);
      number = swap_bytes(number);
      at += sizeof number;
    };
    (get(numbers), ...);
    return true;
  }

private:
  std::array<char, size> data_;
};

/// Rows of statistics: the time comes first, so that what is counted together
/// shares pages, and what is old is at the front. The second number is a
/// webhook, or an organizer and `of_organizer`.
using tally_key = big_endian<std::uint32_t, std::uint64_t>;
inline constexpr std::uint64_t of_organizer = std::uint64_t{1} << 63;

using retry_key = big_endian<webhook_id, position>;
/// All that matching needs, so that a backlog is found without touching bodies.
using index_entry = big_endian<position, action_type_id, event_id>;
/// The second number is 1 if enabled, else 0.
using webhook_entry = big_endian<webhook_id, std::uint32_t>;
static_assert(index_entry::size
              == definition_of(table::journal_index).value_size);
static_assert(webhook_entry::size
              == definition_of(table::organizer_webhooks).value_size);

inline bytes as_bytes(const idempotency_key& key) {
  return {key.data(), key.size()};
}

/// By age, so that the oldest are found first. Nothing is older than the epoch,
/// which a clock that was never set is near to.
inline std::string answer_time_key(timestamp created,
                                   const idempotency_key& key) {
  const auto count = std::max<std::int64_t>(created.time_since_epoch().count(),
                                            0);
  const auto ms = static_cast<std::uint64_t>(count);
  std::string out{big_endian<std::uint64_t>{ms}.view()};
  out.append(key.data(), key.size());
  return out;
}

/// The key of what has a name within its organizer: events, webhooks. The
/// caller refuses names that make it too long.
inline std::string owned_key(organizer_id owner, std::string_view name) {
  std::string key{big_endian<organizer_id>{owner}.view()};
  key += name;
  return key;
}

} // namespace fanfare::storage::lmdb
