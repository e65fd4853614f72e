// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/call.hpp"

#include "storage/lmdb/codec/fields.hpp"

#include <chrono>

namespace fanfare::storage::lmdb {

namespace {

// The first byte after the flags: the outcome in two bits, and what differs
// from its usual value.
enum call_field : std::uint8_t {
  outcome_mask = 3,
  has_reason = 4,
  has_head = 8,
  has_body = 16,
  has_new_connection = 32, ///< dns, connect, tls
  has_retry_due = 64,
  is_later_attempt = 128,
};

std::uint16_t flags_of(const logged_call& c) {
  return static_cast<std::uint16_t>(
    (c.resent ? is_resent : 0) | (c.by_replay ? is_by_replay : 0)
    | (c.unsent ? is_unsent : 0) | (c.thin ? is_thin_call : 0)
    | (c.repeated ? is_repeated : 0) | (c.uncounted ? is_uncounted : 0)
    | (c.held_until == timestamp{} ? 0 : has_hold)
    | static_cast<unsigned>(c.shows) << shows_shift);
}

void get_facts(byte_reader& from, logged_call& c, std::uint8_t& mask) {
  const auto flags = get_flags(from, is_resent | is_by_replay | is_unsent
                                       | is_thin_call | is_repeated | shows
                                       | is_uncounted | has_hold);
  c.resent = (flags & is_resent) != 0;
  c.by_replay = (flags & is_by_replay) != 0;
  c.unsent = (flags & is_unsent) != 0;
  c.thin = (flags & is_thin_call) != 0;
  c.repeated = (flags & is_repeated) != 0;
  c.uncounted = (flags & is_uncounted) != 0;
  c.shows = static_cast<evidence>((flags & shows) >> shows_shift);
  mask = from.u8();
  c.result = static_cast<outcome>(mask & outcome_mask);
  c.hook = from.number();
  const auto back = from.number();
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
  c.held_until = (flags & has_hold) != 0 ? to_time(get_near(from, raw(c.time)))
                                         : timestamp{};
}

/// What came back, without the texts.
void get_answer(byte_reader& from, logged_call& c, std::uint8_t mask) {
  using us = std::chrono::microseconds;
  c.status = from.number<std::uint16_t>();
  auto& t = c.timings;
  t = {};
  if (mask & has_new_connection) {
    t.dns = get_duration<us>(from);
    t.connect = get_duration<us>(from);
    t.tls = get_duration<us>(from);
  }
  t.first_byte = get_duration<us>(from);
  t.total = get_duration<us>(from);
}

} // namespace

void encode(std::string& out, const logged_call& value) {
  const auto& t = value.timings;
  const auto new_connection = t.dns.count() != 0 || t.connect.count() != 0
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
  if (value.held_until != timestamp{})
    put_near(to, raw(value.held_until), raw(value.time));
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

bool decode(std::string_view in, logged_call& value) {
  byte_reader from{in};
  std::uint8_t mask = 0;
  get_facts(from, value, mask);
  get_answer(from, value, mask);
  value.target_url = from.text();
  value.reason = mask & has_reason ? from.text() : std::string_view{};
  value.response_head = mask & has_head ? from.text() : std::string_view{};
  value.response_body = mask & has_body ? from.text() : std::string_view{};
  return from.complete();
}

bool decode_facts(std::string_view in, logged_call& value) {
  byte_reader from{in};
  std::uint8_t mask = 0;
  get_facts(from, value, mask);
  return from.ok();
}

webhook_id decode_hook(std::string_view in) {
  constexpr std::uint16_t any = 0xffff;
  byte_reader from{in};
  (void)get_flags(from, any);
  (void)from.u8();
  return from.number();
}

bool decode_outcome(std::string_view in, logged_call& value) {
  byte_reader from{in};
  std::uint8_t mask = 0;
  get_facts(from, value, mask);
  get_answer(from, value, mask);
  (void)from.text(); // the address
  value.reason = mask & has_reason ? from.text() : std::string_view{};
  return from.ok();
}

} // namespace fanfare::storage::lmdb
