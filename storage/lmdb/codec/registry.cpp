// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/registry.hpp"

#include "storage/lmdb/codec/fields.hpp"

namespace fanfare::storage::lmdb {

namespace {

/// Of organizers: networks of their own. Written only if there are some.
constexpr std::uint8_t fenced_layout = 2;

} // namespace

// -- organizer ----------------------------------------------------------------

void encode(std::string& out, const organizer& value) {
  byte_writer to{out};
  const bool fenced = !value.allow_networks.empty()
                   || !value.deny_networks.empty();
  to.u8(fenced ? fenced_layout : first_layout);
  to.text(value.slug);
  to.text(value.name);
  if (!fenced)
    return;
  for (const auto* list : {&value.allow_networks, &value.deny_networks}) {
    to.number(list->size());
    for (const auto& network : *list)
      to.text(network);
  }
}

bool decode(std::string_view in, organizer& value) {
  byte_reader from{in};
  const bool fenced = has_later_layout(from, fenced_layout);
  value.slug = from.text();
  value.name = from.text();
  for (auto* list : {&value.allow_networks, &value.deny_networks}) {
    list->clear();
    const auto count = fenced ? from.count() : 0;
    for (std::size_t i = 0; i < count && from.ok(); ++i)
      list->emplace_back(from.text());
  }
  return from.complete();
}

// -- event --------------------------------------------------------------------

void encode(std::string& out, const event& value) {
  byte_writer to{out};
  to.u8(first_layout);
  to.number(value.owner);
  to.text(value.slug);
  to.text(value.name);
}

bool decode(std::string_view in, event& value) {
  byte_reader from{in};
  expect_first_layout(from);
  value.owner = from.number<organizer_id>();
  value.slug = from.text();
  value.name = from.text();
  return from.complete();
}

// -- action type --------------------------------------------------------------

void encode(std::string& out, const action_type& value) {
  byte_writer to{out};
  to.u8(first_layout);
  to.text(value.name);
}

bool decode(std::string_view in, action_type& value) {
  byte_reader from{in};
  expect_first_layout(from);
  value.name = from.text();
  return from.complete();
}

// -- token --------------------------------------------------------------------

namespace {

enum token_field : std::uint8_t { has_last_used = 1, is_revoked = 2 };

} // namespace

void encode(std::string& out, const token& value) {
  byte_writer to{out};
  to.u8(first_layout);
  to.number(value.owner);
  to.text(value.name);
  to.u8(value.permissions);
  to.text(value.hash);
  put(to, value.created);
  to.u8(static_cast<std::uint8_t>((value.last_used ? has_last_used : 0)
                                  | (value.revoked ? is_revoked : 0)));
  if (value.last_used)
    put(to, *value.last_used);
}

bool decode(std::string_view in, token& value) {
  byte_reader from{in};
  expect_first_layout(from);
  value.owner = from.number<organizer_id>();
  value.name = from.text();
  value.permissions = from.u8();
  value.hash = from.text();
  value.created = get_time(from);
  const auto mask = from.u8();
  if (mask > (has_last_used | is_revoked))
    from.fail();
  value.last_used.reset();
  if (mask & has_last_used)
    value.last_used = get_time(from);
  value.revoked = (mask & is_revoked) != 0;
  return from.complete();
}

} // namespace fanfare::storage::lmdb
