// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/json_slices.hpp"

#include "protocol/payload/json_text.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>

namespace fanfare::protocol {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(JsonSlicesTest, GivesMembersAsTheyAreWritten) {
  const auto found = members_of(
    " { \"a\" : 10.2713040655201910 ,\"b\":{\"c\":[1, 2],\"d\":\"}]\\\",\"}, "
    "\"\\u0061\":1e400,\"\":null , \"e\\\"\\\\\": [ ] }\n");
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[0].key, "a");
  EXPECT_EQ(found[0].value, "10.2713040655201910");
  EXPECT_EQ(found[1].key, "b");
  EXPECT_EQ(found[1].value, R"({"c":[1, 2],"d":"}]\","})");
  EXPECT_EQ(found[2].key, "a");
  EXPECT_EQ(found[2].value, "1e400");
  EXPECT_EQ(found[3].key, "");
  EXPECT_EQ(found[3].value, "null");
  EXPECT_EQ(found[4].key, "e\"\\");
  EXPECT_EQ(found[4].value, "[ ]");
}

TEST(JsonSlicesTest, GivesItemsAsTheyAreWritten) {
  EXPECT_THAT(
    items_of(" [ 12345678901234567890123 , \"a,]\\\\\", [1, [2]],{}]"),
    ElementsAre("12345678901234567890123", R"("a,]\\")", "[1, [2]]", "{}"));
  EXPECT_THAT(items_of("[]"), IsEmpty());
  EXPECT_THAT(items_of("[ ]"), IsEmpty());
}

TEST(JsonSlicesTest, FindsTheLastMemberOfAKey) {
  const std::string_view text = R"({"a":1,"b":{"a":2},"\u0061":3})";
  EXPECT_EQ(member_of(text, "a"), "3");
  EXPECT_EQ(member_of(text, "b"), R"({"a":2})");
  EXPECT_EQ(member_of(text, "c"), std::nullopt);
  EXPECT_EQ(member_of("{}", "a"), std::nullopt);
  EXPECT_EQ(member_of(R"(["a",1])", "a"), std::nullopt);
}

TEST(JsonSlicesTest, KeepsTheSpellingOfNumbersInAscii) {
  EXPECT_EQ(ascii_json("{ \"\xc3\xa4 \\u0041\" : [1.50, 1e400,\t-0 ],\n"
                       "\"a\\\\\" : null }"),
            R"({"\u00e4 A":[1.50,1e400,-0],"a\\":null})");
}

TEST(JsonSlicesTest, IndentsLikeTheRendererOfValues) {
  for (const std::string_view text :
       {"{}", "[]", R"("a")", R"({"a":{"b":[1,[],{"c":{}},"x:,{"]}})",
        R"([[1],[{"a":null}],2])"}) {
    EXPECT_EQ(ascii_json(text, {.spaces = 2}),
              to_json_text(boost::json::parse(text), 2));
    EXPECT_EQ(ascii_json(ascii_json(text, {.spaces = 3})), text);
  }
  EXPECT_EQ(ascii_json(R"({"a":[1.50]})", {.spaces = 2, .level = 1}),
            "{\n    \"a\": [\n      1.50\n    ]\n  }");
}

TEST(JsonSlicesTest, ReadsNothingBehindTextsThatAreNoJson) {
  for (const std::string_view text :
       {"",          " ",      "{",       "{\"",       "{\"a",
        "{\"a\\",    "{\"a\"", "{\"a\":", "{\"a\":\"", "{\"a\":\"\\",
        "{\"a\":1,", "{,}",    "{:}",     "{]",        "[",
        "[1",        "[1,",    "[\"",     "[,]",       "[}",
        "1",         "\"",     "\"a\"",   "nonsense"}) {
    // As long as the text, so that a checker of memory sees more reads.
    const std::vector<char> bytes(text.begin(), text.end());
    const std::string_view own{bytes.data(), bytes.size()};
    EXPECT_LE(members_of(own).size(), 1U) << text;
    EXPECT_LE(items_of(own).size(), 1U) << text;
    (void)member_of(own, "a");
    (void)ascii_json(own);
    (void)ascii_json(own, {.spaces = 1});
  }
}

} // namespace

} // namespace fanfare::protocol
