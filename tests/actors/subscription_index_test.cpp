// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Who gets what: the built-in action types, the rules of selection, and the
/// index against its definition.

#include "actors/subscription_index.hpp"

#include "model/subscription.hpp"
#include "protocol/rules/action_types.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SubscriptionIndexTest : public ::testing::Test {
protected:
  static constexpr organizer_id us = 1;
  static constexpr organizer_id them = 2;
  static constexpr event_id no_event = 0;

  SubscriptionIndexTest() {
    action_type_id id = 0;
    for (auto name : protocol::builtin_action_types())
      types_.add({.id = ++id, .name = std::string{name}});
  }

  action_type_id type(std::string_view registered) const {
    auto found = types_.find(registered);
    EXPECT_TRUE(found) << registered;
    return found.value_or(0);
  }

  /// A subscription to registered names.
  subscription to(std::vector<std::string_view> names) const {
    subscription s;
    for (auto n : names)
      s.types.push_back(type(n));
    std::ranges::sort(s.types);
    return s;
  }

  subscription to(std::vector<std::string_view> names,
                  std::vector<event_id> events) const {
    auto s = to(std::move(names));
    s.all_events = false;
    s.events = std::move(events);
    return s;
  }

  void put(webhook_id id, const subscription& s, organizer_id owner = us) {
    index_.put(id, owner, s);
  }

  /// The webhooks that get this action, with repeats.
  std::vector<webhook_id> who_gets(std::string_view action, event_id about = 7,
                                   organizer_id owner = us) const {
    std::vector<webhook_id> got;
    if (auto t = types_.resolve(action))
      index_.for_each_match(owner, *t, action, about,
                            [&](auto r) { got.push_back(index_.id_of(r)); });
    return got;
  }

  protocol::action_type_table types_;
  subscription_index index_;
};

// -- from action to registered type -------------------------------------------

TEST_F(SubscriptionIndexTest, KnowsAllBuiltInTypes) {
  EXPECT_EQ(types_.size(), 46U);
}

TEST_F(SubscriptionIndexTest, EachBuiltInTypeReachesItsSubscriberAndNoOther) {
  webhook_id id = 0;
  for (auto name : protocol::builtin_action_types())
    put(++id, to({name}));
  id = 0;
  for (auto name : protocol::builtin_action_types()) {
    ++id;
    std::string action{name};
    if (action.ends_with('*'))
      action.replace(action.size() - 1, 1, "something");
    EXPECT_THAT(who_gets(action), ElementsAre(id)) << action;
  }
}

TEST_F(SubscriptionIndexTest, ResolvesActionsAsDocumented) {
  const std::map<std::string_view, std::string_view> table{
    {"pretix.event.order.changed.item", "pretix.event.order.changed.*"},
    {"pretix.event.order.changed.a.b.c", "pretix.event.order.changed.*"},
    {"pretix.event.order.changed", ""},
    {"pretix.event.order.changed.split_from", "pretix.event.order.changed.*"},
    {"pretix.event.item.variation.added", "pretix.event.item.*"},
    {"pretix.event.item.added", "pretix.event.item.*"},
    {"pretix.event.item", ""},
    {"pretix.event.order.placed", "pretix.event.order.placed"},
    {"pretix.event.order.placed.foo", ""},
    {"pretix.event.order.placed.require_approval",
     "pretix.event.order.placed.require_approval"},
    {"pretix.event.checkin", "pretix.event.checkin"},
    {"pretix.event.checkin.reverted", "pretix.event.checkin.reverted"},
    {"pretix.event.checkin.denied", ""},
    {"pretix.giftcards.transaction.manual", "pretix.giftcards.transaction.*"},
    {"pretix.giftcards.transaction.payment", "pretix.giftcards.transaction.*"},
    {"pretix.giftcards.transaction", ""},
    {"pretix.voucher.added", "pretix.voucher.added"},
    {"pretix.voucher.added.waitinglist", ""},
    {"pretix.voucher.redeemed", ""},
    {"pretix.event.orders.waitinglist.voucher_assigned",
     "pretix.event.orders.waitinglist.voucher_assigned"},
    {"pretix", ""},
    {"pretix.", ""},
    {"", ""},
    {"unknown.thing", ""},
  };
  for (const auto& [action, registered] : table) {
    auto found = types_.resolve(action);
    if (registered.empty())
      EXPECT_FALSE(found) << action;
    else
      EXPECT_EQ(found, type(registered)) << action;
  }
}

