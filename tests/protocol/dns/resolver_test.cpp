// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/resolver.hpp"

#include "protocol/dns/name_cache.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

namespace fanfare::protocol {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;
using test::dns_answer;
using test::dns_server;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto patience = 20s;

std::vector<std::string> texts(const resolution& answer) {
  std::vector<std::string> out;
  for (const auto& each : answer.addresses)
    out.push_back(each.to_string());
  return out;
}

class ResolverTest : public ::testing::Test {
protected:
  ResolverTest() {
    options.servers = {server.address()};
    options.configuration = (directory.path() / "resolv.conf").string();
    configure("options ndots:1\n");
    options.now = [this] { return now; };
    // So that a slow machine changes nothing.
    options.patience = 5s;
    options.other_family = 5s;
    options.fair_share = 60s;
  }

  void configure(const std::string& text) {
    std::ofstream{options.configuration} << text;
  }

  resolver& names() {
    if (!names_)
      names_ = make_system_resolver(io, options);
    return *names_;
  }

  template <class Predicate>
  bool run_until(Predicate reached, milliseconds limit = patience) {
    const auto end = steady_clock::now() + limit;
    io.restart();
    while (!reached()) {
      const auto left = end - steady_clock::now();
      if (left <= 0ms)
        return false;
      if (io.run_one_for(std::min<steady_clock::duration>(left, 50ms)) == 0)
        io.restart();
    }
    return true;
  }

  resolution ask(const std::string& host) {
    std::optional<resolution> out;
    names().resolve(host, [&](const resolution& answer) {
      EXPECT_FALSE(out) << "called back twice";
      out = answer;
    });
    EXPECT_TRUE(run_until([&] { return out.has_value(); })) << host;
    return out.value_or(resolution{});
  }

  /// Nothing is left for the context to do.
  bool is_quiet() {
    io.restart();
    io.run_for(milliseconds{patience});
    return io.stopped();
  }

