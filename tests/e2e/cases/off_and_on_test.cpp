// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Nothing is lost by being off, and what this machine lacks is not held against
// a receiver.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <atomic>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

class OffAndOnTest : public E2eTest {
protected:
  json::value replay(hook_id hook, json::object asked) {
    asked.emplace("since", "2020-01-01T00:00:00Z");
    const auto answer = api().post(webhook_path("acme", hook) + "replay/",
                                   asked);
    EXPECT_LT(answer.status, 300U) << answer.body;
    return answer.json();
  }
};

TEST_F(OffAndOnTest, WhatWasPublishedWhileAWebhookWasOffIsAmongWhatFailed) {
  http_sink sink{[](const request_record& request) {
    return response_plan::answer(request.number == 5 ? 410 : 200);
  }};
  start();
  add_organizer("acme");
  const auto hook = add_webhook(
    "acme", {.url = sink.url(), .delivery = {{"max_in_flight", 1}}});
  for (int i = 0; i < 5; ++i)
    publish();
  wait_for_calls("acme", hook, 5);
  publish(); // 410
  ASSERT_TRUE(eventually(
    patience, [&] { return !flag_of(webhook("acme", hook), "enabled"); }));
  for (int i = 0; i < 5; ++i)
    publish();
  change_webhook("acme", hook, {{"enabled", true}});
  const auto found = replay(hook, {{"only_failed", true}, {"dry_run", true}});
  EXPECT_EQ(number_of(found, "count"), 6U);
}

TEST_F(OffAndOnTest, AReplayRightAfterSubscribingSendsWhatCameBefore) {
  http_sink sink;
  start();
  add_organizer("acme");
  const auto hook = add_webhook("acme",
                                {.url = sink.url(), .types = {order_paid}});
  publish();
  publish();
  change_webhook("acme", hook,
                 {{"action_types", json::array{order_paid, order_placed}}});
  const auto begun = replay(hook, {});
  EXPECT_EQ(number_of(begun, "count"), 2U);
  EXPECT_EQ(number_of(begun, "skipped"), 0U);
  EXPECT_EQ(wait_for_calls("acme", hook, 2).size(), 2U);
}

TEST_F(OffAndOnTest, AnAttemptThatAStopCutsShortUsesUpNoNumber) {
  std::atomic<int> round{0};
  http_sink sink{[&](const request_record&) {
    switch (round++) {
      case 0: return response_plan::hanging();
      case 1: return response_plan::answer(500);
      default: return response_plan{};
    }
  }};
  start();
  add_organizer("acme");
  const auto hook = add_webhook(
    "acme", {.url = sink.url(), .delivery = {{"schedule", json::array{1}}}});
  publish();
  ASSERT_TRUE(sink.wait_for(1, patience));
  stop();
  start();
  const auto log = wait_for_calls("acme", hook, 3);
  EXPECT_THAT(text_of(log[0], "reason"), HasSubstr("stopping"));
  EXPECT_EQ(number_of(log[1], "attempt"), 1U);
  EXPECT_EQ(number_of(log[1], "return_code"), 500U);
  EXPECT_EQ(number_of(log[2], "attempt"), 2U);
  EXPECT_TRUE(flag_of(log[2], "success"));
}

