// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/settings.hpp"

#include "storage/lmdb/codec/fields.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace fanfare::storage::lmdb {

using std::chrono::milliseconds;

// -- the first settings -------------------------------------------------------

namespace {

enum delivery_field : std::uint8_t {
  has_dns = 1,
  has_connect = 2,
  has_tls = 4,
  has_first_byte = 8,
  has_total = 16,
  has_max_in_flight = 32,
  has_schedule = 64,
  has_max_age = 128,
};

} // namespace

void put(byte_writer& to, const delivery_settings& value) {
  const auto& t = value.timeouts;
  to.u8(static_cast<std::uint8_t>(
    (t.dns ? has_dns : 0) | (t.connect ? has_connect : 0)
    | (t.tls ? has_tls : 0) | (t.first_byte ? has_first_byte : 0)
    | (t.total ? has_total : 0) | (value.max_in_flight ? has_max_in_flight : 0)
    | (value.schedule ? has_schedule : 0) | (value.max_age ? has_max_age : 0)));
  for (const auto* field :
       {&t.dns, &t.connect, &t.tls, &t.first_byte, &t.total})
    if (*field)
      put(to, **field);
  if (value.max_in_flight)
    to.number(*value.max_in_flight);
  if (value.schedule) {
    to.number(value.schedule->size());
    for (auto delay : *value.schedule)
      put(to, delay);
  }
  if (value.max_age)
    put(to, *value.max_age);
}

void get(byte_reader& from, delivery_settings& value) {
  const auto mask = from.u8();
  const auto field = [&](delivery_field bit, std::optional<milliseconds>& to) {
    to.reset();
    if (mask & bit)
      to = get_duration<milliseconds>(from);
  };
  field(has_dns, value.timeouts.dns);
  field(has_connect, value.timeouts.connect);
  field(has_tls, value.timeouts.tls);
  field(has_first_byte, value.timeouts.first_byte);
  field(has_total, value.timeouts.total);
  value.max_in_flight.reset();
  if (mask & has_max_in_flight)
    value.max_in_flight = from.number<std::uint32_t>();
  value.schedule.reset();
  if (mask & has_schedule) {
    auto& delays = value.schedule.emplace();
    const auto count = from.count();
    delays.reserve(count);
    for (std::size_t i = 0; i < count && from.ok(); ++i)
      delays.push_back(get_duration<milliseconds>(from));
  }
  field(has_max_age, value.max_age);
}

// -- parts of the further settings --------------------------------------------

namespace {

void put(byte_writer& to, const delivery_settings::rate& r) {
  to.number(r.count);
  put(to, r.period);
}

delivery_settings::rate get_rate(byte_reader& from) {
  delivery_settings::rate r;
  r.count = from.number<std::uint32_t>();
  r.period = get_duration<milliseconds>(from);
  return r;
}

void put(byte_writer& to, const delivery_settings::batching& b) {
  to.number(b.max_count);
  put(to, b.max_wait);
}

delivery_settings::batching get_batching(byte_reader& from) {
  delivery_settings::batching b;
  b.max_count = from.number<std::uint32_t>();
  b.max_wait = get_duration<milliseconds>(from);
  return b;
}

void put(byte_writer& to, const legacy_signature& l) {
  to.text(l.header);
  to.u8(static_cast<std::uint8_t>(l.digest));
  to.u8(static_cast<std::uint8_t>(l.text));
  to.text(l.prefix);
  to.text(l.content);
}

legacy_signature get_legacy(byte_reader& from) {
  legacy_signature l;
  l.header = from.text();
  const auto digest = from.u8();
  const auto text = from.u8();
  if (digest > static_cast<std::uint8_t>(legacy_signature::hash::sha512)
      || text > static_cast<std::uint8_t>(legacy_signature::encoding::base64))
    from.fail();
  l.digest = static_cast<legacy_signature::hash>(digest);
  l.text = static_cast<legacy_signature::encoding>(text);
  l.prefix = from.text();
  l.content = from.text();
  return l;
}

/// An empty text: there is no secret.
secret_text get_secret(byte_reader& from, secret_text::use what) {
  const auto text = from.text();
  return text.empty() ? secret_text{}
                      : secret_text::sealed(std::string{text}, what);
}

void put(byte_writer& to, const delivery_settings::tls_material& t) {
  to.text(t.ca);
  to.text(t.certificate);
  to.text(t.key.bytes());
}

delivery_settings::tls_material get_tls(byte_reader& from) {
  delivery_settings::tls_material t;
  t.ca = from.text();
  t.certificate = from.text();
  t.key = get_secret(from, secret_text::use::client_key);
  return t;
}

enum delivery_switch : std::uint8_t {
  is_put = 1,
  is_thin = 2,
  is_ordered = 4,
  is_paused = 8,
};

} // namespace

