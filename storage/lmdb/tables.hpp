// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which tables there are and what their keys are made of.

#include "fanfare/idempotency.hpp"
#include "model/records.hpp"
#include "storage/lmdb/environment.hpp"

#include <array>
#include <bit>
#include <concepts>
#include <cstring>
#include <optional>
#include <string>

namespace fanfare::storage::lmdb {

/// "n": a number in the machine's order, sorted as a number. "be": big-endian,
/// sorted as bytes. Records are those of codec.hpp.
struct tables {
  table meta;          ///< name → format stamp, checkpoint, counters
  table journal;       ///< n position → notification
  table journal_index; ///< n organizer → many index_entry
  table calls;         ///< n call → call
  table progress;      ///< n webhook → progress at the last checkpoint
  table
    behind; ///< n webhook → n cursor, if it was behind at the last checkpoint
  table retries;            ///< retry_key → retry at the last checkpoint
  table organizers;         ///< n organizer → organizer
  table organizer_slugs;    ///< slug → n organizer
  table events;             ///< n event → event
  table event_slugs;        ///< be organizer, slug → n event
  table tokens;             ///< n token → token
  table action_types;       ///< n action type → action_type
  table action_type_names;  ///< name → n action type
  table webhooks;           ///< n webhook → webhook
  table organizer_webhooks; ///< n organizer → many webhook_entry
  table replays;            ///< n webhook → its last replay
  table idempotency;        ///< idempotency_key → remembered
  table idempotency_times;  ///< answer_time_key → nothing

  static constexpr unsigned count = 19;
  /// Opens them all. An empty file becomes a store, one of an earlier version
  /// gets the tables that it lacks; one that is not a store, or
  /// that of a newer Fanfare, makes the transaction fail with store_foreign or
  /// store_newer.
  void open(write_transaction& txn);
};

/// Version of the tables and of all layouts in them. A Fanfare reads stores of
/// its own version and of earlier ones. 2 added replays and idempotency keys.
inline constexpr std::uint32_t format_version = 3;

namespace meta_key {
inline constexpr bytes format = "format";
inline constexpr bytes checkpoint = "checkpoint";
inline constexpr bytes counters = "counters";
} // namespace meta_key

/// LMDB's limit of keys.
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

using retry_key = big_endian<webhook_id, position>;
/// All that matching needs, so that a backlog is found without touching bodies.
using index_entry = big_endian<position, action_type_id, event_id>;
/// The second number is 1 if enabled, else 0.
using webhook_entry = big_endian<webhook_id, std::uint32_t>;

inline bytes as_bytes(const idempotency_key& key) {
  return {key.data(), key.size()};
}

/// By age, so that the oldest are found first.
inline std::string answer_time_key(timestamp created,
                                   const idempotency_key& key) {
  auto ms = static_cast<std::uint64_t>(created.time_since_epoch().count());
  std::string out{big_endian<std::uint64_t>{ms}.view()};
  out.append(key.data(), key.size());
  return out;
}

/// The key of an event: too long ones are to be refused by the caller.
inline std::string event_key(organizer_id owner, std::string_view slug) {
  std::string key{big_endian<organizer_id>{owner}.view()};
  key += slug;
  return key;
}

/// The first number in a table with numbers as keys; 0 if it is empty.
template <std::unsigned_integral T>
T first_key(transaction& txn, table in) {
  cursor at{txn, in};
  return at.move(MDB_FIRST) ? to_number<T>(at.key()).value_or(0) : 0;
}

/// The last number given out in a table with numbers as keys; 0 if it is empty.
template <std::unsigned_integral T>
T last_key(transaction& txn, table in) {
  cursor at{txn, in};
  return at.move(MDB_LAST) ? to_number<T>(at.key()).value_or(0) : 0;
}

} // namespace fanfare::storage::lmdb
