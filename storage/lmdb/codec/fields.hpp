// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the codecs of all records share: layouts, times, ids, what may be
/// absent.

#include "fanfare/types.hpp"
#include "storage/lmdb/codec/bytes.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fanfare::storage::lmdb {

// -- layouts ------------------------------------------------------------------

/// The first layout of each record. Most have no other.
inline constexpr std::uint8_t first_layout = 1;

inline void expect_first_layout(byte_reader& from) {
  if (from.u8() != first_layout)
    from.fail();
}

/// Whether the record has that layout and not the first one.
inline bool has_later_layout(byte_reader& from, std::uint8_t later) {
  const auto found = from.u8();
  if (found != first_layout && found != later)
    from.fail();
  return found == later;
}

// Calls and retries: a byte of flags follows the second layout, two follow the
// third. Each is written only if a flag of its last byte is set.
inline constexpr std::uint8_t flagged_layout = 2;
inline constexpr std::uint8_t wide_flagged_layout = 3;
inline constexpr unsigned shows_shift = 5;
enum record_flag : std::uint16_t {
  is_resent = 1,
  is_by_replay = 2,
  is_unsent = 4, ///< of calls
  is_tried = 4,  ///< of retries
  is_thin_call = 8,
  is_repeated = 16,
  shows = 32 + 64,    ///< two bits: `call::shows`
  is_uncounted = 128, ///< of calls
  has_hold = 256,     ///< of calls: `logged_call::held_until`
};

/// Writes the layout too.
inline void put_flags(byte_writer& to, std::uint16_t flags) {
  constexpr unsigned byte = 8;
  const auto high = static_cast<std::uint8_t>(flags >> byte);
  if (flags == 0)
    return to.u8(first_layout);
  to.u8(high == 0 ? flagged_layout : wide_flagged_layout);
  to.u8(static_cast<std::uint8_t>(flags));
  if (high != 0)
    to.u8(high);
}

/// Reads the layout too.
inline std::uint16_t get_flags(byte_reader& from, std::uint16_t known) {
  constexpr unsigned byte = 8;
  const auto found = from.u8();
  if (found == first_layout)
    return 0;
  const auto low = from.u8();
  const auto high = found == wide_flagged_layout ? from.u8() : std::uint8_t{0};
  const auto flags = static_cast<std::uint16_t>(low | high << byte);
  const bool written = found == wide_flagged_layout
                       ? high != 0
                       : found == flagged_layout && low != 0;
  if (!written || (flags & ~known) != 0)
    from.fail();
  return flags;
}

// -- times --------------------------------------------------------------------

inline void put(byte_writer& to, timestamp t) {
  to.signed_number(t.time_since_epoch().count());
}

inline timestamp get_time(byte_reader& from) {
  return timestamp{std::chrono::milliseconds{from.signed_number()}};
}

template <class Duration>
void put(byte_writer& to, Duration d) requires requires {
  d.count();
}
{ to.number(static_cast<std::uint64_t>(d.count())); }

template <class Duration>
Duration get_duration(byte_reader& from) {
  return Duration{static_cast<std::int64_t>(from.number())};
}

inline std::uint64_t raw(timestamp t) {
  return static_cast<std::uint64_t>(t.time_since_epoch().count());
}

inline timestamp to_time(std::uint64_t v) {
  return timestamp{std::chrono::milliseconds{static_cast<std::int64_t>(v)}};
}

// -- numbers ------------------------------------------------------------------

/// A number near another one. The difference wraps around, so any two will do.
inline void put_near(byte_writer& to, std::uint64_t v, std::uint64_t other) {
  to.signed_number(static_cast<std::int64_t>(v - other));
}

inline std::uint64_t get_near(byte_reader& from, std::uint64_t other) {
  return other + static_cast<std::uint64_t>(from.signed_number());
}

/// Lists of ids are sorted, so the steps are small.
template <class T>
void put_ids(byte_writer& to, const std::vector<T>& ids) {
  to.number(ids.size());
  T last = 0;
  for (auto id : ids) {
    to.number(static_cast<T>(id - last));
    last = id;
  }
}

template <class T>
void get_ids(byte_reader& from, std::vector<T>& ids) {
  auto count = from.count();
  ids.clear();
  ids.reserve(count);
  T last = 0;
  for (std::size_t i = 0; i < count && from.ok(); ++i) {
    last = static_cast<T>(last + from.template number<T>());
    ids.push_back(last);
  }
}

// -- what may be absent -------------------------------------------------------

/// One byte says whether it is there.
template <class T, class Put>
void put_optional(byte_writer& to, const std::optional<T>& value, Put put_it) {
  to.u8(value ? 1 : 0);
  if (value)
    put_it(*value);
}

template <class T, class Get>
void get_optional(byte_reader& from, std::optional<T>& value, Get get_it) {
  value.reset();
  const auto there = from.u8();
  if (there > 1)
    from.fail();
  if (there == 1)
    value = get_it();
}

} // namespace fanfare::storage::lmdb
