// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec.hpp"

#include "model/payload_filter.hpp"
#include "storage/lmdb/bytes.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace fanfare::storage::lmdb {

namespace {

const std::string binary{"\0\xff\x80 \n\"\\0", 8};
const std::string non_ascii = "Gästeliste – 予約 🎫";
const std::string long_text(100'000, 'z');

/// What comes back for what went in; the id is set as the store does.
template <class T>
T round_trip(const T& value) {
  std::string record;
  encode(record, value);
  T back;
  if constexpr (requires { back.id; })
    back.id = value.id;
  if constexpr (std::is_same_v<T, retry>)
    back.subject = value.subject;
  EXPECT_TRUE(decode(record, back));
  return back;
}

template <class T>
void expect_round_trip(const T& value) {
  EXPECT_TRUE(round_trip(value) == value);
}

webhook_record full_webhook() {
  using std::chrono::milliseconds;
  webhook_record hook;
  hook.id = 7;
  hook.owner = 3;
  hook.target_url = "https://user:" + non_ascii + "@example.org/" + long_text;
  hook.comment = binary;
  hook.action_types = {"a.b", "a.b", "c.*", ""};
  hook.delivery.timeouts = {.dns = milliseconds{0},
                            .connect = milliseconds{5000},
                            .tls = milliseconds{-1},
                            .first_byte = std::nullopt,
                            .total = milliseconds::max()};
  hook.delivery.max_in_flight = 64;
  hook.delivery.schedule = {milliseconds{1}, milliseconds{86'400'000}};
  hook.delivery.max_age = milliseconds{259'200'000};
  hook.delivery.limits = {
    .min_rate = 0, .header_bytes = 256, .body_bytes = 4'000'000'000};
  hook.delivery.put = hook.delivery.thin = true;
  hook.delivery.ordered = hook.delivery.paused = true;
  hook.delivery.headers = {
    {"X-A", secret_text::sealed(binary, secret_text::use::header)},
    {"X-B", {}}};
  hook.delivery.user_agent_suffix = "shop/1";
  hook.delivery.signing = signing_algorithm::ed25519;
  hook.delivery.legacy = legacy_signature{
    .header = "X-Sig",
    .digest = legacy_signature::hash::sha512,
    .text = legacy_signature::encoding::base64,
    .prefix = "v=",
    .content = "{id}{body}"};
  hook.delivery.rate_limit = {.count = 1, .period = milliseconds{60'000}};
  hook.delivery.resume_rate = {.count = 1'000'000, .period = milliseconds{1}};
  hook.delivery.batch = {.max_count = 100, .max_wait = milliseconds{0}};
  hook.delivery.tls = {
    .ca = long_text,
    .certificate = "c",
    .key = secret_text::sealed(binary, secret_text::use::client_key)};
  hook.delivery.proxy = secret_text::sealed(binary, secret_text::use::proxy);
  hook.secrets = {{.sealed = binary, .created = {}, .expires = std::nullopt},
                  {.sealed = "b",
                   .created = timestamp{milliseconds{-1}},
                   .expires = timestamp::max()}};
  hook.resumed = timestamp{milliseconds{7}};
  hook.versions = {
    {.from = 1,
     .value = {.enabled = true,
               .all_events = false,
               .events = {5, 900},
               .types = {1, 2, 4'000'000'000},
               .filter = {*payload_filter::parse(R"({"a":{"$in":[1]}})")}}},
    {.from = std::numeric_limits<position>::max(),
     .value = {
       .enabled = false, .all_events = true, .events = {}, .types = {}}}};
  return hook;
}

call full_call() {
  using std::chrono::microseconds;
  call c;
  c.id = 1'000'000;
  c.previous = 3;
  c.hook = 12;
  c.subject = 500;
  c.settled_upto = 499;
  c.time = timestamp{std::chrono::milliseconds{1'700'000'000'000}};
  c.retry_due = c.time + std::chrono::seconds{5};
  c.result = outcome::retried;
  c.attempt = 11;
  c.status = 503;
  c.timings = {.dns = microseconds{1},
               .connect = microseconds{20},
               .tls = microseconds{300},
               .first_byte = microseconds{4000},
               .total = microseconds{50000}};
  c.target_url = "https://user:***@example.org/" + non_ascii;
  c.reason = "answered with 503";
  c.response_head = "Server: x\r\n";
  c.response_body = binary + long_text;
  return c;
}

} // namespace

TEST(Codec, GivesBackRegistryRecords) {
  expect_round_trip(organizer{.id = 1, .slug = "bigevents", .name = non_ascii});
  expect_round_trip(organizer{.id = 2, .slug = "", .name = ""});
  expect_round_trip(organizer{.id = 3,
                              .slug = "a",
                              .name = "b",
                              .allow_networks = {"10.0.0.0/8", ""},
                              .deny_networks = {long_text}});
  expect_round_trip(
    event{.id = 9, .owner = 4'000'000'000, .slug = long_text, .name = binary});
  expect_round_trip(action_type{.id = 1, .name = "pretix.event.order.placed"});
  token t{.id = 1,
          .owner = 2,
          .name = non_ascii,
          .permissions = 255,
          .hash = binary,
          .created = timestamp{std::chrono::milliseconds{-5}},
          .last_used = std::nullopt,
          .revoked = true};
  expect_round_trip(t);
  t.last_used = timestamp::max();
  t.revoked = false;
  expect_round_trip(t);
}

TEST(Codec, GivesBackWebhooks) {
  expect_round_trip(full_webhook());
  webhook_record plain;
  plain.versions.emplace_back();
  expect_round_trip(plain);
  plain.comment = "";
  plain.delivery.schedule.emplace();
  expect_round_trip(plain);
}

TEST(Codec, GivesBackNotificationsWithBodiesOfAnyBytes) {
  for (const auto& body : {std::string{}, binary, non_ascii, long_text}) {
    notification n{.id = 5,
                   .published = timestamp{std::chrono::milliseconds{17}},
                   .owner = 1,
                   .event = 2,
                   .type = 3,
                   .action = non_ascii,
                   .body = body};
    std::string record;
    encode_without_body(record, n);
    record += body;
    notification back;
    back.id = n.id;
    ASSERT_TRUE(decode(record, back));
    EXPECT_TRUE(back == n);
    notification_head head;
    ASSERT_TRUE(decode(record, head));
    EXPECT_EQ(head.published, n.published);
    EXPECT_EQ(head.type, 3U);
  }
}

TEST(Codec, GivesBackCallsOfAllOutcomes) {
  auto c = full_call();
  for (auto result : {outcome::delivered, outcome::retried, outcome::given_up,
                      outcome::gone}) {
    c.result = result;
    expect_round_trip(c);
  }
  call plain;
  plain.id = 1;
  expect_round_trip(plain);
  c.settled_upto = std::numeric_limits<position>::max();
  c.subject = 0;
  c.time = timestamp::min();
  c.retry_due = timestamp::max();
  c.attempt = std::numeric_limits<std::uint16_t>::max();
  expect_round_trip(c);
}

TEST(Codec, GivesBackWhatACallWasMadeFor) {
  for (unsigned bits = 0; bits < 16; ++bits) {
    auto c = full_call();
    c.replay = (bits & 1) != 0;
    c.fed = (bits & 2) != 0;
    c.unsent = (bits & 4) != 0;
    c.thin = (bits & 8) != 0;
    expect_round_trip(c);
  }
  for (unsigned bits = 0; bits < 4; ++bits)
    expect_round_trip(retry{.subject = 1,
                            .due = {},
                            .attempt = 1,
                            .replay = (bits & 1) != 0,
                            .fed = (bits & 2) != 0});
}

TEST(Codec, GivesBackATrace) {
  notification n;
  n.action = "a.b";
  n.body = binary;
  n.trace = "00-x-y-01\nvendor=1";
  std::string record;
  encode_without_body(record, n);
  record += n.body;
  notification back;
  ASSERT_TRUE(decode(record, back));
  EXPECT_TRUE(back == n);
}

TEST(Codec, ReadsWebhooksOfEarlierLayouts) {
  // As versions 1 and 2 wrote them: neither secrets nor filter, and in the
  // first no times.
  const auto record = [](char layout) {
    std::string bytes{layout};
    bytes += '\x03';               // owner
    bytes += "\x01u";              // target URL
    bytes += std::string(2, '\0'); // no comment, no action types
    bytes += '\x20';               // settings: max_in_flight alone
    bytes += '\x05';
    bytes += "\x01\x09"; // one version, from 9
    if (layout == 2)
      bytes += '\x0e';   // made at 7 ms
    bytes += "\x03";     // enabled, all events
    bytes += '\0';       // events
    bytes += "\x01\x04"; // types
    return bytes;
  };
  for (const char layout : {'\x01', '\x02'}) {
    webhook_record back = full_webhook(); // nothing of it may stay
    back.id = 1;
    ASSERT_TRUE(decode(record(layout), back));
    webhook_record expected;
    expected.id = 1;
    expected.owner = 3;
    expected.target_url = "u";
    expected.delivery.max_in_flight = 5;
    expected.delivery.signing = signing_algorithm::none;
    expected.versions = {
      {.from = 9,
       .since = timestamp{std::chrono::milliseconds{layout == 2 ? 7 : 0}},
       .value = {.types = {4}}}};
    EXPECT_TRUE(back == expected) << int{layout};
  }
}

TEST(Codec, ReadsTheFactsOfACallWithoutItsTexts) {
  auto c = full_call();
  std::string record;
  encode(record, c);
  call facts;
  facts.id = c.id;
  ASSERT_TRUE(decode_facts(record, facts));
  EXPECT_EQ(facts.previous, c.previous);
  EXPECT_EQ(facts.settled_upto, c.settled_upto);
  EXPECT_EQ(facts.retry_due, c.retry_due);
  EXPECT_TRUE(facts.response_body.empty());
}

TEST(Codec, GivesBackProgressAndCheckpoints) {
  expect_round_trip(progress{});
  expect_round_trip(
    progress{.cursor = 10, .ahead = {12, 13, 1'000'000}, .last_call = 77});
  expect_round_trip(
    progress{.cursor = 1,
             .ahead = {},
             .last_call = 2,
             .failures = 4'000'000'000,
             .failing_since = timestamp{std::chrono::milliseconds{-5}},
             .last_failure = timestamp::max()});
  expect_round_trip(retry{.subject = 3,
                          .due = timestamp{std::chrono::milliseconds{-1}},
                          .attempt = 12});
  expect_round_trip(checkpoint{.routed_upto = 1, .last_call = 2});
  expect_round_trip(
    counters{.tail = std::numeric_limits<position>::max(), .last_call = 0});
}

TEST(Codec, KeepsACallOfAWarmConnectionBelowThirtyBytesWithoutItsTexts) {
  auto c = call{};
  c.id = 300'000;
  c.previous = 299'000;
  c.hook = 1000;
  c.subject = 300;
  c.settled_upto = 300;
  c.time = timestamp{std::chrono::milliseconds{1'700'000'000'000}};
  c.status = 200;
  c.timings.first_byte = std::chrono::microseconds{900};
  c.timings.total = std::chrono::microseconds{1000};
  std::string record;
  encode(record, c);
  EXPECT_LE(record.size(), 30U);
}

TEST(Codec, RefusesEveryTruncationAndAnyTrailingByte) {
  auto check = [](auto value) {
    std::string record;
    encode(record, value);
    for (std::size_t size = 0; size < record.size(); size += 1 + size / 50)
      EXPECT_FALSE(decode(std::string_view{record}.substr(0, size), value))
        << size;
    EXPECT_FALSE(decode(record + '\0', value));
  };
  check(full_webhook());
  check(full_call());
  check(
    token{.name = "n", .hash = "h", .created = {}, .last_used = timestamp{}});
  check(progress{.cursor = 1, .ahead = {3, 5}, .last_call = 9});
  check(retry{});
}

TEST(Codec, RefusesARecordOfANewerLayout) {
  std::string record;
  encode(record, organizer{.id = 1, .slug = "a", .name = "b"});
  record[0] = 3;
  organizer back;
  EXPECT_FALSE(decode(record, back));
}

TEST(Codec, RefusesNumbersThatDoNotFit) {
  std::string wide(9, '\xff');
  EXPECT_EQ(byte_reader{wide + '\x01'}.number(),
            std::numeric_limits<std::uint64_t>::max());
  for (const auto& text :
       {wide + '\x02', wide + '\x7f', std::string(11, '\x80')}) {
    byte_reader from{text};
    from.number();
    EXPECT_FALSE(from.ok());
  }
  byte_reader from{"\x80\x80\x04"};
  from.number<std::uint16_t>();
  EXPECT_FALSE(from.ok());
}

TEST(Codec, SurvivesAnyBytes) {
  std::mt19937_64 random{1};
  auto decode_all = [](std::string_view bytes) {
    auto one = [&]<class T>(T value) { (void)decode(bytes, value); };
    one(organizer{});
    one(event{});
    one(action_type{});
    one(token{});
    one(webhook_record{});
    one(notification{});
    one(notification_head{});
    one(call{});
    one(retry{});
    one(progress{});
    one(checkpoint{});
    one(counters{});
  };
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 64, '\0');
    for (auto& b : bytes)
      b = static_cast<char>(random());
    if (!bytes.empty() && i % 4 != 0)
      bytes[0] = 1; // beyond the check of the layout
    decode_all(bytes);
  }
  std::vector<std::string> seeds(2);
  encode(seeds[0], full_webhook());
  encode(seeds[1], full_call());
  for (auto& bytes : seeds)
    bytes.resize(std::min<std::size_t>(bytes.size(), 400));
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = seeds[random() % seeds.size()];
    for (auto flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    decode_all(bytes);
  }
}

} // namespace fanfare::storage::lmdb
