// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The bytes of every record are fixed: data directories that exist hold them.
/// A test here that fails means that a store in use could not be read any more,
/// or not by the version before. A new layout gets a new line; no line changes.

#include "tests/storage/lmdb/sample_records.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare::storage::lmdb {

namespace {

using namespace test;

std::string hex_of(std::string_view bytes) {
  constexpr auto digits = "0123456789abcdef";
  std::string hex;
  for (auto b : bytes) {
    hex += digits[static_cast<unsigned char>(b) >> 4];
    hex += digits[static_cast<unsigned char>(b) & 15];
  }
  return hex;
}

/// Both ways.
template <class T>
void expect_bytes(const T& value, std::string_view hex) {
  std::string record;
  encode(record, value);
  EXPECT_EQ(hex_of(record), hex);
  T back;
  if constexpr (requires { back.id; })
    back.id = value.id;
  if constexpr (requires { back.subject; })
    back.subject = value.subject;
  ASSERT_TRUE(decode(record, back));
  EXPECT_TRUE(back == value);
}

TEST(Golden, Organizer) {
  expect_bytes(organizer{.id = 2, .slug = "a", .name = ""}, "01016100");
  expect_bytes(full_organizer(),
               "02096269676576656e74731647c3a47374656c6973746520e2809320e4ba"
               "88e7b484020a31302e302e302e302f38000109666538303a3a2f3130");
}

TEST(Golden, Event) {
  expect_bytes(full_event(), "0180d0acf30e0764656d6f636f6e0800ff80200a225c30");
}

TEST(Golden, ActionType) {
  expect_bytes(action_type{.id = 1, .name = "pretix.event.order.placed"},
               "01197072657469782e6576656e742e6f726465722e706c61636564");
}

TEST(Golden, Token) {
  expect_bytes(token{}, "01000000000000");
  expect_bytes(full_token(),
               "010203617069ff0800ff80200a225c30090380a0abfef962");
}

TEST(Golden, Tallies) {
  expect_bytes(plain_row(), "018301031a");
  expect_bytes(full_row(), "0170030602d904260205070fc801960102"
                           "0501031a"
                           "9b01818080808080808080016401"
                           "11ffffffffffffffff3f");
}

TEST(Golden, CountedUpto) {
  expect_bytes(counted_upto{}, "010000");
  expect_bytes(counted_upto{.last_call = 300, .bucket = 6'000'000},
               "01ac02809bee02");
}

TEST(Golden, Webhook) {
  expect_bytes(plain_webhook(),
               "030111687474703a2f2f3132372e302e302e312f00000000000000000001"
               "000000000000000001000003000000");
  expect_bytes(full_webhook(),
               "03032568747470733a2f2f757365723a47c3a47374656c69737465406578"
               "616d706c652e6f72672f010800ff80200a225c300403612e6203612e6203"
               "632e2a00ff00882701904eb0ea0140020180b8992980a8cc7b0100018002"
               "0180d0acf30e0f0203582d410800ff80200a225c3003582d42000673686f"
               "702f31020105582d536967020102763d0a7b69647d7b626f64797d0101e0"
               "d40301c0843d010164000102636104636572740800ff80200a225c300800"
               "ff80200a225c30020800ff80200a225c30000001620101feffffffffffff"
               "ffff01010e020100010205ff06030101fecfacf30e117b2261223a7b2224"
               "696e223a5b315d7d7dffffffffffffffffff0180a0abfef96202000000");
}

TEST(Golden, WebhookWithFinalStatuses) {
  auto hook = plain_webhook();
  hook.delivery.final_statuses = {400, 422};
  expect_bytes(hook,
               "040111687474703a2f2f3132372e302e302e312f0000000000000000000100"
               "000000000002900316000001000003000000");
  hook.delivery.final_statuses.clear();
  std::string record;
  encode(record, hook);
  EXPECT_EQ(hex_of(record).substr(0, 2), "03") << "as earlier versions read it";
}

TEST(Golden, WebhookWithAName) {
  auto hook = plain_webhook();
  hook.delivery.name = "ab";
  expect_bytes(hook,
               "050111687474703a2f2f3132372e302e302e312f00000000000000000001"
               "0000000000000002616200000100000300000000");
  hook.delivery.name.clear();
  std::string record;
  encode(record, hook);
  EXPECT_EQ(hex_of(record).substr(0, 2), "03") << "as earlier versions read it";
}

TEST(Golden, WebhookWithWildcards) {
  auto hook = plain_webhook();
  hook.versions.back().value.wildcards = {"a.*"};
  expect_bytes(hook,
               "050111687474703a2f2f3132372e302e302e312f0000000000000000000100"
               "00000000000000000001000003000000"
               "0103612e2a");
  hook.versions.back().value.wildcards.clear();
  std::string record;
  encode(record, hook);
  EXPECT_EQ(hex_of(record).substr(0, 2), "03") << "as earlier versions read it";
}

TEST(Golden, NotificationWithoutItsBody) {
  const auto head_of = [](const notification& value) {
    std::string record;
    encode_without_body(record, value);
    return hex_of(std::string_view{record});
  };
  auto untraced = full_notification();
  untraced.trace.clear();
  EXPECT_EQ(head_of(untraced),
            "0180a0abfef96201c80103197072657469782e6576656e742e6f72646572"
            "2e706c61636564");
  EXPECT_EQ(head_of(full_notification()),
            "0280a0abfef96201c80103197072657469782e6576656e742e6f72646572"
            "2e706c616365641230302d782d792d30310a76656e646f723d31");
}

TEST(Golden, Call) {
  expect_bytes(plain_call(), "0100e807e807ac020080a0abfef962c8018407e80700");
  auto repeated = plain_call();
  repeated.repeated = true;
  expect_bytes(repeated, "021000e807e807ac020080a0abfef962c8018407e80700");
  auto busy = plain_call();
  busy.shows = evidence::busy;
  expect_bytes(busy, "022000e807e807ac020080a0abfef962c8018407e80700");
  busy.shows = evidence::unclear;
  expect_bytes(busy, "026000e807e807ac020080a0abfef962c8018407e80700");
  busy.shows = evidence::none;
  expect_bytes(busy, "024000e807e807ac020080a0abfef962c8018407e80700");
  auto uncounted = plain_call();
  uncounted.uncounted = true;
  expect_bytes(uncounted, "028000e807e807ac020080a0abfef962c8018407e80700");
  expect_bytes(full_call(),
               "020ffd0cbd843df4030180a0abfef962904e0bf7030114ac02a01fd08603"
               "1d68747470733a2f2f757365723a2a2a2a406578616d706c652e6f72672f"
               "11616e7377657265642077697468203530330b5365727665723a20780d0a"
               "0800ff80200a225c30");
  auto held = plain_call();
  held.held_until = held.time + std::chrono::seconds{60};
  expect_bytes(held, "03000100e807e807ac020080a0abfef962c0a907c8018407e80700");
}

TEST(Golden, Retry) {
  expect_bytes(retry{.subject = 1, .due = sample_time()}, "0180a0abfef96202");
  expect_bytes(full_retry(), "0203010c");
  expect_bytes(retry{.subject = 1, .attempt = 1, .tried = true}, "02040001");
}

TEST(Golden, Replay) {
  expect_bytes(replay{}, "03000000000000030000000000000000");
  expect_bytes(full_replay(),
               "0301feffffffffffffffff010380808080808080e83f02c0843d010205ff"
               "06030101fecfacf30e117b2261223a7b2224696e223a5b315d7d7d80d0ac"
               "f30e014de70780a0abfef96280dae281fa62");
}

TEST(Golden, Progress) {
  expect_bytes(progress{.cursor = 300, .ahead = {302}, .last_call = 1},
               "01ac020101ae02");
  expect_bytes(full_progress(), "030a4d030c01b3843d80d0acf30e098aa0abfef962"
                                "02bff6a3fef962");
  expect_bytes(held_progress(), "030a4d0000000000c0a907");
}

TEST(Golden, TimesOfRunning) {
  expect_bytes(run_times{}, "010000");
  expect_bytes(full_run_times(),
               "0180a0abfef962029f9eb6fef962ff81b5fef962e7a7abfef9629798abfe"
               "f962");
}

TEST(Golden, CheckpointAndCounters) {
  expect_bytes(checkpoint{.routed_upto = 300, .last_call = 2}, "01ac0202");
  expect_bytes(counters{.tail = ~position{0}, .last_call = 300},
               "01ffffffffffffffffff01ac02");
}

TEST(Golden, AnswerOfAnIdempotencyKey) {
  expect_bytes(full_answer(),
               "0180a0abfef96200c901020c436f6e74656e742d54797065106170706c69"
               "636174696f6e2f6a736f6e01580800ff80200a225c300800ff80200a225c"
               "30");
  expect_bytes(full_receipt(), "0180a0abfef96202ffffffffffffffffff01e80708");
  expect_bytes(remembered{.created = {},
                          .answer = publish_receipt{.first = 1, .count = 1}},
               "010001010100");
  // Version 4: what was asked for, after the time.
  expect_bytes(asked_answer(), "0280a0abfef962f8f9fafbfcfdfeff0001020304050607"
                               "00cc01000178");
  expect_bytes(asked_receipt(),
               "0280a0abfef962f8f9fafbfcfdfeff000102030405060701ac020100");
}

} // namespace

} // namespace fanfare::storage::lmdb
