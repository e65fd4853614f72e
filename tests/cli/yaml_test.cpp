// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// JSON values as YAML.

#include "cli/client/yaml.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace fanfare::cli {

namespace {

std::string yaml_of(const char* json) {
  return to_yaml(boost::json::parse(json));
}

TEST(YamlTest, WritesObjectsAndListsAsBlocks) {
  EXPECT_EQ(yaml_of(R"({"id":3,"types":["a.b","c"],"delivery":{"rate":null},)"
                    R"("none":[],"rows":[{"a":1,"b":[2]},{"c":{}}]})"),
            "id: 3\n"
            "types:\n"
            "  - a.b\n"
            "  - c\n"
            "delivery:\n"
            "  rate: null\n"
            "none: []\n"
            "rows:\n"
            "  - a: 1\n"
            "    b:\n"
            "      - 2\n"
            "  - c: {}\n");
}

TEST(YamlTest, QuotesWhatCouldBeTakenForSomethingElse) {
  for (const char* text : {"yes", "No", "null", "", "3", "1.5", "a: b", "#x",
                           "- a", "2026-12-01", "https://a.example/"})
    EXPECT_EQ(to_yaml(boost::json::string{text}),
              '"' + std::string{text} + "\"\n");
  EXPECT_EQ(to_yaml(boost::json::string{"failing"}), "failing\n");
}

TEST(YamlTest, EscapesWhatWouldMoveACursor) {
  EXPECT_EQ(to_yaml(boost::json::string{"\x1b[2J\n\xc3\xa9"}),
            "\"\\u001b[2J\\n\\u00e9\"\n");
}

TEST(YamlTest, AnEntryIsIndentedAsOne) {
  EXPECT_EQ(to_yaml_item(boost::json::parse(R"({"a":1,"b":2})")),
            "- a: 1\n  b: 2\n");
}

} // namespace

} // namespace fanfare::cli
