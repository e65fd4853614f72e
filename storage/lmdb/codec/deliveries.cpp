// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/deliveries.hpp"

#include "storage/lmdb/codec/fields.hpp"
#include "storage/lmdb/codec/subscription.hpp"

#include <bit>
#include <chrono>

namespace fanfare::storage::lmdb {

// -- progress -----------------------------------------------------------------

namespace {

/// Attempts that failed in a row, and what the receiver asked for. Written only
/// if there is any of it, by versions before 0.2 in a layout of its own, which
/// said less.
constexpr std::uint8_t old_failing_layout = 2;
constexpr std::uint8_t failing_layout = 3;

} // namespace

void encode(std::string& out, const progress& value) {
  byte_writer to{out};
  to.u8(value.has_failures() ? failing_layout : first_layout);
  to.number(value.cursor);
  to.number(value.last_call);
  put_ids(to, value.ahead);
  if (!value.has_failures())
    return;
  to.number(value.failures);
  put(to, value.failing_since);
  put_near(to, raw(value.last_failure), raw(value.failing_since));
  put(to, value.excused);
  put_near(to, raw(value.held_until), raw(value.last_failure));
}

bool decode(std::string_view in, progress& value) {
  byte_reader from{in};
  const auto layout = from.u8();
  if (layout < first_layout || layout > failing_layout)
    from.fail();
  const bool failing = layout >= old_failing_layout;
  value.cursor = from.number();
  value.last_call = from.number();
  get_ids(from, value.ahead);
  value.failures = failing ? from.number<std::uint32_t>() : 0;
  value.failing_since = failing ? get_time(from) : timestamp{};
  value.last_failure = failing
                       ? to_time(get_near(from, raw(value.failing_since)))
                       : timestamp{};
  value.excused = {};
  value.held_until = {};
  if (layout == failing_layout) {
    value.excused = get_duration<std::chrono::milliseconds>(from);
    value.held_until = to_time(get_near(from, raw(value.last_failure)));
  }
  return from.complete();
}

bool says_failures(std::string_view in) {
  byte_reader from{in};
  return from.u8() >= old_failing_layout;
}

// -- retry --------------------------------------------------------------------

void encode(std::string& out, const retry& value) {
  byte_writer to{out};
  put_flags(to, static_cast<std::uint8_t>((value.resent ? is_resent : 0)
                                          | (value.by_replay ? is_by_replay : 0)
                                          | (value.tried ? is_tried : 0)));
  put(to, value.due);
  to.number(value.attempt);
}

bool decode(std::string_view in, retry& value) {
  byte_reader from{in};
  const auto flags = get_flags(from, is_resent | is_by_replay | is_tried);
  value.resent = (flags & is_resent) != 0;
  value.by_replay = (flags & is_by_replay) != 0;
  value.tried = (flags & is_tried) != 0;
  value.due = get_time(from);
  value.attempt = from.number<std::uint16_t>();
  return from.complete();
}

// -- replay -------------------------------------------------------------------

namespace {

/// Its subscription has a filter. The second layout was never given to replays.
constexpr std::uint8_t filtered_layout = 3;
/// It has wildcards. Records without any keep the layout before, which earlier
/// versions read.
constexpr std::uint8_t wild_layout = 4;

enum replay_field : std::uint8_t { is_only_failed = 1, has_ended = 2 };

} // namespace

void encode(std::string& out, const replay& value) {
  byte_writer to{out};
  const bool is_wild = !value.selecting.wildcards.empty();
  to.u8(is_wild ? wild_layout : filtered_layout);
  put(to, value.asked.since);
  put(to, value.asked.until);
  to.u8(static_cast<std::uint8_t>((value.asked.only_failed ? is_only_failed : 0)
                                  | (value.ended ? has_ended : 0)));
  to.number(std::bit_cast<std::uint64_t>(value.asked.rate));
  to.u8(static_cast<std::uint8_t>(value.state));
  to.number(value.upto);
  put(to, value.selecting, {.wildcards = is_wild});
  to.number(value.count);
  to.number(value.skipped);
  to.number(value.queued);
  to.number(value.cursor);
  put(to, value.started);
  if (value.ended)
    put(to, *value.ended);
}

bool decode(std::string_view in, replay& value) {
  byte_reader from{in};
  const auto found = from.u8();
  if (found != first_layout && found != filtered_layout && found != wild_layout)
    from.fail();
  value.asked.since = get_time(from);
  value.asked.until = get_time(from);
  const auto mask = from.u8();
  if (mask > (is_only_failed | has_ended))
    from.fail();
  value.asked.only_failed = (mask & is_only_failed) != 0;
  value.asked.rate = std::bit_cast<double>(from.number());
  const auto state = from.u8();
  if (state > static_cast<std::uint8_t>(replay_state::cancelled))
    from.fail();
  value.state = static_cast<replay_state>(state);
  value.upto = from.number();
  get(from, value.selecting,
      {.filter = found >= filtered_layout, .wildcards = found == wild_layout});
  value.count = from.number();
  value.skipped = from.number();
  value.queued = from.number();
  value.cursor = from.number();
  value.started = get_time(from);
  value.ended.reset();
  if (mask & has_ended)
    value.ended = get_time(from);
  return from.complete();
}

} // namespace fanfare::storage::lmdb
