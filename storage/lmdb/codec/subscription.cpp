// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/subscription.hpp"

#include "model/action_name.hpp"
#include "model/payload_filter.hpp"
#include "storage/lmdb/codec/fields.hpp"

#include <utility>

namespace fanfare::storage::lmdb {

namespace {

enum subscription_flag : std::uint8_t { is_enabled = 1, has_all_events = 2 };

} // namespace

void put(byte_writer& to, const subscription& value, subscription_parts parts) {
  to.u8(static_cast<std::uint8_t>((value.enabled ? is_enabled : 0)
                                  | (value.all_events ? has_all_events : 0)));
  put_ids(to, value.events);
  put_ids(to, value.types);
  to.text(value.filter ? std::string_view{value.filter.value->text()}
                       : std::string_view{});
  if (!parts.wildcards)
    return;
  to.number(value.wildcards.size());
  for (const auto& one : value.wildcards)
    to.text(one);
}

void get(byte_reader& from, subscription& value, subscription_parts parts) {
  const auto mask = from.u8();
  if (mask > (is_enabled | has_all_events))
    from.fail();
  value.enabled = (mask & is_enabled) != 0;
  value.all_events = (mask & has_all_events) != 0;
  get_ids(from, value.events);
  get_ids(from, value.types);
  value.filter = {};
  value.wildcards.clear();
  if (!parts.filter)
    return;
  if (const auto text = from.text(); !text.empty()) {
    if (auto compiled = payload_filter::parse(text))
      value.filter.value = std::move(*compiled);
    else
      from.fail();
  }
  if (!parts.wildcards)
    return;
  const auto count = from.count();
  for (std::size_t i = 0; i < count && from.ok(); ++i)
    if (const auto text = from.text(); is_wildcard(text))
      value.wildcards.emplace_back(text);
    else
      from.fail();
}

} // namespace fanfare::storage::lmdb
