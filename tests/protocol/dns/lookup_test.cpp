// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/lookup.hpp"

#include "tests/protocol/dns/resolver_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LookupTest : public ResolverTest {};

// -- answers ------------------------------------------------------------------

TEST_F(LookupTest, FindsTheAddressesOfBothFamilies) {
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
  const auto four = ask("four.test");
  EXPECT_THAT(texts(four), ElementsAre("192.0.2.1"));
  EXPECT_FALSE(four.is_partial);
  server.set("six.test", dns_answer::of({}, {"2001:db8::1"}));
  EXPECT_THAT(texts(ask("six.test")), ElementsAre("2001:db8::1"));
}

TEST_F(LookupTest, AsksForBothFamiliesAtOnce) {
  options.patience = 60s; // nothing is asked twice
  server.set("slow.test", dns_answer::hanging());
  names().resolve("slow.test", [](const auto&) { FAIL(); });
  EXPECT_TRUE(run_until([&] { return server.asked("slow.test") == 2; }));
  EXPECT_EQ(server.asked_v6("slow.test"), 1u);
}

TEST_F(LookupTest, DoesNotWaitLongForTheOtherFamily) {
  options.other_family = 100ms;
  auto answer = dns_answer::of({"192.0.2.1"}, {}, 300);
  answer.silent_v6 = true;
  server.set("silent6.test", answer);
  const auto before = steady_clock::now();
  const auto first = ask("silent6.test");
  EXPECT_THAT(texts(first), ElementsAre("192.0.2.1"));
  EXPECT_TRUE(first.is_partial);
  const auto took = steady_clock::now() - before;
  EXPECT_GE(took, 100ms);
  EXPECT_LT(took, 4s);
  EXPECT_TRUE(is_quiet());
  // It may say more later.
  now += 29s;
  EXPECT_THAT(texts(ask("silent6.test")), ElementsAre("192.0.2.1"));
  server.set("silent6.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}));
  now += 1s;
  const auto both = ask("silent6.test");
  EXPECT_THAT(texts(both), ElementsAre("2001:db8::1", "192.0.2.1"));
  EXPECT_FALSE(both.is_partial);
}

TEST_F(LookupTest, FollowsAliases) {
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

TEST_F(LookupTest, TakesLongAnswersOverTcp) {
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

TEST_F(LookupTest, SaysWhyThereIsNoAddress) {
  options.patience = 50ms;
  EXPECT_EQ(ask("missing.test").failure, "dns: name not found: missing.test");
  server.set("empty.test", dns_answer{});
  EXPECT_EQ(ask("empty.test").failure, "dns: name not found: empty.test");
  const auto temporary = [](const std::string& host) {
    return "dns: temporary failure, no name server answered for " + host;
  };
  server.set("failing.test", dns_answer::failing());
  const auto failing = ask("failing.test");
  EXPECT_EQ(failing.failure, "dns: temporary failure, the name server failed "
                             "(SERVFAIL) for failing.test");
  EXPECT_EQ(failing.source, answered_by::unable);
  server.set("silent.test", dns_answer::hanging());
  const auto silent = ask("silent.test");
  EXPECT_EQ(silent.failure, temporary("silent.test"));
  EXPECT_EQ(silent.source, answered_by::nobody);
  auto refused = dns_answer::failing();
  refused.code = 5;
  server.set("refused.test", refused);
  const auto not_served = ask("refused.test");
  EXPECT_EQ(not_served.failure, temporary("refused.test"));
  EXPECT_EQ(not_served.source, answered_by::nobody);
  // A name that no message can hold.
  auto endless = std::string(64, 'x');
  endless += ".test";
  EXPECT_EQ(ask(endless).failure, "dns: name not found: " + endless);
  EXPECT_TRUE(is_quiet());
}

TEST_F(LookupTest, SurvivesGarbage) {
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

TEST_F(LookupTest, AsksTheNextServerWhenOneIsDead) {
  std::string dead;
  {
    const dns_server gone;
    dead = gone.address();
  }
  options.servers = {dead, server.address()};
  server.set("name.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}));
  options.patience = 60s; // the system says that nobody listens there
  EXPECT_THAT(texts(ask("name.test")), ElementsAre("2001:db8::1", "192.0.2.1"));
  names_ = nullptr;
  dns_server silent;
  silent.set("name.test", dns_answer::hanging());
  options.servers = {silent.address(), server.address()};
  options.patience = 50ms;
  EXPECT_THAT(texts(ask("name.test")), ElementsAre("2001:db8::1", "192.0.2.1"));
}

TEST_F(LookupTest, AServerThatFailsIsOneThatAnswersWhateverTheOthersDo) {
  options.patience = 50ms;
  dns_server silent;
  silent.set("name.test", dns_answer::hanging());
  server.set("name.test", dns_answer::failing());
  for (const auto& order : {std::vector{silent.address(), server.address()},
                            std::vector{server.address(), silent.address()}}) {
    names_ = nullptr;
    options.servers = order;
    EXPECT_EQ(ask("name.test").source, answered_by::unable);
  }
  silent.set("name.test", dns_answer::of({"192.0.2.1"}));
  names_ = nullptr;
  EXPECT_THAT(texts(ask("name.test")), ElementsAre("192.0.2.1"))
    << "another one is asked";
}

TEST_F(LookupTest, FailsWhenNoServerListens) {
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

TEST_F(LookupTest, UnderstandsNumbersInAnySpelling) {
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

TEST_F(LookupTest, KnowsSpecialNames) {
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

TEST_F(LookupTest, LooksInSearchDomains) {
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
            "dns: temporary failure, the name server failed (SERVFAIL) for "
            "unsure");
}

TEST_F(LookupTest, NoticesANewConfiguration) {
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

TEST_F(LookupTest, AsksTheServersOfTheConfiguration) {
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

} // namespace
} // namespace fanfare::protocol