TEST_F(SubscriptionIndexTest, NeverLooksForAWildcardOfPretixOfOneLabel) {
  types_.add({.id = 1'000, .name = "pretix.*"});
  types_.add({.id = 1'001, .name = "a.b.*"});
  EXPECT_FALSE(types_.resolve("pretix.b"));
  EXPECT_FALSE(types_.resolve("a.c"));
  EXPECT_EQ(types_.resolve("a.b.c"), 1'001U);
  EXPECT_EQ(types_.resolve("a.b.c.d"), 1'001U);
}

TEST_F(SubscriptionIndexTest, TheLongestWildcardWinsAndOnlyOneTypeResults) {
  types_.add({.id = 1'000, .name = "a.b.*"});
  types_.add({.id = 1'001, .name = "a.b.c.*"});
  types_.add({.id = 1'002, .name = "a.b.c.d"});
  put(1, {.types = {1'000, 1'001, 1'002}});
  EXPECT_EQ(types_.resolve("a.b.c.d"), 1'002U);
  EXPECT_EQ(types_.resolve("a.b.c.e"), 1'001U);
  EXPECT_EQ(types_.resolve("a.b.e"), 1'000U);
  EXPECT_THAT(who_gets("a.b.c.d"), ElementsAre(1));
}

// -- from type to webhooks ----------------------------------------------------

TEST_F(SubscriptionIndexTest, AnApprovalOrderReachesOnlyItsOwnType) {
  put(1, to({"pretix.event.order.placed"}));
  put(2, to({"pretix.event.order.placed.require_approval"}));
  EXPECT_THAT(who_gets("pretix.event.order.placed.require_approval"),
              ElementsAre(2));
  EXPECT_THAT(who_gets("pretix.event.order.placed"), ElementsAre(1));
}

TEST_F(SubscriptionIndexTest, AWildcardIsComparedAsTheRegisteredName) {
  put(1, to({"pretix.event.item.*"}));
  put(2, to({"pretix.event.order.changed.*"}));
  EXPECT_THAT(who_gets("pretix.event.item.bundles.removed"), ElementsAre(1));
  EXPECT_THAT(who_gets("pretix.event.order.changed.price"), ElementsAre(2));
}

TEST_F(SubscriptionIndexTest, WildcardsFollowTheActionWhateverItsType) {
  types_.add({.id = 1'000, .name = "order.created"});
  types_.add({.id = 1'001, .name = "order.line.*"});
  types_.add({.id = 1'002, .name = "fanfare.webhook.disabled"});
  put(1, {.types = {}, .wildcards = {"*"}});
  put(2, {.types = {1'002}, .wildcards = {"order.*"}});
  put(3, {.types = {}, .wildcards = {"order.line.price.*", "stock/*"}});
  put(4, {.all_events = false,
          .events = {8},
          .types = {1'000},
          .wildcards = {"order.line.*"}});
  put(5, {.types = {}, .wildcards = {"*"}}, them);
  put(6, {.enabled = false, .types = {}, .wildcards = {"*"}});
  EXPECT_THAT(who_gets("order.created"), UnorderedElementsAre(1, 2));
  EXPECT_THAT(who_gets("order.created", 8), UnorderedElementsAre(1, 2, 4));
  EXPECT_THAT(who_gets("order.line.price.up"), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(who_gets("order.line.added", 8), UnorderedElementsAre(1, 2, 4));
  EXPECT_THAT(who_gets("order.line.added", no_event),
              UnorderedElementsAre(1, 2, 4));
  EXPECT_THAT(who_gets("pretix.event.added"), UnorderedElementsAre(1));
  EXPECT_THAT(who_gets("fanfare.webhook.disabled"), UnorderedElementsAre(2));
  // One that was registered later.
  types_.add({.id = 1'003, .name = "stock/empty"});
  EXPECT_THAT(who_gets("stock/empty"), UnorderedElementsAre(1, 3));
  EXPECT_THAT(who_gets("stock/empty", 7, them), UnorderedElementsAre(5));
  // What was made up for one webhook is no one else's.
  std::size_t visits = 0;
  index_.for_each_match(us, 0, "fanfare.test", no_event,
                        [&](auto) { ++visits; });
  index_.for_each_match(us, 0, "order.created", 8, [&](auto) { ++visits; });
  EXPECT_EQ(visits, 0U);
  put(1, {.types = {1'000}});
  put(4, {.types = {}, .wildcards = {"order.*"}});
  EXPECT_THAT(who_gets("order.created"), UnorderedElementsAre(1, 2, 4));
  EXPECT_THAT(who_gets("stock/empty"), UnorderedElementsAre(3));
}

TEST_F(SubscriptionIndexTest, AllEventsOrOnlyTheChosenOnes) {
  put(1, to({"pretix.event.checkin"}));
  put(2, to({"pretix.event.checkin"}, {7, 9}));
  put(3, to({"pretix.event.checkin"}, {8}));
  put(4, to({"pretix.event.checkin"}, {}));
  EXPECT_THAT(who_gets("pretix.event.checkin", 7), UnorderedElementsAre(1, 2));
  EXPECT_THAT(who_gets("pretix.event.checkin", 8), UnorderedElementsAre(1, 3));
  EXPECT_THAT(who_gets("pretix.event.checkin", 9), UnorderedElementsAre(1, 2));
  EXPECT_THAT(who_gets("pretix.event.checkin", 5), UnorderedElementsAre(1));
}

TEST_F(SubscriptionIndexTest, WhatBelongsToNoEventIgnoresTheEventSelection) {
  put(1, to({"pretix.customer.created"}));
  put(2, to({"pretix.customer.created"}, {7}));
  put(3, to({"pretix.customer.created"}, {}));
  EXPECT_THAT(who_gets("pretix.customer.created", no_event),
              UnorderedElementsAre(1, 2, 3));
}

TEST_F(SubscriptionIndexTest, DisabledWebhooksGetNothing) {
  auto off = to({"pretix.event.checkin"});
  off.enabled = false;
  put(1, off);
  put(2, to({"pretix.event.checkin"}));
  EXPECT_THAT(who_gets("pretix.event.checkin"), ElementsAre(2));
  EXPECT_THAT(who_gets("pretix.event.checkin", no_event), ElementsAre(2));
}

TEST_F(SubscriptionIndexTest, OtherTenantsGetNothing) {
  put(1, to({"pretix.event.checkin"}));
  put(2, to({"pretix.event.checkin"}), them);
  EXPECT_THAT(who_gets("pretix.event.checkin"), ElementsAre(1));
  EXPECT_THAT(who_gets("pretix.event.checkin", no_event), ElementsAre(1));
  EXPECT_THAT(who_gets("pretix.event.checkin", 7, them), ElementsAre(2));
  EXPECT_THAT(who_gets("pretix.event.checkin", 7, 3), IsEmpty());
}

TEST_F(SubscriptionIndexTest, AContradictoryWebhookGetsItOnce) {
  auto both = to({"pretix.event.checkin"});
  both.events = {7, 8};
  put(1, both);
  EXPECT_THAT(who_gets("pretix.event.checkin", 7), ElementsAre(1));
  EXPECT_THAT(who_gets("pretix.event.checkin", 5), ElementsAre(1));
  EXPECT_THAT(who_gets("pretix.event.checkin", no_event), ElementsAre(1));
}

TEST_F(SubscriptionIndexTest, TwoWebhooksOfTheSameKindGetOneEach) {
  put(1, to({"pretix.event.checkin"}));
  put(2, to({"pretix.event.checkin"}));
  EXPECT_THAT(who_gets("pretix.event.checkin"), UnorderedElementsAre(1, 2));
}

TEST_F(SubscriptionIndexTest, EditsReplaceWhatWasBefore) {
  put(1, to({"pretix.event.checkin"}, {7}));
  put(1, to({"pretix.event.added"}));
  EXPECT_THAT(who_gets("pretix.event.checkin"), IsEmpty());
  EXPECT_THAT(who_gets("pretix.event.added"), ElementsAre(1));
  auto off = to({"pretix.event.added"});
  off.enabled = false;
  put(1, off);
  EXPECT_THAT(who_gets("pretix.event.added"), IsEmpty());
  put(1, off);
  put(1, to({"pretix.event.added"}, {8}));
  EXPECT_THAT(who_gets("pretix.event.added"), IsEmpty());
  EXPECT_THAT(who_gets("pretix.event.added", 8), ElementsAre(1));
  EXPECT_EQ(index_.size(), 1U);
}

TEST_F(SubscriptionIndexTest, FindsTheWebhooksItHolds) {
  put(3, to({"pretix.event.checkin"}));
  put(8, {});
  EXPECT_EQ(index_.id_of(index_.find(3)), 3U);
  EXPECT_EQ(index_.id_of(index_.find(8)), 8U);
  EXPECT_EQ(index_.find(4), subscription_index::none);
  EXPECT_EQ(index_.find(9), subscription_index::none);
}

// -- against the definition ---------------------------------------------------

TEST_F(SubscriptionIndexTest, AgreesWithTheDefinitionOverRandomHistories) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    std::minstd_rand random{seed};
    auto below = [&random](std::uint32_t n) {
      return static_cast<std::uint32_t>(random() >> 8) % n;
    };
    subscription_index index;
    std::map<webhook_id, std::pair<organizer_id, subscription>> model;
    for (int step = 0; step < 120; ++step) {
      webhook_id id = model.size() + 1;
      if (!model.empty() && below(3) > 0)
        id = 1 + below(static_cast<std::uint32_t>(model.size()));
      subscription s;
      s.enabled = below(5) > 0;
      s.all_events = below(2) > 0;
      for (event_id e = 1; e <= 4; ++e)
        if (below(3) == 0)
          s.events.push_back(e);
      for (action_type_id t = 1; t <= 4; ++t)
        if (below(2) == 0)
          s.types.push_back(t);
      // `a.b` is the fifth type's; nobody names what a wildcard covers, too.
      if (below(3) == 0)
        s.wildcards = below(2) == 0 ? std::vector<std::string>{"a.*", "c/*"}
                                    : std::vector<std::string>{"c/*"};
      auto& known = model[id];
      if (known.first == 0)
        known.first = 1 + below(2);
      known.second = s;
      index.put(id, known.first, s);
      const auto owner = 1 + below(2);
      const auto type = 1 + below(5);
      const auto about = below(6);
      std::vector<webhook_id> got;
      std::vector<webhook_id> expected;
      const std::string_view action = type < 5      ? "x"
                                    : below(2) == 0 ? "a.b"
                                                    : "c/d.e";
      index.for_each_match(owner, type, action, about,
                           [&](auto r) { got.push_back(index.id_of(r)); });
      for (const auto& [hook, entry] : model)
        if (entry.first == owner && matches(entry.second, type, action, about))
          expected.push_back(hook);
      std::ranges::sort(got);
      ASSERT_EQ(got, expected) << "seed " << seed << ", step " << step;
    }
  }
}

// -- cost ---------------------------------------------------------------------

TEST_F(SubscriptionIndexTest, ALookUpCostsNoMoreForThoseThatDoNotMatch) {
  const auto checkin = type("pretix.event.checkin");
  constexpr event_id hooks = 100'000;
  for (event_id e = 1; e <= hooks; ++e)
    put(e, to({"pretix.event.checkin"}, {e}));
  // To go through all of one organizer's would take 10,000,000,000 steps.
  std::size_t visits = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (event_id e = 1; e <= hooks; ++e)
    index_.for_each_match(us, checkin, "pretix.event.checkin", e,
                          [&](auto) { ++visits; });
  EXPECT_EQ(visits, hooks);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{2});
}

TEST_F(SubscriptionIndexTest, AMillionSubscriptionsFitIntoSomeTensOfMegabytes) {
  // Large blocks are counted apart from the others.
  const auto used = [] {
    const auto m = mallinfo2();
    return m.uordblks + m.hblkhd;
  };
  const auto before = used();
  const auto begun = std::chrono::steady_clock::now();
  auto s = to({"pretix.event.order.placed", "pretix.event.order.paid",
               "pretix.event.order.canceled"});
  for (webhook_id id = 1; id <= 1'000'000; ++id)
    put(id, s, static_cast<organizer_id>(1 + id % 1'000));
  const auto took = std::chrono::steady_clock::now() - begun;
  const auto bytes = used() - before;
  std::cout
    << "1,000,000 subscriptions to 3 types: " << bytes / 1'048'576 << " MiB, "
    << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
    << " ms\n";
  EXPECT_LT(bytes, std::size_t{100} << 20);
  EXPECT_EQ(who_gets("pretix.event.order.paid").size(), 1'000U);
}

} // namespace

} // namespace fanfare::test
