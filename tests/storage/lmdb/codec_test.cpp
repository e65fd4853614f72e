// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/codec.hpp"

#include "storage/lmdb/codec/bytes.hpp"
#include "tests/storage/lmdb/sample_records.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace fanfare::storage::lmdb {

namespace {

using namespace test;
using namespace std::chrono_literals;
using namespace std::string_literals;

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

/// The full one, with texts of many pages.
webhook_record large_webhook() {
  auto hook = full_webhook();
  hook.target_url += long_text;
  hook.delivery.tls->ca = long_text;
  hook.delivery.timeouts.tls = std::chrono::milliseconds{-1};
  hook.delivery.timeouts.first_byte.reset();
  hook.delivery.timeouts.total = std::chrono::milliseconds::max();
  return hook;
}

logged_call large_call() {
  auto c = full_call();
  c.response_body += long_text;
  return c;
}

} // namespace

TEST(Codec, GivesBackRecordsOfEveryKind) {
  for_each_sample([](const auto& value) { expect_round_trip(value); });
}

TEST(Codec, GivesBackTextsOfAnyLengthAndAnyBytes) {
  for (const auto& text : {std::string{}, binary_text, non_ascii, long_text}) {
    expect_round_trip(organizer{.id = 1,
                                .slug = text,
                                .name = text,
                                .allow_networks = {text, ""},
                                .deny_networks = {text}});
    expect_round_trip(event{.id = 9, .owner = 1, .slug = text, .name = text});
    expect_round_trip(action_type{.id = 1, .name = text});
    expect_round_trip(token{.id = 1,
                            .owner = 2,
                            .name = text,
                            .hash = text,
                            .created = {},
                            .last_used = timestamp::max()});
    expect_round_trip(
      remembered{.created = {},
                 .answer = plain_answer{
                   .status = 1, .headers = {{text, text}}, .body = text}});
  }
  expect_round_trip(large_webhook());
  expect_round_trip(large_call());
}

TEST(Codec, TellsWhatIsEmptyFromWhatIsAbsent) {
  auto hook = plain_webhook();
  hook.comment = "";
  hook.delivery.schedule.emplace();
  expect_round_trip(hook);
}

TEST(Codec, GivesBackNotificationsWithBodiesOfAnyBytes) {
  for (const auto& body : {std::string{}, binary_text, non_ascii, long_text}) {
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
    EXPECT_EQ(head.action, non_ascii);
  }
}

TEST(Codec, GivesBackCallsOfAllOutcomes) {
  auto c = full_call();
  for (auto result : {outcome::delivered, outcome::retried, outcome::given_up,
                      outcome::gone}) {
    c.result = result;
    expect_round_trip(c);
  }
  c.settled_upto = std::numeric_limits<position>::max();
  c.subject = 0;
  c.time = timestamp::min();
  c.retry_due = timestamp::max();
  c.attempt = std::numeric_limits<std::uint16_t>::max();
  expect_round_trip(c);
}

TEST(Codec, GivesBackWhatACallWasMadeFor) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    auto c = full_call();
    c.resent = (bits & 1) != 0;
    c.by_replay = (bits & 2) != 0;
    c.unsent = (bits & 4) != 0;
    c.thin = (bits & 8) != 0;
    c.repeated = (bits & 16) != 0;
    c.uncounted = (bits & 32) != 0;
    c.shows = static_cast<evidence>(bits % 4);
    expect_round_trip(c);
  }
  for (unsigned bits = 0; bits < 4; ++bits)
    expect_round_trip(retry{.subject = 1,
                            .due = {},
                            .attempt = 1,
                            .resent = (bits & 1) != 0,
                            .by_replay = (bits & 2) != 0});
}

TEST(Codec, GivesBackReplaysInEveryState) {
  auto value = full_replay();
  for (auto state :
       {replay_state::running, replay_state::done, replay_state::cancelled})
    for (bool ended : {false, true}) {
      value.state = state;
      value.ended = ended ? std::optional{timestamp::min()} : std::nullopt;
      value.asked.only_failed = !ended;
      expect_round_trip(value);
    }
}

