// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One record of every kind with every field set, and the plainest one: what
/// the tests of the codec share.

#include "model/idempotency.hpp"
#include "model/payload_filter.hpp"
#include "model/records.hpp"
#include "storage/lmdb/codec/codec.hpp"

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::test {

/// Bytes that text functions may stumble over.
inline const std::string binary_text{"\0\xff\x80 \n\"\\0", 8};

inline timestamp sample_time(std::int64_t ms = 1'700'000'000'000) {
  return timestamp{std::chrono::milliseconds{ms}};
}

inline organizer full_organizer() {
  return {.id = 3,
          .slug = "bigevents",
          .name = "Gästeliste – 予約",
          .allow_networks = {"10.0.0.0/8", ""},
          .deny_networks = {"fe80::/10"}};
}

inline event full_event() {
  return {
    .id = 9, .owner = 4'000'000'000, .slug = "democon", .name = binary_text};
}

inline token full_token() {
  return {.id = 1,
          .owner = 2,
          .name = "api",
          .permissions = 255,
          .hash = binary_text,
          .created = sample_time(-5),
          .last_used = sample_time(),
          .revoked = true};
}

inline subscription full_subscription() {
  return {.enabled = true,
          .all_events = false,
          .events = {5, 900},
          .types = {1, 2, 4'000'000'000},
          .filter = {*payload_filter::parse(R"({"a":{"$in":[1]}})")}};
}

inline delivery_settings full_settings() {
  using std::chrono::milliseconds;
  delivery_settings d;
  d.timeouts = {.dns = milliseconds{0},
                .connect = milliseconds{5'000},
                .tls = milliseconds{1},
                .first_byte = milliseconds{10'000},
                .total = milliseconds{30'000}};
  d.max_in_flight = 64;
  d.schedule = {milliseconds{1}, milliseconds{86'400'000}};
  d.max_age = milliseconds{259'200'000};
  d.limits = {.min_rate = 0, .header_bytes = 256, .body_bytes = 4'000'000'000};
  d.put = d.thin = d.ordered = d.paused = true;
  d.headers = {
    {"X-A", secret_text::sealed(binary_text, secret_text::use::header)},
    {"X-B", {}}};
  d.user_agent_suffix = "shop/1";
  d.signing = signing_algorithm::ed25519;
  d.legacy = legacy_signature{.header = "X-Sig",
                              .digest = legacy_signature::hash::sha512,
                              .text = legacy_signature::encoding::base64,
                              .prefix = "v=",
                              .content = "{id}{body}"};
  d.rate_limit = {.count = 1, .period = milliseconds{60'000}};
  d.resume_rate = {.count = 1'000'000, .period = milliseconds{1}};
  d.batch = {.max_count = 100, .max_wait = milliseconds{0}};
  d.tls = {
    .ca = "ca",
    .certificate = "cert",
    .key = secret_text::sealed(binary_text, secret_text::use::client_key)};
  d.proxy = secret_text::sealed(binary_text, secret_text::use::proxy);
  return d;
}

inline webhook_record full_webhook() {
  webhook_record hook;
  hook.id = 7;
  hook.owner = 3;
  hook.target_url = "https://user:Gästeliste@example.org/";
  hook.comment = binary_text;
  hook.action_types = {"a.b", "a.b", "c.*", ""};
  hook.delivery = full_settings();
  hook.secrets = {
    {.sealed = binary_text, .created = {}, .expires = std::nullopt},
    {.sealed = "b", .created = sample_time(-1), .expires = timestamp::max()}};
  hook.resumed = sample_time(7);
  hook.versions = {
    {.from = 1, .since = {}, .value = full_subscription()},
    {.from = std::numeric_limits<position>::max(),
     .since = sample_time(),
     .value = {
       .enabled = false, .all_events = true, .events = {}, .types = {}}}};
  return hook;
}

/// With the settings of the newest layout.
inline webhook_record newest_webhook() {
  auto hook = full_webhook();
  hook.delivery.final_statuses = {300, 422, 599};
  hook.delivery.name = "billing";
  return hook;
}

inline webhook_record plain_webhook() {
  webhook_record hook;
  hook.id = 1;
  hook.owner = 1;
  hook.target_url = "http://127.0.0.1/";
  hook.versions.emplace_back();
  return hook;
}

inline notification full_notification() {
  return {.id = 5,
          .published = sample_time(),
          .owner = 1,
          .event = 200,
          .type = 3,
          .action = "pretix.event.order.placed",
          .body = R"({"notification_id": 5})",
          .trace = "00-x-y-01\nvendor=1"};
}

inline logged_call full_call() {
  using std::chrono::microseconds;
  logged_call c;
  c.id = 1'000'000;
  c.previous = 3;
  c.hook = 12;
  c.subject = 500;
  c.settled_upto = 499;
  c.time = sample_time();
  c.retry_due = c.time + std::chrono::seconds{5};
  c.result = outcome::retried;
  c.attempt = 11;
  c.resent = c.by_replay = c.unsent = c.thin = true;
  c.status = 503;
  c.timings = {.dns = microseconds{1},
               .connect = microseconds{20},
               .tls = microseconds{300},
               .first_byte = microseconds{4'000},
               .total = microseconds{50'000}};
  c.target_url = "https://user:***@example.org/";
  c.reason = "answered with 503";
  c.response_head = "Server: x\r\n";
  c.response_body = binary_text;
  return c;
}

/// Given up by an answer that was final, and said when to come back.
inline logged_call held_call() {
  auto c = full_call();
  c.retry_due = {};
  c.result = outcome::given_up;
  c.shows = evidence::unclear;
  c.held_until = c.time + std::chrono::seconds{60};
  return c;
}

/// As most are: delivered at the first attempt over a warm connection.
inline logged_call plain_call() {
  logged_call c;
  c.id = 300'000;
  c.previous = 299'000;
  c.hook = 1'000;
  c.subject = 300;
  c.settled_upto = 300;
  c.time = sample_time();
  c.status = 200;
  c.timings.first_byte = std::chrono::microseconds{900};
  c.timings.total = std::chrono::microseconds{1'000};
  return c;
}

inline retry full_retry() {
  return {.subject = 3,
          .due = sample_time(-1),
          .attempt = 12,
          .resent = true,
          .by_replay = true,
          .tried = false};
}

inline replay full_replay() {
  return {.asked = {.since = sample_time(-1),
                    .until = timestamp::max(),
                    .only_failed = true,
                    .rate = 0.25},
          .state = replay_state::cancelled,
          .upto = 1'000'000,
          .selecting = full_subscription(),
          .count = 4'000'000'000,
          .skipped = 1,
          .queued = 77,
          .cursor = 999,
          .started = sample_time(),
          .ended = sample_time() + std::chrono::hours{1}};
}

inline storage::progress full_progress() {
  return {.cursor = 10,
          .ahead = {12, 13, 1'000'000},
          .last_call = 77,
          .failures = 4'000'000'000,
          .failing_since = sample_time(-5),
          .last_failure = sample_time(),
          .excused = std::chrono::milliseconds{2},
          .held_until = sample_time(60'000)};
}

/// Its receiver has asked for a pause by an answer that is no failure.
inline storage::progress held_progress() {
  return {.cursor = 10, .last_call = 77, .held_until = sample_time(60'000)};
}

inline storage::run_times full_run_times() {
  return {.until = sample_time(),
          .off = {{sample_time(-90'000), sample_time(-80'000)},
                  {sample_time(-500), sample_time(500)}}};
}

inline remembered full_answer() {
  return {
    .created = sample_time(),
    .answer = plain_answer{
      .status = 201,
      .headers = {{"Content-Type", "application/json"}, {"X", binary_text}},
      .body = binary_text}};
}

inline remembered full_receipt() {
  return {.created = sample_time(),
          .answer = publish_receipt{
            .first = ~position{0}, .count = 1'000, .list = true, .indent = 8}};
}

inline request_fingerprint sample_fingerprint() {
  request_fingerprint value{};
  for (std::size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<char>(0xf8 + i);
  return value;
}

inline remembered asked_answer() {
  return {.created = sample_time(),
          .answer = plain_answer{
            .status = 204, .body = "x", .asked = sample_fingerprint()}};
}

inline remembered asked_receipt() {
  return {.created = sample_time(),
          .answer = publish_receipt{
            .first = 300, .count = 1, .asked = sample_fingerprint()}};
}

/// A row of statistics as a value.
struct tally_row {
  std::vector<std::pair<unsigned, call_tally>> tallies;
  bool operator==(const tally_row&) const = default;
};

inline void encode(std::string& out, const tally_row& value) {
  storage::lmdb::tally_writer to{out};
  for (const auto& [place, tally] : value.tallies)
    to.add(place, tally);
  to.end();
}

inline bool decode(std::string_view in, tally_row& value) {
  value.tallies.clear();
  storage::lmdb::tally_walk walk{in};
  while (walk.next())
    value.tallies.emplace_back(walk.place(), walk.value());
  return walk.ok();
}

inline tally_row plain_row() {
  call_tally one;
  one.answers.add(26);
  return {{{3, one}}};
}

inline tally_row full_row() {
  call_tally some;
  some.answers.add(0, 3);
  some.answers.add(1);
  some.answers.add(40, 300);
  some.failures[5] = 7;    // timeout
  some.failures[15] = 200; // http_5xx
  some.retries = 150;
  some.given_up = 2;
  call_tally most;
  most.answers.add(duration_bins::bins - 1, std::uint64_t{1} << 62);
  most.failures.back() = std::numeric_limits<std::uint64_t>::max() >> 2;
  return {{{0, some}, {5, plain_row().tallies.front().second}, {11, most}}};
}

/// Calls `visit` with a value of every record but a notification, whose body is
/// not encoded: of each the full one and the plain one.
template <class Visit>
void for_each_sample(Visit visit) {
  using namespace storage::lmdb;
  visit(organizer{.id = 2, .slug = "", .name = ""});
  visit(full_organizer());
  visit(event{});
  visit(full_event());
  visit(action_type{.id = 1, .name = "pretix.event.order.placed"});
  visit(token{});
  visit(full_token());
  visit(plain_webhook());
  visit(full_webhook());
  visit(newest_webhook());
  visit(plain_call());
  visit(full_call());
  visit(retry{});
  visit(full_retry());
  visit(retry{.attempt = 1, .tried = true});
  visit(replay{});
  visit(full_replay());
  visit(storage::progress{});
  visit(full_progress());
  visit(held_progress());
  visit(storage::run_times{});
  visit(full_run_times());
  visit(held_call());
  visit(checkpoint{.routed_upto = 1, .last_call = 2});
  visit(
    counters{.tail = std::numeric_limits<position>::max(), .last_call = 300});
  visit(counted_upto{.last_call = 300, .bucket = 6'000'000});
  visit(plain_row());
  visit(full_row());
  visit(remembered{});
  visit(full_answer());
  visit(full_receipt());
  visit(asked_answer());
  visit(asked_receipt());
}

} // namespace fanfare::test
