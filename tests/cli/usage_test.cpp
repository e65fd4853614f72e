// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/usage.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace fanfare::test {
namespace {

/// What is said about these words, behind "fanfare".
std::string said_of(std::vector<std::string> words) {
  CLI::App app{"", "fanfare"};
  app.require_subcommand(1);
  auto* const group = app.add_subcommand("webhooks", "");
  group->require_subcommand(1);
  std::string text;
  auto* const listing = group->add_subcommand("list", "");
  listing->add_option("--limit", text);
  auto* const creating = group->add_subcommand("create", "");
  creating->add_option("-a,--action", text)->required();
  group->add_subcommand("edit", "");
  app.add_subcommand("health", "")->add_option("webhook", text)->required();
  std::ranges::reverse(words);
  try {
    app.parse(words);
  } catch (const CLI::Error& e) {
    return cli::explain_usage(app, e);
  }
  return "it is understood";
}

std::string more_at(const std::string& command) {
  return "\nRun " + command + " --help for more information.\n";
}

TEST(UsageTest, NamesTheCommandThatMayHaveBeenMeant) {
  EXPECT_EQ(said_of({"webhook", "list"}),
            "\"fanfare\" has no command \"webhook\"; did you mean \"webhooks\"?"
              + more_at("fanfare"));
  EXPECT_EQ(said_of({"webhooks", "lst"}),
            "\"fanfare webhooks\" has no command \"lst\"; did you mean "
            "\"list\"?"
              + more_at("fanfare webhooks"));
}

TEST(UsageTest, ListsTheCommandsIfNoneIsNear) {
  EXPECT_EQ(said_of({"webhooks", "update", "3", "--url", "http://a.com/"}),
            "\"fanfare webhooks\" has no command \"update\"; its commands are "
            "list, create, edit"
              + more_at("fanfare webhooks"));
}

TEST(UsageTest, ListsTheCommandsIfThereIsNoWord) {
  EXPECT_EQ(said_of({}), "\"fanfare\" needs a subcommand: webhooks, health"
                           + more_at("fanfare"));
  EXPECT_EQ(said_of({"webhooks"}),
            "\"fanfare webhooks\" needs a subcommand: list, create, edit"
              + more_at("fanfare webhooks"));
}

TEST(UsageTest, NamesTheOptionThatMayHaveBeenMeant) {
  const auto list = more_at("fanfare webhooks list");
  EXPECT_EQ(said_of({"webhooks", "list", "--limt", "3"}),
            "\"fanfare webhooks list\" has no option --limt; did you mean "
            "--limit?"
              + list);
  EXPECT_EQ(said_of({"webhooks", "list", "--limt=3"}),
            "\"fanfare webhooks list\" has no option --limt; did you mean "
            "--limit?"
              + list);
  EXPECT_EQ(said_of({"webhooks", "list", "--colour"}),
            "\"fanfare webhooks list\" has no option --colour" + list);
  EXPECT_EQ(said_of({"webhooks", "list", "-x"}),
            "\"fanfare webhooks list\" has no option -x" + list);
  // More than that the one that it stands for is missing.
  EXPECT_EQ(said_of({"webhooks", "create", "--action-type", "a.b"}),
            "\"fanfare webhooks create\" has no option --action-type; did you "
            "mean --action?"
              + more_at("fanfare webhooks create"));
}

TEST(UsageTest, SaysWhereAnOptionBelongs) {
  EXPECT_EQ(said_of({"webhooks", "--limit", "3", "list"}),
            "write --limit behind \"fanfare webhooks list\""
              + more_at("fanfare webhooks list"));
}

TEST(UsageTest, NamesAWordTooMany) {
  EXPECT_EQ(said_of({"health", "3", "4"}),
            "\"fanfare health\" cannot take \"4\" as well"
              + more_at("fanfare health"));
}

TEST(UsageTest, SaysWhatElseIsWrong) {
  EXPECT_EQ(said_of({"webhooks", "create"}),
            "--action is required" + more_at("fanfare webhooks create"));
  EXPECT_EQ(said_of({"health", "3"}), "it is understood");
}

} // namespace
} // namespace fanfare::test
