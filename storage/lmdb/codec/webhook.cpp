// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/webhook.hpp"

#include "storage/lmdb/codec/fields.hpp"
#include "storage/lmdb/codec/settings.hpp"
#include "storage/lmdb/codec/subscription.hpp"

#include <algorithm>

namespace fanfare::storage::lmdb {

namespace {

/// Versions have the time they were made.
constexpr std::uint8_t dated_layout = 2;
/// Subscriptions have a filter, and the webhook has secrets and all the
/// settings after the first ones.
constexpr std::uint8_t filtered_layout = 3;
/// Some statuses are final. Records without any keep the layout before, which
/// earlier versions read.
constexpr std::uint8_t final_layout = 4;
/// It may have a name, and subscriptions wildcards; all else as before. Written
/// in the same way.
constexpr std::uint8_t newest_layout = 5;

bool has_wildcards(const webhook_record& value) {
  return std::ranges::any_of(value.versions, [](const auto& version) {
    return !version.value.wildcards.empty();
  });
}

void put_secrets(byte_writer& to, const std::vector<signing_secret>& secrets) {
  to.number(secrets.size());
  for (const auto& s : secrets) {
    to.text(s.sealed);
    put(to, s.created);
    put_optional(to, s.expires, [&](timestamp t) { put(to, t); });
  }
}

void get_secrets(byte_reader& from, std::vector<signing_secret>& secrets) {
  secrets.clear();
  const auto count = from.count();
  for (std::size_t i = 0; i < count && from.ok(); ++i) {
    auto& s = secrets.emplace_back();
    s.sealed = from.text();
    s.created = get_time(from);
    get_optional(from, s.expires, [&] { return get_time(from); });
  }
}

} // namespace

void encode(std::string& out, const webhook_record& value) {
  byte_writer to{out};
  const bool is_newest = !value.delivery.name.empty() || has_wildcards(value);
  const bool has_final = is_newest || !value.delivery.final_statuses.empty();
  to.u8(is_newest ? newest_layout : has_final ? final_layout : filtered_layout);
  to.number(value.owner);
  to.text(value.target_url);
  put_optional(to, value.comment, [&](const auto& text) { to.text(text); });
  to.number(value.action_types.size());
  for (const auto& name : value.action_types)
    to.text(name);
  put(to, value.delivery);
  put_further(to, value.delivery);
  if (has_final)
    put_final(to, value.delivery);
  if (is_newest)
    put_name(to, value.delivery);
  put_secrets(to, value.secrets);
  put_optional(to, value.resumed, [&](timestamp t) { put(to, t); });
  to.number(value.versions.size());
  for (const auto& version : value.versions) {
    to.number(version.from);
    put(to, version.since);
    put(to, version.value, {.wildcards = is_newest});
  }
}

bool decode(std::string_view in, webhook_record& value) {
  byte_reader from{in};
  const auto found = from.u8();
  if (found < first_layout || found > newest_layout)
    from.fail();
  value.owner = from.number<organizer_id>();
  value.target_url = from.text();
  get_optional(from, value.comment, [&] { return std::string{from.text()}; });
  const auto names = from.count();
  value.action_types.clear();
  value.action_types.reserve(names);
  for (std::size_t i = 0; i < names && from.ok(); ++i)
    value.action_types.emplace_back(from.text());
  value.delivery = {};
  get(from, value.delivery);
  const bool filtered = found >= filtered_layout;
  if (filtered) {
    get_further(from, value.delivery);
    if (found >= final_layout)
      get_final(from, value.delivery);
    if (found == newest_layout)
      get_name(from, value.delivery);
    get_secrets(from, value.secrets);
    get_optional(from, value.resumed, [&] { return get_time(from); });
  } else {
    // It dates from before there were signatures, and has no secret.
    value.delivery.signing = signing_algorithm::none;
    value.secrets.clear();
    value.resumed.reset();
  }
  const auto versions = from.count();
  value.versions.clear();
  for (std::size_t i = 0; i < versions && from.ok(); ++i) {
    auto& version = value.versions.emplace_back();
    version.from = from.number();
    version.since = found >= dated_layout ? get_time(from) : timestamp{};
    get(from, version.value,
        {.filter = filtered, .wildcards = found == newest_layout});
  }
  return from.complete() && !value.versions.empty();
}

organizer_id decode_owner(std::string_view in) {
  byte_reader from{in};
  (void)from.u8(); // every layout begins like this
  return from.number<organizer_id>();
}

} // namespace fanfare::storage::lmdb
