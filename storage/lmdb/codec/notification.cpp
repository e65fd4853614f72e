// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/notification.hpp"

#include "storage/lmdb/codec/fields.hpp"

namespace fanfare::storage::lmdb {

namespace {

/// A trace follows the action. Written only if there is one.
constexpr std::uint8_t traced_layout = 2;

} // namespace

void encode_without_body(std::string& out, const notification& value) {
  byte_writer to{out};
  to.u8(value.trace.empty() ? first_layout : traced_layout);
  put(to, value.published);
  to.number(value.owner);
  to.number(value.event);
  to.number(value.type);
  to.text(value.action);
  if (!value.trace.empty())
    to.text(value.trace);
}

bool decode(std::string_view in, notification& value) {
  byte_reader from{in};
  const bool traced = has_later_layout(from, traced_layout);
  value.published = get_time(from);
  value.owner = from.number<organizer_id>();
  value.event = from.number<event_id>();
  value.type = from.number<action_type_id>();
  value.action = from.text();
  value.trace = traced ? from.text() : std::string_view{};
  value.body = from.rest();
  return from.ok();
}

bool decode(std::string_view in, notification_head& value) {
  byte_reader from{in};
  (void)has_later_layout(from, traced_layout);
  value.published = get_time(from);
  value.owner = from.number<organizer_id>();
  value.event = from.number<event_id>();
  value.type = from.number<action_type_id>();
  value.action = from.text();
  return from.ok();
}

} // namespace fanfare::storage::lmdb