TEST_F(OffAndOnTest, NameServersThatAreSilentDisableNobody) {
  http_sink sink;
  dns_server dns;
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) {
    names.push_back("r" + std::to_string(i) + ".test");
    dns.set(names.back(), dns_answer::hanging());
  }
  start({"--dns-server", dns.address(), "--dns-timeout", "300ms",
         "--disable-after", "2s", "--schedule",
         "200ms,200ms,200ms,200ms,200ms"});
  add_organizer("acme");
  std::vector<hook_id> hooks;
  for (const auto& name : names)
    hooks.push_back(add_webhook(
      "acme",
      {.url = "http://" + name + ":" + std::to_string(sink.port()) + "/"}));
  publish();
  for (const auto hook : hooks)
    EXPECT_TRUE(eventually(patience, [&] {
      return health("acme", hook).at("held_by") == "outage";
    }));
  // Longer than a webhook may only fail, and more often than the schedule has.
  EXPECT_TRUE(
    eventually(patience, [&] { return calls("acme", hooks[0]).size() >= 3; }));
  for (const auto& name : names)
    dns.set(name, dns_answer::of({"127.0.0.1"}));
  for (const auto hook : hooks) {
    EXPECT_TRUE(eventually(patience, [&] {
      const auto log = calls("acme", hook);
      return !log.empty() && flag_of(log.back(), "success");
    }));
    EXPECT_TRUE(flag_of(webhook("acme", hook), "enabled"));
    const auto log = calls("acme", hook);
    for (const auto& call : log)
      EXPECT_EQ(number_of(call, "attempt"), 1U);
    EXPECT_EQ(number_of(health("acme", hook).at("breaker"), "failures"), 0U);
  }
  EXPECT_THAT(running().log_tail(), HasSubstr("can be reached again"));
}

TEST_F(OffAndOnTest, ANameThatDoesNotExistIsTheReceiversFault) {
  dns_server dns;
  dns.set("gone.test", dns_answer::missing());
  start({"--dns-server", dns.address(), "--schedule", "100ms"});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = "http://gone.test/"});
  publish();
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(number_of(log[1], "attempt"), 2U);
  EXPECT_EQ(number_of(health("acme", hook).at("breaker"), "failures"), 2U);
}

TEST_F(OffAndOnTest, ANameServerThatFailsForOneNameIsTheReceiversFault) {
  dns_server dns;
  dns.set("broken.test", dns_answer::failing());
  start({"--dns-server", dns.address(), "--schedule", "100ms"});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = "http://broken.test/"});
  publish();
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_THAT(text_of(log[0], "reason"), HasSubstr("SERVFAIL"));
  EXPECT_EQ(number_of(log[1], "attempt"), 2U);
  EXPECT_EQ(number_of(health("acme", hook).at("breaker"), "failures"), 2U);
}

TEST_F(OffAndOnTest, NameServersThatFailForAllNamesAreNoReceiversFault) {
  dns_server dns;
  dns.set("one.test", dns_answer::failing());
  dns.set("two.test", dns_answer::failing());
  start({"--dns-server", dns.address(), "--schedule", "1s,1s,1s"});
  add_organizer("acme");
  const auto one = add_webhook("acme", {.url = "http://one.test/"});
  const auto two = add_webhook("acme", {.url = "http://two.test/"});
  publish();
  for (const auto hook : {one, two}) {
    EXPECT_TRUE(eventually(patience, [&] {
      return health("acme", hook).at("held_by") == "outage";
    }));
    // The very first one could not know.
    EXPECT_LE(number_of(health("acme", hook).at("breaker"), "failures"), 1U);
  }
}

TEST_F(OffAndOnTest, ATestCountsForNothing) {
  http_sink sink{[](const request_record& request) {
    return response_plan::answer(
      request.body.find("fanfare.test") != std::string::npos ? 200 : 500);
  }};
  start({"--breaker-failures", "2", "--breaker-pause", "1h", "--schedule",
         "100ms,1h"});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink.url()});
  publish();
  ASSERT_TRUE(eventually(
    patience, [&] { return health("acme", hook).at("held_by") == "breaker"; }));
  const auto before = health("acme", hook).at("breaker");
  const auto made = api().post(webhook_path("acme", hook) + "test/",
                               json::object{});
  EXPECT_EQ(made.status, 200U) << made.body;
  EXPECT_EQ(made.json().at("held_by"), "breaker");
  EXPECT_EQ(health("acme", hook).at("breaker"), before);
  EXPECT_EQ(health("acme", hook).at("held_by"), "breaker");
}

} // namespace

} // namespace fanfare::test