// -- the further settings -----------------------------------------------------

void put_further(byte_writer& to, const delivery_settings& value) {
  const auto number = [&to](std::uint32_t v) { to.number(v); };
  const auto part = [&to](const auto& v) { put(to, v); };
  put_optional(to, value.limits.min_rate, number);
  put_optional(to, value.limits.header_bytes, number);
  put_optional(to, value.limits.body_bytes, number);
  to.u8(static_cast<std::uint8_t>(
    (value.put ? is_put : 0) | (value.thin ? is_thin : 0)
    | (value.ordered ? is_ordered : 0) | (value.paused ? is_paused : 0)));
  to.number(value.headers.size());
  for (const auto& h : value.headers) {
    to.text(h.name);
    to.text(h.value.bytes());
  }
  to.text(value.user_agent_suffix);
  to.u8(static_cast<std::uint8_t>(value.signing));
  put_optional(to, value.legacy, part);
  put_optional(to, value.rate_limit, part);
  put_optional(to, value.resume_rate, part);
  put_optional(to, value.batch, part);
  put_optional(to, value.tls, part);
  to.text(value.proxy.bytes());
}

void get_further(byte_reader& from, delivery_settings& value) {
  const auto number = [&from] { return from.number<std::uint32_t>(); };
  get_optional(from, value.limits.min_rate, number);
  get_optional(from, value.limits.header_bytes, number);
  get_optional(from, value.limits.body_bytes, number);
  const auto switches = from.u8();
  if (switches > (is_put | is_thin | is_ordered | is_paused))
    from.fail();
  value.put = (switches & is_put) != 0;
  value.thin = (switches & is_thin) != 0;
  value.ordered = (switches & is_ordered) != 0;
  value.paused = (switches & is_paused) != 0;
  value.headers.clear();
  const auto headers = from.count();
  for (std::size_t i = 0; i < headers && from.ok(); ++i) {
    auto& h = value.headers.emplace_back();
    h.name = from.text();
    h.value = get_secret(from, secret_text::use::header);
  }
  value.user_agent_suffix = from.text();
  const auto signing = from.u8();
  if (signing > static_cast<std::uint8_t>(signing_algorithm::ed25519))
    from.fail();
  value.signing = static_cast<signing_algorithm>(signing);
  get_optional(from, value.legacy, [&] { return get_legacy(from); });
  get_optional(from, value.rate_limit, [&] { return get_rate(from); });
  get_optional(from, value.resume_rate, [&] { return get_rate(from); });
  get_optional(from, value.batch, [&] { return get_batching(from); });
  get_optional(from, value.tls, [&] { return get_tls(from); });
  value.proxy = get_secret(from, secret_text::use::proxy);
}

// -- final statuses -----------------------------------------------------------

void put_final(byte_writer& to, const delivery_settings& value) {
  put_ids(to, value.final_statuses);
}

void get_final(byte_reader& from, delivery_settings& value) {
  get_ids(from, value.final_statuses);
}

// -- name ---------------------------------------------------------------------

void put_name(byte_writer& to, const delivery_settings& value) {
  to.text(value.name);
}

void get_name(byte_reader& from, delivery_settings& value) {
  value.name = from.text();
}

} // namespace fanfare::storage::lmdb
