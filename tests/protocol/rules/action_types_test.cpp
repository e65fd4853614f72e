// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/action_types.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

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

TEST_F(ActionTypesTest,
       PrefersTheLongestWildcardAndNeverAsksForTheFirstLabelAlone) {
  table.add({100, "a.*"});
  table.add({101, "a.b.*"});
  table.add({102, "a.b.c.*"});
  table.add({103, "a.b.c.d"});
  EXPECT_EQ(resolved("a.b.c.d"), "a.b.c.d");
  EXPECT_EQ(resolved("a.b.c.e"), "a.b.c.*");
  EXPECT_EQ(resolved("a.b.c.e.f"), "a.b.c.*");
  EXPECT_EQ(resolved("a.b.c"), "a.b.*");
  EXPECT_EQ(resolved("a.b"), "");
  EXPECT_EQ(resolved("a.x.y"), "");
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
       {"a.b", "shop.order.placed", "shop.order.*", "a-b.c_d", "0.1", "a.b.*"})
    EXPECT_TRUE(check_action_type_name(name)) << name;
  for (const std::string_view name :
       {"", "a", "a.*", "*", ".*", "a..b", ".a.b", "a.b.", "A.b", "a.b*",
        "a.*.b", "a.*.*", "a b.c", "a.\xc3\xa9", "a.b.**"}) {
    const auto checked = check_action_type_name(name);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().code, ec::invalid_argument);
    EXPECT_EQ(checked.error().field, "name");
  }
  EXPECT_TRUE(check_action_type_name("a." + std::string(253, 'b')));
  EXPECT_FALSE(check_action_type_name("a." + std::string(254, 'b')));
}

} // namespace
} // namespace fanfare::protocol
