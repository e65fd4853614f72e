// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/action_types.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

namespace fanfare::protocol {
namespace {

class ActionTypesTest : public ::testing::Test {
protected:
  ActionTypesTest() {
    for (const auto name : builtin_action_types())
      table.add(
        {static_cast<action_type_id>(table.size() + 1), std::string{name}});
  }

  /// The registered name that the action belongs to, "" for none.
  std::string resolved(std::string_view action) {
    const auto id = table.resolve(action);
    return id ? table.at(*id)->name : std::string{};
  }

  action_type_table table;
};

TEST_F(ActionTypesTest, HasTheBuiltInTypesFromTheStart) {
  EXPECT_EQ(builtin_action_types().size(), 46U);
  EXPECT_EQ(table.size(), 46U); // no two are the same
  std::set<std::string> orders;
  for (const auto name : builtin_action_types()) {
    EXPECT_TRUE(check_action_type_name(name)) << name;
    const auto id = table.find(name);
    ASSERT_TRUE(id) << name;
    EXPECT_EQ(table.at(*id)->name, name);
    EXPECT_EQ(resolved(name), name);
    if (name.starts_with("pretix.event.order."))
      orders.emplace(name);
  }
  EXPECT_EQ(orders.size(), 20U);
}

TEST_F(ActionTypesTest, ResolvesAnActionToExactlyOneType) {
  const std::pair<std::string_view, std::string_view> table_of_cases[] = {
    {"pretix.event.order.placed", "pretix.event.order.placed"},
    {"pretix.event.order.changed.item", "pretix.event.order.changed.*"},
    {"pretix.event.order.changed.a.b.c", "pretix.event.order.changed.*"},
    {"pretix.event.order.changed", ""},
    {"pretix.event.item.variation.added", "pretix.event.item.*"},
    {"pretix.event.item.added", "pretix.event.item.*"},
    {"pretix.event.item", ""},
    {"pretix.event.order.placed.foo", ""},
    {"pretix.event.checkin", "pretix.event.checkin"},
    {"pretix.event.checkin.denied", ""},
    {"pretix.event.checkin.reverted", "pretix.event.checkin.reverted"},
    {"pretix.event.order.placed.require_approval",
     "pretix.event.order.placed.require_approval"},
    {"pretix.giftcards.transaction.manual", "pretix.giftcards.transaction.*"},
    {"pretix.giftcards.transaction", ""},
    {"pretix.event.order.Placed", ""},
    {"pretix", ""},
    {"", ""},
    {".", ""},
    {"..", ""},
    {"pretix.", ""},
    {".event", ""},
  };
  for (const auto& [action, type] : table_of_cases)
    EXPECT_EQ(resolved(action), type) << action;
}

TEST_F(ActionTypesTest, PrefersTheLongestWildcard) {
  table.add({101, "a.b.*"});
  table.add({102, "a.b.c.*"});
  table.add({103, "a.b.c.d"});
  EXPECT_EQ(resolved("a.b.c.d"), "a.b.c.d");
  EXPECT_EQ(resolved("a.b.c.e"), "a.b.c.*");
  EXPECT_EQ(resolved("a.b.c.e.f"), "a.b.c.*");
  EXPECT_EQ(resolved("a.b.c"), "a.b.*");
  EXPECT_EQ(resolved("a.b"), "");
  EXPECT_EQ(resolved("a.x.y"), "");
  table.add({104, "a.*"});
  EXPECT_EQ(resolved("a.b"), "a.*");
  EXPECT_EQ(resolved("a.x.y"), "a.*");
  EXPECT_EQ(resolved("a"), "");
  table.add({105, "orders/*"});
  EXPECT_EQ(resolved("orders/create"), "orders/*");
  EXPECT_EQ(resolved("orders/create.now"), "orders/*");
  EXPECT_EQ(resolved("orders.create"), "");
  table.add({106, "*"});
  EXPECT_EQ(resolved("OrderCreated"), "*");
  EXPECT_EQ(resolved("a"), "*");
  EXPECT_EQ(resolved("a.b.c"), "a.b.*");
}

TEST_F(ActionTypesTest, NeverAsksForTheFirstLabelOfPretixOrOfItsOwn) {
  table.add({100, "pretix.*"});
  table.add({101, "*"});
  table.add({102, "fanfare.*"});
  EXPECT_EQ(resolved("pretix.event.unheard"), "");
  EXPECT_EQ(resolved("pretix.other"), "");
  EXPECT_EQ(resolved("fanfare.test"), "");
  EXPECT_EQ(resolved("pretix"), "*");
}

TEST_F(ActionTypesTest, TakesEachNameAndEachIdOnce) {
  EXPECT_FALSE(table.add({100, "pretix.event.order.placed"}));
  EXPECT_FALSE(table.add({1, "new.name"}));
  EXPECT_FALSE(table.find("new.name"));
  EXPECT_TRUE(table.add({100, "new.name"}));
  EXPECT_EQ(table.find("new.name"), 100U);
  EXPECT_EQ(table.at(101), nullptr);
  EXPECT_EQ(table.all().back().name, "new.name");
}

TEST_F(ActionTypesTest, ResolvesNothingThatIsTooLong) {
  std::string action = "pretix.event.item";
  while (action.size() < 1'000'000)
    action += ".a";
  EXPECT_EQ(resolved(action), "");
}

TEST(ActionTypeName, IsMadeOfLabels) {
  for (const std::string_view name :
       {"a.b", "shop.order.placed", "shop.order.*", "a-b.c_d", "0.1", "a.b.*",
        "a", "OrderCreated", "orders/create", "order.*", "orders/*", "*", "A.b",
        "pretix.event.*", "a/b.c"})
    EXPECT_TRUE(check_action_type_name(name)) << name;
  for (const std::string_view name :
       {"",     ".*",    "/*",      "a..b",  ".a.b",       "a.b.",
        "a.b*", "a.*.b", "a.*.*",   "a b.c", "a.\xc3\xa9", "a.b.**",
        "**",   "a*",    "a/",      "/a",    "a//b",       "a./b",
        "a:b",  "a\\b",  "pretix.*"}) {
    const auto checked = check_action_type_name(name);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().code, ec::invalid_argument);
    EXPECT_EQ(checked.error().field, "name");
  }
  EXPECT_TRUE(check_action_type_name("a." + std::string(253, 'b')));
  EXPECT_FALSE(check_action_type_name("a." + std::string(254, 'b')));
}

TEST_F(ActionTypesTest, ItsOwnWildcardsCanBeSubscribedTo) {
  const auto known = table.all();
  for (const std::string_view name :
       {"order.*", "orders/*", "shop.order.*", "Order.*", "fanfare.*"})
    EXPECT_TRUE(is_free_wildcard(name, known)) << name;
  // Those of pretix are compared with what is registered.
  for (const std::string_view name :
       {"pretix.*", "pretix.event.*", "pretix.event.item.*", "order",
        "order.created", "order*", ".*", "", "PRETIX.*"})
    EXPECT_FALSE(is_free_wildcard(name, known)) << name;
  std::string longest(253, 'a');
  longest += ".*";
  EXPECT_TRUE(is_free_wildcard(longest, known));
  longest.insert(0, 1, 'a');
  EXPECT_FALSE(is_free_wildcard(longest, known));
}

TEST_F(ActionTypesTest, AllOfThemNeedOneOfItsOwn) {
  EXPECT_FALSE(is_free_wildcard("*", table.all()));
  table.add({100, "fanfare.webhook.disabled"});
  EXPECT_FALSE(is_free_wildcard("*", table.all()));
  EXPECT_TRUE(is_free_wildcard("*", {}));
  const std::vector<action_type> notices{{1, "fanfare.webhook.disabled"}};
  EXPECT_TRUE(is_free_wildcard("*", notices)) << "without the built-in ones";
  table.add({101, "OrderCreated"});
  EXPECT_TRUE(is_free_wildcard("*", table.all()));
}

TEST_F(ActionTypesTest, SayHowToRegisterOne) {
  table.add({100, "order.created"});
  const auto known = table.all();
  EXPECT_EQ(
    how_to_register("ordr.created", known),
    "Did you mean \"order.created\"? If it is a new one, register it "
    "first: POST /api/v1/action-types/ {\"name\": \"ordr.created\"}, or "
    "\"fanfare action-types create ordr.created\".");
  EXPECT_EQ(how_to_register("StockEmpty", known),
            "Register it first: POST /api/v1/action-types/ {\"name\": "
            "\"StockEmpty\"}, or \"fanfare action-types create StockEmpty\".");
  for (const std::string_view never :
       {"", "pretix.event.plcaed", "PRETIX.EVENT.ADDED", "fanfare.x", "*",
        "order.*", "a b", "a\"b"})
    EXPECT_EQ(how_to_register(never, known), "") << never;
}

TEST(Wildcard, CoversWhatBeginsWithIt) {
  const std::tuple<std::string_view, std::string_view, bool> cases[] = {
    {"*", "order.created", true},
    {"*", "OrderCreated", true},
    {"*", "pretix.event.added", true},
    {"*", "order.*", true},
    {"*", "fanfare.webhook.disabled", false},
    {"*", "fanfare.*", false},
    {"fanfare.*", "fanfare.webhook.disabled", true},
    {"order.*", "order.created", true},
    {"order.*", "order.line.added", true},
    {"order.*", "order.line.*", true},
    {"order.*", "order", false},
    {"order.*", "order.", false},
    {"order.*", "orders.created", false},
    {"order.*", "Order.created", false},
    {"order.*", "order/created", false},
    {"orders/*", "orders/create", true},
    {"orders/*", "orders.create", false},
  };
  for (const auto& [wildcard, name, covered] : cases) {
    EXPECT_EQ(covers(wildcard, name), covered) << wildcard << ' ' << name;
    // The index finds them by what the action begins with.
    bool found = false;
    for_each_stem(name, [&, w = wildcard](std::string_view stem) {
      found = found || stem == stem_of(w);
    });
    EXPECT_EQ(found, covered) << wildcard << ' ' << name;
  }
}

} // namespace
} // namespace fanfare::protocol