TEST(Codec, GivesBackATrace) {
  notification n;
  n.action = "a.b";
  n.body = binary_text;
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

TEST(Codec, GivesBackWildcards) {
  auto hook = full_webhook();
  hook.versions.back().value.wildcards = {"*"};
  hook.versions.front().value.wildcards = {"orders/*", non_ascii + ".*"};
  expect_round_trip(hook);
  hook.delivery.final_statuses = {404};
  expect_round_trip(hook);
  replay all{.selecting = full_subscription()};
  expect_round_trip(all);
  all.selecting.wildcards = {"order.*"};
  expect_round_trip(all);
  // Something else is no wildcard.
  std::string record;
  encode(record, hook);
  const auto at = record.find("orders/*");
  ASSERT_NE(at, std::string::npos);
  record[at + 7] = 'x';
  EXPECT_FALSE(decode(record, hook));
}

TEST(Codec, ReadsTheFactsOfACallWithoutItsTexts) {
  auto c = full_call();
  std::string record;
  encode(record, c);
  logged_call facts;
  facts.id = c.id;
  ASSERT_TRUE(decode_facts(record, facts));
  EXPECT_EQ(facts.previous, c.previous);
  EXPECT_EQ(facts.settled_upto, c.settled_upto);
  EXPECT_EQ(facts.retry_due, c.retry_due);
  EXPECT_TRUE(facts.response_body.empty());
}

TEST(Codec, ReadsProgressOfAVersionThatKnewNoHolds) {
  const std::string record = "\x02\x0a\x4d\x00\x01\x02\x02"s;
  storage::progress back;
  ASSERT_TRUE(decode(record, back));
  const storage::progress expected{.cursor = 10,
                                   .last_call = 77,
                                   .failures = 1,
                                   .failing_since = timestamp{1ms},
                                   .last_failure = timestamp{2ms}};
  EXPECT_EQ(back, expected);
}

TEST(Codec, GivesBackProgressAtItsLimits) {
  auto value = full_progress();
  value.failing_since = timestamp::min();
  value.last_failure = timestamp::max();
  expect_round_trip(value);
}

TEST(Codec, KeepsACallOfAWarmConnectionBelowThirtyBytesWithoutItsTexts) {
  std::string record;
  encode(record, plain_call());
  EXPECT_LE(record.size(), 30U);
}

TEST(Codec, RefusesEveryTruncationAndAnyTrailingByte) {
  const auto check = [](auto value) {
    std::string record;
    encode(record, value);
    for (std::size_t size = 0; size < record.size(); size += 1 + size / 200)
      EXPECT_FALSE(decode(std::string_view{record}.substr(0, size), value))
        << size << " of " << record.size();
    EXPECT_FALSE(decode(record + '\0', value));
  };
  for_each_sample(check);
  check(large_webhook());
  check(large_call());
}

TEST(Codec, RefusesARecordOfANewerLayout) {
  for_each_sample([](auto value) {
    std::string record;
    encode(record, value);
    for (char layout : {'\0', '\x06', '\xff'}) {
      record[0] = layout;
      EXPECT_FALSE(decode(record, value)) << int{layout};
    }
  });
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
  std::vector<std::string> seeds;
  for_each_sample(
    [&](const auto& value) { encode(seeds.emplace_back(), value); });
  seeds.emplace_back();
  encode_without_body(seeds.back(), full_notification());
  const auto decode_all = [](std::string_view bytes) {
    for_each_sample([&](auto value) { (void)decode(bytes, value); });
    notification whole;
    (void)decode(bytes, whole);
    notification_head head;
    (void)decode(bytes, head);
    logged_call facts;
    (void)decode_facts(bytes, facts);
  };
  for (int i = 0; i < 10'000; ++i) {
    std::string bytes(random() % 64, '\0');
    for (auto& b : bytes)
      b = static_cast<char>(random());
    if (!bytes.empty() && i % 4 != 0)
      bytes[0] = static_cast<char>(1 + random() % 3); // of a known layout
    decode_all(bytes);
  }
  for (int i = 0; i < 10'000; ++i) {
    auto bytes = seeds[random() % seeds.size()];
    for (auto flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    decode_all(bytes);
  }
}

} // namespace fanfare::storage::lmdb
