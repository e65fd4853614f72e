// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/name_cache.hpp"

#include "tests/protocol/dns/resolver_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

using ::testing::ElementsAre;

TEST(NameCacheTest, DropsWhatIsOutOfDateThenTheOldest) {
  using time_point = name_cache::time_point;
  const auto answer = [](const std::string& text) {
    return resolution{{}, text};
  };
  name_cache cache{3};
  const time_point start{};
  cache.put("long", answer("1"), start + 100s, start);
  cache.put("short", answer("2"), start + 1s, start);
  cache.put("longer", answer("3"), start + 200s, start);
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_NE(cache.find("short", start), nullptr);
  EXPECT_EQ(cache.find("short", start + 1s), nullptr);
  cache.put("next", answer("4"), start + 90s, start + 1s);
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_NE(cache.find("long", start + 1s), nullptr);
  cache.put("last", answer("5"), start + 90s, start + 1s);
  EXPECT_EQ(cache.find("long", start + 1s), nullptr);
  EXPECT_NE(cache.find("longer", start + 1s), nullptr);
  // Put again it is young again.
  cache.put("longer", {{asio::ip::address_v4::loopback()}, {}}, start + 95s,
            start + 1s);
  cache.put("more", answer("6"), start + 90s, start + 1s);
  EXPECT_EQ(cache.find("next", start + 1s), nullptr);
  ASSERT_NE(cache.find("longer", start + 1s), nullptr);
  EXPECT_EQ(cache.find("longer", start + 1s)->failure, "");
  cache.drop_failures();
  EXPECT_EQ(cache.size(), 1u);
  name_cache none{0};
  none.put("a", answer("1"), start + 1s, start);
  EXPECT_EQ(none.find("a", start), nullptr);
}

TEST(NameCacheTest, NeverGrowsBeyondItsBound) {
  name_cache cache{4096};
  const name_cache::time_point start{};
  for (int i = 0; i < 20'000; ++i) {
    cache.put("host" + std::to_string(i), {}, start + seconds{1 + i % 400},
              start + seconds{i / 100});
    ASSERT_LE(cache.size(), 4096u);
  }
  EXPECT_NE(cache.find("host19999", start + 199s), nullptr);
}

// -- through the resolver -----------------------------------------------------

class RememberedNamesTest : public ResolverTest {};

TEST_F(RememberedNamesTest, RemembersAnswersForTheirTimeToLive) {
  server.set("name.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}, 60));
  const auto until = now + 60s;
  EXPECT_EQ(ask("name.test").until, until);
  now += 59s;
  bool at_once = false;
  names().resolve("name.test", [&](const resolution& answer) {
    EXPECT_THAT(texts(answer), ElementsAre("2001:db8::1", "192.0.2.1"));
    EXPECT_EQ(answer.until, until);
    at_once = true;
  });
  EXPECT_TRUE(at_once);
  EXPECT_EQ(server.asked("name.test"), 2u);
  now += 1s;
  ask("name.test");
  EXPECT_EQ(server.asked("name.test"), 4u);
}

TEST_F(RememberedNamesTest, RemembersNothingTooLongOrTooShort) {
  struct row {
    const char* host;
    dns_answer answer;
    seconds life;
  };
  const auto nothing = [](std::uint32_t ttl) {
    dns_answer out;
    out.negative_ttl = ttl;
    return out;
  };
  const row table[] = {
    {"zero.test", dns_answer::of({"192.0.2.1"}, {}, 0), 1s},
    {"two.test", dns_answer::of({"192.0.2.1"}, {}, 2), 2s},
    {"day.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}, 86'400), 300s},
    {"huge.test", dns_answer::of({"192.0.2.1"}, {}, 0x7fff'ffff), 300s},
    {"missing0.test", dns_answer::missing(0), 1s},
    {"missing7.test", dns_answer::missing(7), 7s},
    {"missing3600.test", dns_answer::missing(3600), 30s},
    {"missing.test", dns_answer::missing(), 1s},
    {"nothing9.test", nothing(9), 9s},
    {"nothing3600.test", nothing(3600), 30s},
    {"failing.test", dns_answer::failing(), 1s},
  };
  for (const auto& row : table) {
    server.set(row.host, row.answer);
    ask(row.host);
    const auto before = server.asked(row.host);
    now += row.life - 1ms;
    ask(row.host);
    EXPECT_EQ(server.asked(row.host), before) << row.host;
    now += 1ms;
    ask(row.host);
    EXPECT_GT(server.asked(row.host), before) << row.host;
  }
}

TEST_F(RememberedNamesTest, TellsANewAddressOnceTheOldOneIsOutOfDate) {
  server.set("rebind.test", dns_answer::of({"192.0.2.1"}, {}, 5));
  EXPECT_THAT(texts(ask("rebind.test")), ElementsAre("192.0.2.1"));
  server.set("rebind.test", dns_answer::of({"127.0.0.1"}, {}, 5));
  now += 4s;
  EXPECT_THAT(texts(ask("rebind.test")), ElementsAre("192.0.2.1"));
  now += 1s;
  EXPECT_THAT(texts(ask("rebind.test")), ElementsAre("127.0.0.1"));
}

TEST_F(RememberedNamesTest, ForgetsTheOldestFirst) {
  options.most_remembered = 3;
  for (const auto* host : {"a.test", "b.test", "c.test", "d.test"})
    server.set(host, dns_answer::of({"192.0.2.1"}, {}, 100));
  for (const auto* host : {"a.test", "b.test", "c.test", "d.test"})
    ask(host);
  for (const auto* host : {"b.test", "c.test", "d.test"}) {
    ask(host);
    EXPECT_EQ(server.asked(host), 2u) << host;
  }
  ask("a.test");
  EXPECT_EQ(server.asked("a.test"), 4u);
}

} // namespace
} // namespace fanfare::protocol
