// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec.hpp"

#include "model/payload_filter.hpp"
#include "storage/lmdb/bytes.hpp"

#include <bit>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

namespace fanfare::storage::lmdb {

namespace {

/// The first layout of each record; most have no other.
constexpr std::uint8_t layout = 1;
/// Of calls and retries: a byte of flags follows. Written only if one is set.
constexpr std::uint8_t flagged_layout = 2;
constexpr std::uint8_t is_replay = 1;
constexpr std::uint8_t is_fed = 2;
constexpr std::uint8_t is_unsent = 4;
constexpr std::uint8_t is_thin_call = 8;
/// Of webhooks: versions have the time they were made.
constexpr std::uint8_t dated_layout = 2;
/// Of webhooks and replays: subscriptions have a filter. Webhooks also have
/// secrets and all the settings after the first ones.
constexpr std::uint8_t filtered_layout = 3;
/// Of notifications: a trace follows the action. Written only if there is one.
constexpr std::uint8_t traced_layout = 2;
/// Of organizers: networks of their own. Written only if there are some.
constexpr std::uint8_t fenced_layout = 2;
/// Of progress: attempts that failed in a row. Written only if one did.
constexpr std::uint8_t failing_layout = 2;

void put(byte_writer& to, timestamp t) {
  to.signed_number(t.time_since_epoch().count());
}

timestamp get_time(byte_reader& from) {
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

/// A number near another one; the difference wraps around, so any two will do.
void put_near(byte_writer& to, std::uint64_t v, std::uint64_t other) {
  to.signed_number(static_cast<std::int64_t>(v - other));
}

std::uint64_t get_near(byte_reader& from, std::uint64_t other) {
  return other + static_cast<std::uint64_t>(from.signed_number());
}

std::uint64_t raw(timestamp t) {
  return static_cast<std::uint64_t>(t.time_since_epoch().count());
}

timestamp to_time(std::uint64_t v) {
  return timestamp{std::chrono::milliseconds{static_cast<std::int64_t>(v)}};
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

void expect_layout(byte_reader& from) {
  if (from.u8() != layout)
    from.fail();
}

/// Whether it is that layout and not the first one.
bool has_later_layout(byte_reader& from, std::uint8_t later) {
  const auto found = from.u8();
  if (found != layout && found != later)
    from.fail();
  return found == later;
}

void put_flags(byte_writer& to, std::uint8_t flags) {
  to.u8(flags != 0 ? flagged_layout : layout);
  if (flags != 0)
    to.u8(flags);
}

/// Reads the layout and the flags, if it has any.
std::uint8_t get_flags(byte_reader& from, std::uint8_t known) {
  const auto found = from.u8();
  if (found == layout)
    return 0;
  const auto flags = from.u8();
  if (found != flagged_layout || flags == 0 || (flags & ~known) != 0)
    from.fail();
  return flags;
}

std::uint8_t flags_of(const retry& r) {
  return static_cast<std::uint8_t>((r.replay ? is_replay : 0)
                                   | (r.fed ? is_fed : 0));
}

std::uint8_t flags_of(const call& c) {
  return static_cast<std::uint8_t>(
    (c.replay ? is_replay : 0) | (c.fed ? is_fed : 0)
    | (c.unsent ? is_unsent : 0) | (c.thin ? is_thin_call : 0));
}

/// What may be absent: a byte tells.
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

void put(byte_writer& to, const subscription& value) {
  to.u8(static_cast<std::uint8_t>((value.enabled ? 1 : 0)
                                  | (value.all_events ? 2 : 0)));
  put_ids(to, value.events);
  put_ids(to, value.types);
  to.text(value.filter ? std::string_view{value.filter.value->text()}
                       : std::string_view{});
}

void get(byte_reader& from, subscription& value, bool filtered) {
  auto mask = from.u8();
  if (mask > 3)
    from.fail();
  value.enabled = (mask & 1) != 0;
  value.all_events = (mask & 2) != 0;
  get_ids(from, value.events);
  get_ids(from, value.types);
  value.filter = {};
  if (!filtered)
    return;
  if (const auto text = from.text(); !text.empty()) {
    if (auto compiled = payload_filter::parse(text))
      value.filter.value = std::move(*compiled);
    else
      from.fail();
  }
}

// -- delivery settings --------------------------------------------------------

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

void put(byte_writer& to, const delivery_settings& d) {
  const auto& t = d.timeouts;
  to.u8(static_cast<std::uint8_t>(
    (t.dns ? has_dns : 0) | (t.connect ? has_connect : 0)
    | (t.tls ? has_tls : 0) | (t.first_byte ? has_first_byte : 0)
    | (t.total ? has_total : 0) | (d.max_in_flight ? has_max_in_flight : 0)
    | (d.schedule ? has_schedule : 0) | (d.max_age ? has_max_age : 0)));
  for (const auto* field :
       {&t.dns, &t.connect, &t.tls, &t.first_byte, &t.total})
    if (*field)
      put(to, **field);
  if (d.max_in_flight)
    to.number(*d.max_in_flight);
  if (d.schedule) {
    to.number(d.schedule->size());
    for (auto delay : *d.schedule)
      put(to, delay);
  }
  if (d.max_age)
    put(to, *d.max_age);
}

void get(byte_reader& from, delivery_settings& d) {
  using ms = std::chrono::milliseconds;
  auto mask = from.u8();
  auto field = [&](delivery_field bit, std::optional<ms>& to) {
    to.reset();
    if (mask & bit)
      to = get_duration<ms>(from);
  };
  field(has_dns, d.timeouts.dns);
  field(has_connect, d.timeouts.connect);
  field(has_tls, d.timeouts.tls);
  field(has_first_byte, d.timeouts.first_byte);
  field(has_total, d.timeouts.total);
  d.max_in_flight.reset();
  if (mask & has_max_in_flight)
    d.max_in_flight = from.number<std::uint32_t>();
  d.schedule.reset();
  if (mask & has_schedule) {
    auto& delays = d.schedule.emplace();
    auto count = from.count();
    delays.reserve(count);
    for (std::size_t i = 0; i < count && from.ok(); ++i)
      delays.push_back(get_duration<ms>(from));
  }
  field(has_max_age, d.max_age);
}

enum delivery_switch : std::uint8_t {
  is_put = 1,
  is_thin = 2,
  is_ordered = 4,
  is_paused = 8,
};

void put(byte_writer& to, const delivery_settings::rate& r) {
  to.number(r.count);
  put(to, r.period);
}

delivery_settings::rate get_rate(byte_reader& from) {
  delivery_settings::rate r;
  r.count = from.number<std::uint32_t>();
  r.period = get_duration<std::chrono::milliseconds>(from);
  return r;
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

/// Empty: there is none.
secret_text sealed(std::string_view text, secret_text::use what) {
  return text.empty() ? secret_text{}
                      : secret_text::sealed(std::string{text}, what);
}

/// The settings that came after the first ones.
void put_further(byte_writer& to, const delivery_settings& d) {
  const auto number = [&to](std::uint32_t v) { to.number(v); };
  put_optional(to, d.limits.min_rate, number);
  put_optional(to, d.limits.header_bytes, number);
  put_optional(to, d.limits.body_bytes, number);
  to.u8(static_cast<std::uint8_t>((d.put ? is_put : 0) | (d.thin ? is_thin : 0)
                                  | (d.ordered ? is_ordered : 0)
                                  | (d.paused ? is_paused : 0)));
  to.number(d.headers.size());
  for (const auto& h : d.headers) {
    to.text(h.name);
    to.text(h.value.bytes());
  }
  to.text(d.user_agent_suffix);
  to.u8(static_cast<std::uint8_t>(d.signing));
  put_optional(to, d.legacy, [&](const auto& l) { put(to, l); });
  put_optional(to, d.rate_limit, [&](const auto& r) { put(to, r); });
  put_optional(to, d.resume_rate, [&](const auto& r) { put(to, r); });
  put_optional(to, d.batch, [&](const auto& b) {
    to.number(b.max_count);
    put(to, b.max_wait);
  });
  put_optional(to, d.tls, [&](const auto& t) {
    to.text(t.ca);
    to.text(t.certificate);
    to.text(t.key.bytes());
  });
  to.text(d.proxy.bytes());
}

void get_further(byte_reader& from, delivery_settings& d) {
  const auto number = [&from] { return from.number<std::uint32_t>(); };
  get_optional(from, d.limits.min_rate, number);
  get_optional(from, d.limits.header_bytes, number);
  get_optional(from, d.limits.body_bytes, number);
  const auto switches = from.u8();
  if (switches > (is_put | is_thin | is_ordered | is_paused))
    from.fail();
  d.put = (switches & is_put) != 0;
  d.thin = (switches & is_thin) != 0;
  d.ordered = (switches & is_ordered) != 0;
  d.paused = (switches & is_paused) != 0;
  d.headers.clear();
  const auto headers = from.count();
  for (std::size_t i = 0; i < headers && from.ok(); ++i) {
    auto& h = d.headers.emplace_back();
    h.name = from.text();
    h.value = sealed(from.text(), secret_text::use::header);
  }
  d.user_agent_suffix = from.text();
  const auto signing = from.u8();
  if (signing > static_cast<std::uint8_t>(signing_algorithm::ed25519))
    from.fail();
  d.signing = static_cast<signing_algorithm>(signing);
  get_optional(from, d.legacy, [&] { return get_legacy(from); });
  get_optional(from, d.rate_limit, [&] { return get_rate(from); });
  get_optional(from, d.resume_rate, [&] { return get_rate(from); });
  get_optional(from, d.batch, [&] {
    delivery_settings::batching b;
    b.max_count = from.number<std::uint32_t>();
    b.max_wait = get_duration<std::chrono::milliseconds>(from);
    return b;
  });
  get_optional(from, d.tls, [&] {
    delivery_settings::tls_material t;
    t.ca = from.text();
    t.certificate = from.text();
    t.key = sealed(from.text(), secret_text::use::client_key);
    return t;
  });
  d.proxy = sealed(from.text(), secret_text::use::proxy);
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

// -- calls --------------------------------------------------------------------

// The first byte of a call: its outcome in two bits, and what is not at its
// usual value.
enum call_field : std::uint8_t {
  outcome_mask = 3,
  has_reason = 4,
  has_head = 8,
  has_body = 16,
  has_new_connection = 32, ///< dns, connect, tls
  has_retry_due = 64,
  is_later_attempt = 128,
};

void get_facts(byte_reader& from, call& c, std::uint8_t& mask) {
  const auto flags = get_flags(from,
                               is_replay | is_fed | is_unsent | is_thin_call);
  c.replay = (flags & is_replay) != 0;
  c.fed = (flags & is_fed) != 0;
  c.unsent = (flags & is_unsent) != 0;
  c.thin = (flags & is_thin_call) != 0;
  mask = from.u8();
  c.result = static_cast<outcome>(mask & outcome_mask);
  c.hook = from.number();
  auto back = from.number();
  if (back > c.id)
    from.fail();
  c.previous = back == 0 ? 0 : c.id - back;
  c.subject = from.number();
  c.settled_upto = get_near(from, c.subject);
  c.time = get_time(from);
  c.retry_due = mask & has_retry_due ? to_time(get_near(from, raw(c.time)))
                                     : timestamp{};
  c.attempt = mask & is_later_attempt ? from.number<std::uint16_t>()
                                      : std::uint16_t{1};
}

} // namespace

// -- encode -------------------------------------------------------------------

void encode(std::string& out, const organizer& value) {
  byte_writer to{out};
  const bool fenced = !value.allow_networks.empty()
                   || !value.deny_networks.empty();
  to.u8(fenced ? fenced_layout : layout);
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

void encode(std::string& out, const event& value) {
  byte_writer to{out};
  to.u8(layout);
  to.number(value.owner);
  to.text(value.slug);
  to.text(value.name);
}

void encode(std::string& out, const action_type& value) {
  byte_writer to{out};
  to.u8(layout);
  to.text(value.name);
}

void encode(std::string& out, const token& value) {
  byte_writer to{out};
  to.u8(layout);
  to.number(value.owner);
  to.text(value.name);
  to.u8(value.permissions);
  to.text(value.hash);
  put(to, value.created);
  to.u8(static_cast<std::uint8_t>((value.last_used ? 1 : 0)
                                  | (value.revoked ? 2 : 0)));
  if (value.last_used)
    put(to, *value.last_used);
}

void encode(std::string& out, const webhook_record& value) {
  byte_writer to{out};
  to.u8(filtered_layout);
  to.number(value.owner);
  to.text(value.target_url);
  to.u8(value.comment ? 1 : 0);
  if (value.comment)
    to.text(*value.comment);
  to.number(value.action_types.size());
  for (const auto& name : value.action_types)
    to.text(name);
  put(to, value.delivery);
  put_further(to, value.delivery);
  put_secrets(to, value.secrets);
  put_optional(to, value.resumed, [&](timestamp t) { put(to, t); });
  to.number(value.versions.size());
  for (const auto& version : value.versions) {
    to.number(version.from);
    put(to, version.since);
    put(to, version.value);
  }
}

void encode_without_body(std::string& out, const notification& value) {
  byte_writer to{out};
  to.u8(value.trace.empty() ? layout : traced_layout);
  put(to, value.published);
  to.number(value.owner);
  to.number(value.event);
  to.number(value.type);
  to.text(value.action);
  if (!value.trace.empty())
    to.text(value.trace);
}

void encode(std::string& out, const call& value) {
  const auto& t = value.timings;
  auto new_connection = t.dns.count() != 0 || t.connect.count() != 0
                     || t.tls.count() != 0;
  byte_writer to{out};
  put_flags(to, flags_of(value));
  to.u8(static_cast<std::uint8_t>(
    static_cast<unsigned>(value.result)
    | (value.reason.empty() ? 0 : has_reason)
    | (value.response_head.empty() ? 0 : has_head)
    | (value.response_body.empty() ? 0 : has_body)
    | (new_connection ? has_new_connection : 0)
    | (value.retry_due == timestamp{} ? 0 : has_retry_due)
    | (value.attempt == 1 ? 0 : is_later_attempt)));
  to.number(value.hook);
  to.number(value.previous == 0 ? 0 : value.id - value.previous);
  to.number(value.subject);
  put_near(to, value.settled_upto, value.subject);
  put(to, value.time);
  if (value.retry_due != timestamp{})
    put_near(to, raw(value.retry_due), raw(value.time));
  if (value.attempt != 1)
    to.number(value.attempt);
  to.number(value.status);
  if (new_connection) {
    put(to, t.dns);
    put(to, t.connect);
    put(to, t.tls);
  }
  put(to, t.first_byte);
  put(to, t.total);
  to.text(value.target_url);
  if (!value.reason.empty())
    to.text(value.reason);
  if (!value.response_head.empty())
    to.text(value.response_head);
  if (!value.response_body.empty())
    to.text(value.response_body);
}

void encode(std::string& out, const retry& value) {
  byte_writer to{out};
  put_flags(to, flags_of(value));
  put(to, value.due);
  to.number(value.attempt);
}

void encode(std::string& out, const replay& value) {
  byte_writer to{out};
  to.u8(filtered_layout);
  put(to, value.asked.since);
  put(to, value.asked.until);
  to.u8(static_cast<std::uint8_t>((value.asked.only_failed ? 1 : 0)
                                  | (value.ended ? 2 : 0)));
  to.number(std::bit_cast<std::uint64_t>(value.asked.rate));
  to.u8(static_cast<std::uint8_t>(value.state));
  to.number(value.upto);
  put(to, value.selecting);
  to.number(value.count);
  to.number(value.skipped);
  to.number(value.queued);
  to.number(value.cursor);
  put(to, value.started);
  if (value.ended)
    put(to, *value.ended);
}

void encode(std::string& out, const progress& value) {
  byte_writer to{out};
  to.u8(value.failures == 0 ? layout : failing_layout);
  to.number(value.cursor);
  to.number(value.last_call);
  put_ids(to, value.ahead);
  if (value.failures == 0)
    return;
  to.number(value.failures);
  put(to, value.failing_since);
  put_near(to, raw(value.last_failure), raw(value.failing_since));
}

void encode(std::string& out, const checkpoint& value) {
  byte_writer to{out};
  to.u8(layout);
  to.number(value.routed_upto);
  to.number(value.last_call);
}

void encode(std::string& out, const counters& value) {
  byte_writer to{out};
  to.u8(layout);
  to.number(value.tail);
  to.number(value.last_call);
}

/// What kind of answer follows.
enum answer_kind : std::uint8_t { is_plain = 0, is_receipt = 1, is_list = 2 };

void encode(std::string& out, const remembered& value) {
  byte_writer to{out};
  to.u8(layout);
  put(to, value.created);
  if (const auto* receipt = std::get_if<publish_receipt>(&value.answer)) {
    to.u8(receipt->list ? is_list : is_receipt);
    to.number(receipt->first);
    to.number(receipt->count);
    to.number(receipt->indent);
    return;
  }
  const auto& plain = std::get<plain_answer>(value.answer);
  to.u8(is_plain);
  to.number(plain.status);
  to.number(plain.headers.size());
  for (const auto& [name, text] : plain.headers) {
    to.text(name);
    to.text(text);
  }
  to.text(plain.body);
}

// -- decode -------------------------------------------------------------------

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

bool decode(std::string_view in, event& value) {
  byte_reader from{in};
  expect_layout(from);
  value.owner = from.number<organizer_id>();
  value.slug = from.text();
  value.name = from.text();
  return from.complete();
}

bool decode(std::string_view in, action_type& value) {
  byte_reader from{in};
  expect_layout(from);
  value.name = from.text();
  return from.complete();
}

bool decode(std::string_view in, token& value) {
  byte_reader from{in};
  expect_layout(from);
  value.owner = from.number<organizer_id>();
  value.name = from.text();
  value.permissions = from.u8();
  value.hash = from.text();
  value.created = get_time(from);
  auto mask = from.u8();
  if (mask > 3)
    from.fail();
  value.last_used.reset();
  if (mask & 1)
    value.last_used = get_time(from);
  value.revoked = (mask & 2) != 0;
  return from.complete();
}

bool decode(std::string_view in, webhook_record& value) {
  byte_reader from{in};
  const auto found = from.u8();
  if (found < layout || found > filtered_layout)
    from.fail();
  value.owner = from.number<organizer_id>();
  value.target_url = from.text();
  auto commented = from.u8();
  if (commented > 1)
    from.fail();
  value.comment.reset();
  if (commented)
    value.comment = from.text();
  auto names = from.count();
  value.action_types.clear();
  value.action_types.reserve(names);
  for (std::size_t i = 0; i < names && from.ok(); ++i)
    value.action_types.emplace_back(from.text());
  value.delivery = {};
  get(from, value.delivery);
  const bool filtered = found == filtered_layout;
  if (filtered) {
    get_further(from, value.delivery);
    get_secrets(from, value.secrets);
    get_optional(from, value.resumed, [&] { return get_time(from); });
  } else {
    // It was made when nothing was signed, and has no secret.
    value.delivery.signing = signing_algorithm::none;
    value.secrets.clear();
    value.resumed.reset();
  }
  auto versions = from.count();
  value.versions.clear();
  for (std::size_t i = 0; i < versions && from.ok(); ++i) {
    auto& version = value.versions.emplace_back();
    version.from = from.number();
    version.since = found >= dated_layout ? get_time(from) : timestamp{};
    get(from, version.value, filtered);
  }
  return from.complete() && !value.versions.empty();
}

bool decode(std::string_view in, notification_head& value) {
  byte_reader from{in};
  (void)has_later_layout(from, traced_layout);
  value.published = get_time(from);
  value.owner = from.number<organizer_id>();
  value.event = from.number<event_id>();
  value.type = from.number<action_type_id>();
  return from.ok();
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

bool decode_facts(std::string_view in, call& value) {
  byte_reader from{in};
  std::uint8_t mask = 0;
  get_facts(from, value, mask);
  return from.ok();
}

bool decode(std::string_view in, call& value) {
  using us = std::chrono::microseconds;
  byte_reader from{in};
  std::uint8_t mask = 0;
  get_facts(from, value, mask);
  value.status = from.number<std::uint16_t>();
  auto& t = value.timings;
  t = {};
  if (mask & has_new_connection) {
    t.dns = get_duration<us>(from);
    t.connect = get_duration<us>(from);
    t.tls = get_duration<us>(from);
  }
  t.first_byte = get_duration<us>(from);
  t.total = get_duration<us>(from);
  value.target_url = from.text();
  value.reason = mask & has_reason ? from.text() : std::string_view{};
  value.response_head = mask & has_head ? from.text() : std::string_view{};
  value.response_body = mask & has_body ? from.text() : std::string_view{};
  return from.complete();
}

bool decode(std::string_view in, retry& value) {
  byte_reader from{in};
  const auto flags = get_flags(from, is_replay | is_fed);
  value.replay = (flags & is_replay) != 0;
  value.fed = (flags & is_fed) != 0;
  value.due = get_time(from);
  value.attempt = from.number<std::uint16_t>();
  return from.complete();
}

bool decode(std::string_view in, replay& value) {
  byte_reader from{in};
  const bool filtered = has_later_layout(from, filtered_layout);
  value.asked.since = get_time(from);
  value.asked.until = get_time(from);
  const auto mask = from.u8();
  if (mask > 3)
    from.fail();
  value.asked.only_failed = (mask & 1) != 0;
  value.asked.rate = std::bit_cast<double>(from.number());
  const auto state = from.u8();
  if (state > static_cast<std::uint8_t>(replay_state::cancelled))
    from.fail();
  value.state = static_cast<replay_state>(state);
  value.upto = from.number();
  get(from, value.selecting, filtered);
  value.count = from.number();
  value.skipped = from.number();
  value.queued = from.number();
  value.cursor = from.number();
  value.started = get_time(from);
  value.ended.reset();
  if (mask & 2)
    value.ended = get_time(from);
  return from.complete();
}

bool decode(std::string_view in, progress& value) {
  byte_reader from{in};
  const bool failing = has_later_layout(from, failing_layout);
  value.cursor = from.number();
  value.last_call = from.number();
  get_ids(from, value.ahead);
  value.failures = failing ? from.number<std::uint32_t>() : 0;
  value.failing_since = failing ? get_time(from) : timestamp{};
  value.last_failure = failing
                       ? to_time(get_near(from, raw(value.failing_since)))
                       : timestamp{};
  return from.complete();
}

bool decode(std::string_view in, checkpoint& value) {
  byte_reader from{in};
  expect_layout(from);
  value.routed_upto = from.number();
  value.last_call = from.number();
  return from.complete();
}

bool decode(std::string_view in, counters& value) {
  byte_reader from{in};
  expect_layout(from);
  value.tail = from.number();
  value.last_call = from.number();
  return from.complete();
}

bool decode(std::string_view in, remembered& value) {
  byte_reader from{in};
  expect_layout(from);
  value.created = get_time(from);
  auto kind = from.u8();
  if (kind == is_receipt || kind == is_list) {
    publish_receipt receipt;
    receipt.list = kind == is_list;
    receipt.first = from.number();
    receipt.count = from.number<std::uint32_t>();
    receipt.indent = from.number<std::uint32_t>();
    value.answer = receipt;
    return from.complete();
  }
  if (kind != is_plain)
    from.fail();
  plain_answer plain;
  plain.status = from.number<std::uint16_t>();
  auto count = from.count();
  plain.headers.reserve(count);
  for (std::size_t i = 0; i < count && from.ok(); ++i) {
    std::string name{from.text()};
    plain.headers.emplace_back(std::move(name), from.text());
  }
  plain.body = from.text();
  value.answer = std::move(plain);
  return from.complete();
}

} // namespace fanfare::storage::lmdb
