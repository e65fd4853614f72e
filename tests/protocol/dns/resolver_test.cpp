// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/protocol/dns/resolver_test.hpp"

#include "tests/support/eventually.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace fanfare::protocol {
namespace {

using ::testing::ElementsAre;

// -- many at a time -----------------------------------------------------------

TEST_F(ResolverTest, SharesALookUpThatIsInProgress) {
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
  options.patience = 60s;
  options.most_at_once = 256;
  int wrong = 0;
  for (int i = 0; i < 200; ++i) {
    const auto host = "silent" + std::to_string(i) + ".test";
    server.set(host, dns_answer::hanging());
    names().resolve(host, [&](const resolution&) { ++wrong; });
  }
  server.set("quick.test", dns_answer::of({"192.0.2.1"}, {"2001:db8::1"}));
  EXPECT_THAT(texts(ask("quick.test")),
              ElementsAre("2001:db8::1", "192.0.2.1"));
  EXPECT_EQ(wrong, 0);
  names_ = nullptr;
  EXPECT_TRUE(is_quiet());
  EXPECT_EQ(wrong, 0);
}

TEST_F(ResolverTest, NamesThatHangGiveWayToOthers) {
  options.most_at_once = 4;
  options.fair_share = 50ms;
  options.patience = 60s;
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
  EXPECT_THAT(texts(ask("quick.test")), ElementsAre("192.0.2.1"));
  EXPECT_EQ(failed, 17);
  // Those that are in nobody's way may go on, beyond their share.
  auto slow = dns_answer::of({"192.0.2.2"});
  slow.delay = 3 * options.fair_share;
  server.set("slow.test", slow);
  EXPECT_THAT(texts(ask("slow.test")), ElementsAre("192.0.2.2"));
  EXPECT_EQ(failed, 17);
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
  EXPECT_TRUE(names().is_queued(tickets["a.test"]));
  EXPECT_FALSE(names().is_queued(tickets["silent1.test"]));
  // One that waits may go, too.
  names().cancel(tickets["b.test"]);
  names().cancel(tickets["silent1.test"]);
  EXPECT_FALSE(names().is_queued(tickets["a.test"]));
  EXPECT_TRUE(names().is_queued(tickets["c.test"]));
  EXPECT_TRUE(run_until([&] { return answered.size() == 2; }));
  EXPECT_THAT(answered, ElementsAre("a.test", "c.test"));
  EXPECT_FALSE(names().is_queued(tickets["c.test"])); // answered
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

} // namespace
} // namespace fanfare::protocol