  test::temp_dir directory;
  dns_server server;
  asio::io_context io{1};
  steady_clock::time_point now = steady_clock::time_point{} + 1h;
  resolver_options options;
  std::unique_ptr<resolver> names_;
};

// -- answers ------------------------------------------------------------------

TEST_F(ResolverTest, FindsTheAddressesOfBothFamilies) {
  server.set("both.test", dns_answer::of({"192.0.2.1", "192.0.2.2"},
                                         {"2001:db8::1", "2001:db8::2"}));
  const auto answer = ask("both.test");
  EXPECT_EQ(answer.failure, "");
  ASSERT_EQ(answer.addresses.size(), 4u);
  EXPECT_THAT(texts(answer),
              ::testing::UnorderedElementsAre("2001:db8::1", "2001:db8::2",
                                              "192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(answer.addresses[0].is_v6());
  EXPECT_TRUE(answer.addresses[1].is_v6());
  EXPECT_EQ(server.asked("both.test"), 2u);
  server.set("four.test", dns_answer::of({"192.0.2.1"}));
  EXPECT_THAT(texts(ask("four.test")), ElementsAre("192.0.2.1"));
  server.set("six.test", dns_answer::of({}, {"2001:db8::1"}));
  EXPECT_THAT(texts(ask("six.test")), ElementsAre("2001:db8::1"));
}

TEST_F(ResolverTest, AsksForBothFamiliesAtOnce) {
  auto slow = dns_answer::of({"192.0.2.1"}, {"2001:db8::1"});
  slow.delay = 300ms;
  server.set("slow.test", slow);
  std::optional<resolution> out;
  names().resolve("slow.test", [&](const auto& answer) { out = answer; });
  EXPECT_TRUE(run_until([&] { return server.asked("slow.test") == 2; }));
  EXPECT_FALSE(out);
  EXPECT_TRUE(run_until([&] { return out.has_value(); }));
  EXPECT_THAT(texts(*out), ElementsAre("2001:db8::1", "192.0.2.1"));
}

TEST_F(ResolverTest, DoesNotWaitLongForTheOtherFamily) {
  options.other_family = 100ms;
  auto answer = dns_answer::of({"192.0.2.1"}, {}, 300);
  answer.silent_v6 = true;
  server.set("silent6.test", answer);
  const auto before = steady_clock::now();
  EXPECT_THAT(texts(ask("silent6.test")), ElementsAre("192.0.2.1"));
  const auto took = steady_clock::now() - before;
  EXPECT_GE(took, 100ms);
  EXPECT_LT(took, 4s);
  EXPECT_TRUE(is_quiet());
  // It may say more later.
  now += 29s;
  EXPECT_THAT(texts(ask("silent6.test")), ElementsAre("192.0.2.1"));
  server.set("silent6.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}));
  now += 1s;
  EXPECT_THAT(texts(ask("silent6.test")),
              ElementsAre("2001:db8::1", "192.0.2.1"));
}

TEST_F(ResolverTest, FollowsAliases) {
  dns_answer alias;
  alias.alias = "b.test";
  alias.ttl = 200;
  server.set("a.test", alias);
  alias.alias = "c.test";
  alias.ttl = 10;
  server.set("b.test", alias);
  server.set("c.test", dns_answer::of({"192.0.2.7"}, {"2001:db8::7"}, 250));
  EXPECT_THAT(texts(ask("a.test")), ElementsAre("2001:db8::7", "192.0.2.7"));
  // The shortest life in the chain counts.
  now += 9s;
  ask("a.test");
  EXPECT_EQ(server.asked("a.test"), 2u);
  now += 1s;
  ask("a.test");
  EXPECT_EQ(server.asked("a.test"), 4u);
  // Of a name of one family.
  alias.alias = "four.test";
  alias.ttl = 250;
  server.set("f.test", alias);
  server.set("four.test", dns_answer::of({"192.0.2.8"}, {}, 250));
  EXPECT_THAT(texts(ask("f.test")), ElementsAre("192.0.2.8"));
  now += 249s;
  EXPECT_THAT(texts(ask("f.test")), ElementsAre("192.0.2.8"));
  EXPECT_EQ(server.asked("f.test"), 2u);
  // An alias of nothing.
  alias.alias = "nothing.test";
  server.set("d.test", alias);
  EXPECT_EQ(ask("d.test").failure, "dns: name not found: d.test");
  // A circle.
  alias.alias = "e.test";
  server.set("e.test", alias);
  EXPECT_THAT(ask("e.test").addresses, IsEmpty());
}

TEST_F(ResolverTest, TakesLongAnswersOverTcp) {
  std::vector<std::string> many;
  for (int i = 0; i < 60; ++i)
    many.push_back("192.0.2." + std::to_string(i));
  auto answer = dns_answer::of(many);
  answer.truncated = true;
  server.set("long.test", answer);
  const auto found = ask("long.test");
  EXPECT_EQ(found.failure, "");
  EXPECT_EQ(found.addresses.size(), 32u); // as many as it looks at
  EXPECT_GT(server.asked_over_tcp(), 0u);
  EXPECT_TRUE(is_quiet());
}

TEST_F(ResolverTest, SaysWhyThereIsNoAddress) {
  options.patience = 50ms;
  EXPECT_EQ(ask("missing.test").failure, "dns: name not found: missing.test");
  server.set("empty.test", dns_answer{});
  EXPECT_EQ(ask("empty.test").failure, "dns: name not found: empty.test");
  const auto temporary = [](const std::string& host) {
    return "dns: temporary failure, no name server answered for " + host;
  };
  server.set("failing.test", dns_answer::failing());
  EXPECT_EQ(ask("failing.test").failure, temporary("failing.test"));
  server.set("silent.test", dns_answer::hanging());
  EXPECT_EQ(ask("silent.test").failure, temporary("silent.test"));
  auto refused = dns_answer::failing();
  refused.code = 5;
  server.set("refused.test", refused);
  EXPECT_EQ(ask("refused.test").failure, temporary("refused.test"));
  // A name that no message can hold.
  auto endless = std::string(64, 'x');
  endless += ".test";
  EXPECT_EQ(ask(endless).failure, "dns: name not found: " + endless);
  EXPECT_TRUE(is_quiet());
}

TEST_F(ResolverTest, SurvivesGarbage) {
  options.patience = 20ms;
  const std::string table[] = {
    "",
    "\x81",
    std::string("\x81\x80\0\0\0\0\0\0\0\0", 10),
    std::string("\x81\x80\0\1\0\1\0\0\0\0", 10),
    std::string("\x81\x80\0\1\0\1\0\0\0\0\3bad\4test\0\0\1\0\1\xc0\x0c", 24),
    std::string("\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1", 16),
    std::string("\x81\x83\0\1\0\0\xff\xff\0\0\3bad\4test\0\0\1\0\1\xc0", 25),
    std::string(500, '\xff'),
    std::string(500, '\0'),
  };
  for (const auto& bytes : table) {
    dns_answer answer;
    answer.garbage = bytes;
    server.set("bad.test", answer);
    const auto found = ask("bad.test");
    EXPECT_THAT(found.addresses, IsEmpty());
    EXPECT_NE(found.failure, "");
    now += 31s;
  }
  server.set("bad.test", dns_answer::of({"192.0.2.1"}));
  EXPECT_THAT(texts(ask("bad.test")), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, AsksTheNextServerWhenOneIsDead) {
  std::string dead;
  {
    const dns_server gone;
    dead = gone.address();
  }
  options.servers = {dead, server.address()};
  server.set("name.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}));
  const auto before = steady_clock::now();
  EXPECT_THAT(texts(ask("name.test")), ElementsAre("2001:db8::1", "192.0.2.1"));
  // The system says that nobody listens there.
  EXPECT_LT(steady_clock::now() - before, 4s);
  names_ = nullptr;
  dns_server silent;
  silent.set("name.test", dns_answer::hanging());
  options.servers = {silent.address(), server.address()};
  options.patience = 50ms;
  EXPECT_THAT(texts(ask("name.test")), ElementsAre("2001:db8::1", "192.0.2.1"));
}

TEST_F(ResolverTest, FailsWhenNoServerListens) {
  {
    const dns_server gone;
    options.servers = {gone.address()};
  }
  EXPECT_EQ(ask("name.test").failure,
            "dns: temporary failure, no name server answered for name.test");
  names_ = nullptr;
  options.servers = {"nonsense"};
  EXPECT_EQ(ask("name.test").failure,
            "dns: temporary failure, no name server answered for name.test");
}

// -- names that need no server ------------------------------------------------

TEST_F(ResolverTest, UnderstandsNumbersInAnySpelling) {
  const std::pair<const char*, const char*> table[] = {
    {"127.1", "127.0.0.1"},       {"0x7f.1", "127.0.0.1"},
    {"2130706433", "127.0.0.1"},  {"0177.0.0.01", "127.0.0.1"},
    {"192.0.2.1", "192.0.2.1"},   {"0x7f000001", "127.0.0.1"},
    {"10.0xffff", "10.0.255.255"}};
  for (const auto& [host, address] : table) {
    bool answered = false;
    std::vector<std::string> found;
    const auto which = names().resolve(host, [&](const resolution& answer) {
      found = texts(answer);
      answered = true;
    });
    EXPECT_THAT(found, ElementsAre(address)) << host;
    EXPECT_TRUE(answered) << host;
    EXPECT_EQ(which, 0u);
    EXPECT_EQ(server.asked(host), 0u) << host;
  }
  server.set("1.2.3.400", dns_answer::of({"192.0.2.1"}));
  EXPECT_THAT(texts(ask("1.2.3.400")), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, KnowsSpecialNames) {
  for (const auto* host : {"localhost", "any.localhost"}) {
    server.set(host, dns_answer::of({"192.0.2.1"}));
    const auto answer = ask(host);
    EXPECT_FALSE(answer.addresses.empty()) << host;
    for (const auto& each : answer.addresses)
      EXPECT_TRUE(each.is_loopback()) << host << " " << each;
    EXPECT_EQ(server.asked(host), 0u);
  }
  EXPECT_EQ(ask("nonexistent.invalid").failure,
            "dns: name not found: nonexistent.invalid");
  EXPECT_EQ(server.asked("nonexistent.invalid"), 0u);
  server.set("notlocalhost", dns_answer::of({"192.0.2.1"}));
  EXPECT_THAT(texts(ask("notlocalhost")), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, LooksInSearchDomains) {
  configure("search one.test two.test\noptions ndots:2\n");
  server.set("short.two.test", dns_answer::of({"192.0.2.2"}));
  EXPECT_THAT(texts(ask("short")), ElementsAre("192.0.2.2"));
  EXPECT_EQ(server.asked("short.one.test"), 2u);
  EXPECT_EQ(server.asked("short"), 0u);
  // With few dots last, with many first as it is.
  server.set("a.b", dns_answer::of({"192.0.2.3"}));
  EXPECT_THAT(texts(ask("a.b")), ElementsAre("192.0.2.3"));
  EXPECT_EQ(server.asked("a.b.two.test"), 2u);
  server.set("a.b.c", dns_answer::of({"192.0.2.4"}));
  EXPECT_THAT(texts(ask("a.b.c")), ElementsAre("192.0.2.4"));
  EXPECT_EQ(server.asked("a.b.c.one.test"), 0u);
  EXPECT_EQ(ask("nowhere").failure, "dns: name not found: nowhere");
  // A domain that cannot be asked leaves it open.
  server.set("unsure.one.test", dns_answer::failing());
  EXPECT_EQ(ask("unsure").failure,
            "dns: temporary failure, no name server answered for unsure");
}

TEST_F(ResolverTest, NoticesANewConfiguration) {
  configure("search one.test\n");
  server.set("name.one.test", dns_answer::of({"192.0.2.1"}, {}, 1));
  server.set("name.two.test", dns_answer::of({"192.0.2.2"}, {}, 1));
  EXPECT_THAT(texts(ask("name")), ElementsAre("192.0.2.1"));
  EXPECT_EQ(ask("other").failure, "dns: name not found: other");
  configure("search two.test # and more\n");
  now += 29s;
  EXPECT_THAT(texts(ask("name")), ElementsAre("192.0.2.1"));
  now += 1s;
  EXPECT_THAT(texts(ask("name")), ElementsAre("192.0.2.2"));
}

TEST_F(ResolverTest, AsksTheServersOfTheConfiguration) {
  options.servers.clear();
  options.patience = 50ms;
  // Where nobody listens, so that it is refused or not answered.
  configure("nameserver 127.77.66.55\nlookup bind file\n");
  EXPECT_EQ(ask("name.test").failure,
            "dns: temporary failure, no name server answered for name.test");
  configure("nameserver 127.77.66.55\nlookup file\n");
  now += 30s;
  EXPECT_EQ(ask("other.test").failure, "dns: name not found: other.test");
}

// -- what is remembered -------------------------------------------------------

TEST_F(ResolverTest, RemembersAnswersForTheirTimeToLive) {
  server.set("name.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}, 60));
  ask("name.test");
  now += 59s;
  bool at_once = false;
  names().resolve("name.test", [&](const resolution& answer) {
    EXPECT_THAT(texts(answer), ElementsAre("2001:db8::1", "192.0.2.1"));
    at_once = true;
  });
  EXPECT_TRUE(at_once);
  EXPECT_EQ(server.asked("name.test"), 2u);
  now += 1s;
  ask("name.test");
  EXPECT_EQ(server.asked("name.test"), 4u);
}

TEST_F(ResolverTest, RemembersNothingTooLongOrTooShort) {
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

TEST_F(ResolverTest, TellsANewAddressOnceTheOldOneIsOutOfDate) {
  server.set("rebind.test", dns_answer::of({"192.0.2.1"}, {}, 5));
  EXPECT_THAT(texts(ask("rebind.test")), ElementsAre("192.0.2.1"));
  server.set("rebind.test", dns_answer::of({"127.0.0.1"}, {}, 5));
  now += 4s;
  EXPECT_THAT(texts(ask("rebind.test")), ElementsAre("192.0.2.1"));
  now += 1s;
  EXPECT_THAT(texts(ask("rebind.test")), ElementsAre("127.0.0.1"));
}

TEST_F(ResolverTest, ForgetsTheOldestFirst) {
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

// -- many at a time -----------------------------------------------------------

TEST_F(ResolverTest, SharesALookUpThatIsUnderWay) {
  auto slow = dns_answer::of({"192.0.2.1"});
  slow.delay = 100ms;
  server.set("slow.test", slow);
  int answered = 0;
  for (int i = 0; i < 50; ++i)
    names().resolve("slow.test", [&](const resolution& answer) {
      EXPECT_THAT(texts(answer), ElementsAre("192.0.2.1"));
      ++answered;
    });
  EXPECT_TRUE(run_until([&] { return answered == 50; }));
  EXPECT_EQ(server.asked("slow.test"), 2u);
}

TEST_F(ResolverTest, ASilentNameDelaysNoOther) {
  options.patience = 10s;
  options.most_at_once = 256;
  int wrong = 0;
  for (int i = 0; i < 200; ++i) {
    const auto host = "silent" + std::to_string(i) + ".test";
    server.set(host, dns_answer::hanging());
    names().resolve(host, [&](const resolution&) { ++wrong; });
  }
  server.set("quick.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}));
  const auto before = steady_clock::now();
  EXPECT_THAT(texts(ask("quick.test")),
              ElementsAre("2001:db8::1", "192.0.2.1"));
  EXPECT_LT(steady_clock::now() - before, 4s);
  EXPECT_EQ(wrong, 0);
  names_ = nullptr;
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(wrong, 0);
}

TEST_F(ResolverTest, NamesThatHangGiveWayToOthers) {
  options.most_at_once = 4;
  options.fair_share = 50ms;
  int failed = 0;
  for (int i = 0; i < 20; ++i) {
    const auto host = "silent" + std::to_string(i) + ".test";
    server.set(host, dns_answer::hanging());
    names().resolve(host, [&](const resolution& answer) {
      EXPECT_THAT(answer.failure, ::testing::HasSubstr("temporary failure"));
      ++failed;
    });
  }
  server.set("quick.test", dns_answer::of({"192.0.2.1"}));
  const auto before = steady_clock::now();
  EXPECT_THAT(texts(ask("quick.test")), ElementsAre("192.0.2.1"));
  EXPECT_LT(steady_clock::now() - before, 4s);
  EXPECT_GE(failed, 17);
  // Those that are in nobody's way may go on.
  run_until([] { return false; }, 200ms);
  EXPECT_LT(failed, 20);
}

TEST_F(ResolverTest, LooksUpNoMoreAtATimeThanToldTo) {
  options.most_at_once = 2;
  std::vector<std::string> answered;
  std::map<std::string, resolver::ticket> tickets;
  const auto start = [&](const std::string& host) {
    tickets[host] = names().resolve(
      host, [&answered, host](const auto&) { answered.push_back(host); });
  };
  for (const auto* host : {"silent1.test", "silent2.test"}) {
    server.set(host, dns_answer::hanging());
    start(host);
  }
  for (const auto* host : {"a.test", "b.test", "c.test"}) {
    server.set(host, dns_answer::of({"192.0.2.1"}));
    start(host);
  }
  EXPECT_TRUE(run_until([&] { return server.asked("silent2.test") == 2; }));
  io.poll();
  EXPECT_EQ(server.asked("a.test"), 0u);
  // One that waits may go, too.
  names().cancel(tickets["b.test"]);
  names().cancel(tickets["silent1.test"]);
  EXPECT_TRUE(run_until([&] { return answered.size() == 2; }));
  EXPECT_THAT(answered, ElementsAre("a.test", "c.test"));
  EXPECT_EQ(server.asked("b.test"), 0u);
}

TEST_F(ResolverTest, AnswersThousandsOfNames) {
  int answered = 0;
  constexpr int count = 3'000;
  for (int i = 0; i < count; ++i)
    server.set("host" + std::to_string(i) + ".test",
               dns_answer::of({"192.0.2.1"}));
  for (int i = 0; i < count; ++i)
    names().resolve("host" + std::to_string(i) + ".test",
                    [&](const resolution& answer) {
                      EXPECT_EQ(answer.failure, "");
                      ++answered;
                    });
  EXPECT_TRUE(run_until([&] { return answered == count; }));
  EXPECT_TRUE(is_quiet());
}

// -- endings ------------------------------------------------------------------

TEST_F(ResolverTest, EndsALookUpThatNobodyWaitsFor) {
  options.patience = 100ms;
  server.set("silent.test", dns_answer::hanging());
  int called = 0;
  const auto first = names().resolve("silent.test",
                                     [&](const auto&) { ++called; });
  const auto second = names().resolve("silent.test",
                                      [&](const auto&) { ++called; });
  EXPECT_NE(first, second);
  EXPECT_TRUE(run_until([&] { return server.asked("silent.test") >= 2; }));
  names().cancel(first);
  names().cancel(first);
  names().cancel(0);
  names().cancel(12345);
  // The other one still waits.
  io.restart();
  io.poll();
  EXPECT_FALSE(io.stopped());
  names().cancel(second);
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(called, 0);
  // The name can be asked for again.
  server.set("silent.test", dns_answer::of({"192.0.2.1"}));
  EXPECT_THAT(texts(ask("silent.test")), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, CallsNobodyBackAfterItIsGone) {
  server.set("silent.test", dns_answer::hanging());
  server.set("name.test", dns_answer::of({"192.0.2.1"}));
  options.most_at_once = 3;
  int called = 0;
  for (const auto* host : {"silent.test", "name.test", "localhost",
                           "waits.test", "nonexistent.invalid"})
    names().resolve(host, [&](const auto&) { ++called; });
  // The answer is there, but was not read yet.
  EXPECT_TRUE(
    test::eventually(20s, [&] { return server.asked("name.test") == 2; }));
  names_ = nullptr;
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(called, 0);
}

TEST_F(ResolverTest, MayBeDestroyedByACompletion) {
  server.set("name.test", dns_answer::of({"192.0.2.1"}));
  server.set("silent.test", dns_answer::hanging());
  int called = 0;
  names().resolve("silent.test", [&](const auto&) { ++called; });
  for (int i = 0; i < 3; ++i)
    names().resolve("name.test", [&](const resolution& answer) {
      ++called;
      names_ = nullptr;
      EXPECT_THAT(texts(answer), ElementsAre("192.0.2.1"));
    });
  EXPECT_TRUE(run_until([&] { return called == 1; }));
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(called, 1);
  // Also within resolve().
  names().resolve("127.1", [&](const auto&) { names_ = nullptr; });
  ask("name.test");
  names().resolve("name.test", [&](const auto&) { names_ = nullptr; });
  EXPECT_EQ(names_, nullptr);
}

TEST_F(ResolverTest, CompletionsMayCancelAndAskAnew) {
  server.set("name.test", dns_answer::of({"192.0.2.1"}));
  server.set("other.test", dns_answer::of({"192.0.2.2"}));
  std::vector<resolver::ticket> tickets(3);
  std::vector<int> called;
  bool other = false;
  for (int i = 0; i < 3; ++i)
    tickets[static_cast<std::size_t>(i)] = names().resolve(
      "name.test", [&, i](const auto&) {
        called.push_back(i);
        names().cancel(tickets[1]);
        names().cancel(tickets[0]);
        if (i == 0)
          names().resolve("other.test", [&](const auto&) { other = true; });
      });
  EXPECT_TRUE(run_until([&] { return other; }));
  EXPECT_THAT(called, ElementsAre(0, 2));
}

TEST_F(ResolverTest, MayBeGoneBeforeItsContextRuns) {
  names().resolve("localhost", [](const auto&) { FAIL(); });
  names().resolve("name.test", [](const auto&) { FAIL(); });
  names_ = nullptr;
}

TEST(NameServerTest, IsAnAddressWithOrWithoutAPort) {
  for (const auto* good : {"127.0.0.1", "127.0.0.1:5353", "::1", "[::1]",
                           "[2001:db8::1]:53", "192.0.2.1:65535"})
    EXPECT_TRUE(is_name_server(good)) << good;
  for (const auto* bad : {"", "localhost", "127.0.0.1:", "127.0.0.1:0",
                          "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:53x",
                          "[::1", "[::1]x", "[::1]:", "[127.0.0.1]:53", "1.2.3",
                          ":53", "fe80::1%eth0", "1.2.3.4,5.6.7.8"})
    EXPECT_FALSE(is_name_server(bad)) << bad;
}

} // namespace
} // namespace fanfare::protocol
