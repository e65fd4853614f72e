// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/payload_filter.hpp"

#include "model/records.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {
namespace {

namespace json = boost::json;

using filter_ptr = std::shared_ptr<const payload_filter>;

filter_ptr filter_of(std::string_view text) {
  const auto made = payload_filter::parse(text);
  if (made)
    return *made;
  ADD_FAILURE() << text << ": " << made.error().detail;
  return payload_filter::parse("{}").value();
}

/// The sentence for a filter that is refused, "" for one that is not.
std::string sentence_for(std::string_view text) {
  const auto made = payload_filter::parse(text);
  if (made)
    return {};
  EXPECT_EQ(made.error().code, ec::invalid_argument);
  EXPECT_EQ(made.error().field, "filter");
  return made.error().detail;
}

struct case_of_matching {
  std::string_view filter;
  std::string_view body;
  bool expected;
};

template <std::size_t Count>
void check(const case_of_matching (&cases)[Count]) {
  std::uint64_t id = 0;
  for (const auto& c : cases) {
    const auto filter = filter_of(c.filter);
    EXPECT_EQ(filter->matches(++id, c.body), c.expected)
      << c.filter << " on " << c.body;
    EXPECT_EQ(filter->matches(json::parse(c.body)), c.expected)
      << c.filter << " on " << c.body;
    // The text means the same.
    EXPECT_EQ(filter_of(filter->text())->matches(id, c.body), c.expected)
      << filter->text() << " on " << c.body;
  }
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

// -- operators ----------------------------------------------------------------

TEST(PayloadFilter, HoldsIfAllItsConditionsDo) {
  constexpr std::string_view example =
    R"({"type": "entry", "checkin_list": {"$in": [1, 2]},
        "$or": [{"gate": {"$exists": false}}, {"gate": {"$startsWith": "A"}}]})";
  check({
    {"{}", R"({"a": 1})", true},
    {"{}", "{}", true},
    {example, R"({"type": "entry", "checkin_list": 2})", true},
    {example, R"({"type": "entry", "checkin_list": 2, "gate": "A1"})", true},
    {example, R"({"type": "entry", "checkin_list": 2, "gate": "B"})", false},
    {example, R"({"type": "exit", "checkin_list": 2})", false},
    {example, R"({"type": "entry", "checkin_list": 3})", false},
    {R"({"a": 1, "b": 2})", R"({"a": 1, "b": 2, "c": 3})", true},
    {R"({"a": 1, "b": 2})", R"({"a": 1})", false},
  });
}

TEST(PayloadFilter, ComparesForEquality) {
  check({
    {R"({"a": "x"})", R"({"a": "x"})", true},
    {R"({"a": "x"})", R"({"a": "X"})", false},
    {R"({"a": "x"})", R"({"b": "x"})", false},
    {R"({"a": "1"})", R"({"a": 1})", false},
    {R"({"a": 1})", R"({"a": true})", false},
    {R"({"a": 0})", R"({"a": false})", false},
    {R"({"a": 0})", R"({"a": null})", false},
    {R"({"a": true})", R"({"a": true})", true},
    {R"({"a": true})", R"({"a": false})", false},
    {R"({"a": null})", R"({"a": null})", true},
    {R"({"a": null})", "{}", true},
    {R"({"a": null})", R"({"a": 0})", false},
    {R"({"a": {"$eq": 1}})", R"({"a": 1.0})", true},
    {R"({"a": {"$eq": null}})", "{}", true},
    {R"({"a": {"$ne": 1}})", R"({"a": 2})", true},
    {R"({"a": {"$ne": 1}})", R"({"a": 1})", false},
    {R"({"a": {"$ne": 1}})", "{}", true},
    {R"({"a": {"$ne": null}})", "{}", false},
    {R"({"a": {"$ne": null}})", R"({"a": null})", false},
    {R"({"a": {"$ne": null}})", R"({"a": 0})", true},
    // Lists and objects, as a whole.
    {R"({"a": [1, "x"]})", R"({"a": [1.0, "x"]})", true},
    {R"({"a": [1, "x"]})", R"({"a": ["x", 1]})", false},
    {R"({"a": [1]})", R"({"a": [1, 2]})", false},
    {R"({"a": [1, 2]})", R"({"a": [1]})", false},
    {R"({"a": []})", R"({"a": []})", true},
    {R"({"a": []})", R"({"a": {}})", false},
    {R"({"a": "vip"})", R"({"a": ["vip"]})", false},
    {R"({"a": {"$eq": {"b": 1, "c": [2]}}})", R"({"a": {"c": [2], "b": 1}})",
     true},
    {R"({"a": {"$eq": {"b": 1}}})", R"({"a": {"b": 1, "c": 2}})", false},
    {R"({"a": {"$eq": {"b": 1}}})", R"({"a": {"c": 1}})", false},
    {R"({"a": {"$eq": {"b": 1}}})", R"({"a": {"b": 2}})", false},
    {R"({"a": {"$eq": {"$b": 1}}})", R"({"a": {"$b": 1}})", true},
    {R"({"a": {"$eq": {}}})", R"({"a": {}})", true},
    {R"({"a": {"$eq": {}}})", R"({"a": {"b": 1}})", false},
    {R"({"a": {"$eq": {}}})", "{}", false},
    // Unicode, however it is written.
    {R"({"ä": "\u00e4\ud83d\ude00"})", R"({"\u00e4": "ä😀"})", true},
    {R"({"a": "\u00e4"})", R"({"a": "a\u0308"})", false},
    {R"({"a": "x\u0000y"})", R"({"a": "x\u0000y"})", true},
    {R"({"a": "x\u0000y"})", R"({"a": "x\u0000z"})", false},
  });
}

TEST(PayloadFilter, ComparesNumbersByTheirExactValue) {
  check({
    {R"({"a": 1.5})", R"({"a": 1.50})", true},
    {R"({"a": 0})", R"({"a": -0.0})", true},
    {R"({"a": 100})", R"({"a": 1e2})", true},
    // Neighbours that are the same double.
    {R"({"a": 9007199254740993})", R"({"a": 9007199254740993})", true},
    {R"({"a": 9007199254740993})", R"({"a": 9007199254740992})", false},
    {R"({"a": 9007199254740993})", R"({"a": 9007199254740992.0})", false},
    {R"({"a": 9007199254740992})", R"({"a": 9007199254740992.0})", true},
    {R"({"a": {"$gt": 9007199254740992.0}})", R"({"a": 9007199254740993})",
     true},
    // Both ends of 64 bits.
    {R"({"a": 18446744073709551615})", R"({"a": 18446744073709551615})", true},
    {R"({"a": 18446744073709551615})", R"({"a": -1})", false},
    {R"({"a": 18446744073709551615})", R"({"a": 18446744073709551616})", false},
    {R"({"a": {"$lt": 18446744073709551616}})",
     R"({"a": 18446744073709551615})", true},
    {R"({"a": 9223372036854775808})", R"({"a": 9223372036854775808.0})", true},
    {R"({"a": -9223372036854775808})", R"({"a": -9223372036854775808.0})",
     true},
    {R"({"a": {"$gt": -9223372036854775808}})",
     R"({"a": -9223372036854775809})", false},
    {R"({"a": {"$gt": -9223372036854775808}})",
     R"({"a": -9223372036854775807})", true},
    {R"({"a": {"$gt": -1}})", R"({"a": 18446744073709551615})", true},
    // Fractions between integers, on both sides of zero.
    {R"({"a": {"$gt": 1}})", R"({"a": 1.5})", true},
    {R"({"a": {"$lt": 2}})", R"({"a": 1.5})", true},
    {R"({"a": {"$lt": -1}})", R"({"a": -1.5})", true},
    {R"({"a": {"$gt": -2}})", R"({"a": -1.5})", true},
    {R"({"a": {"$lt": 0}})", R"({"a": -0.5})", true},
    {R"({"a": {"$gt": 0}})", R"({"a": 0.5})", true},
    {R"({"a": {"$gt": 0.5}})", R"({"a": 0})", false},
    {R"({"a": {"$gt": -1.5}})", R"({"a": -1.75})", false},
    {R"({"a": {"$gt": 1e300}})", R"({"a": 18446744073709551615})", false},
    {R"({"a": {"$gt": -1e300}})", R"({"a": -9223372036854775808})", true},
    // What no double can hold.
    {R"({"a": {"$gt": 1e300}})", R"({"a": 1e400})", true},
    {R"({"a": {"$lt": -1e300}})", R"({"a": -1e400})", true},
    {R"({"a": 0})", R"({"a": 1e-400})", true},
  });
}

TEST(PayloadFilter, ReadsEveryDigitOfANumber) {
  std::mt19937_64 random{4};
  for (int i = 0; i < 2'000; ++i) {
    std::string text = random() % 2 == 0 ? "-" : "";
    text += std::to_string(random() % 1'000) + "." + std::to_string(random())
          + std::to_string(random());
    if (i % 2 == 0)
      text += "e" + std::to_string(static_cast<int>(random() % 500) - 250);
    // The exact double, from its shortest spelling.
    json::object exact;
    exact["a"] = std::strtod(text.c_str(), nullptr);
    const auto filter = payload_filter::compile(exact);
    ASSERT_TRUE(filter);
    EXPECT_TRUE((*filter)->matches(1, R"({"a": )" + text + "}")) << text;
    EXPECT_TRUE((*filter)->matches(exact)) << text;
    EXPECT_EQ(filter_of(R"({"a": )" + text + "}")->text(), (*filter)->text());
  }
}

TEST(PayloadFilter, LooksValuesUpInLists) {
  check({
    {R"({"a": {"$in": [3, 1, 2]}})", R"({"a": 1})", true},
    {R"({"a": {"$in": [3, 1, 2]}})", R"({"a": 3.0})", true},
    {R"({"a": {"$in": [3, 1, 2]}})", R"({"a": 4})", false},
    {R"({"a": {"$in": [3, 1, 2]}})", R"({"a": "1"})", false},
    {R"({"a": {"$in": [3, 1, 2]}})", "{}", false},
    {R"({"a": {"$in": [3, 1, 2]}})", R"({"a": [1]})", false},
    {R"({"a": {"$in": [1, null]}})", "{}", true},
    {R"({"a": {"$in": [1, null]}})", R"({"a": null})", true},
    {R"({"a": {"$in": []}})", R"({"a": 1})", false},
    {R"({"a": {"$in": []}})", "{}", false},
    {R"({"a": {"$in": [[1], {"b": 2}, "x", "x", true]}})", R"({"a": [1]})",
     true},
    {R"({"a": {"$in": [[1], {"b": 2}, "x", "x", true]}})", R"({"a": {"b": 2}})",
     true},
    {R"({"a": {"$in": [[1], {"b": 2}, "x", "x", true]}})", R"({"a": "x"})",
     true},
    {R"({"a": {"$in": [[1], {"b": 2}, "x", "x", true]}})", R"({"a": true})",
     true},
    {R"({"a": {"$in": [[1], {"b": 2}, "x", "x", true]}})", R"({"a": false})",
     false},
    {R"({"a": {"$in": [[1], {"b": 2}, "x", "x", true]}})", R"({"a": [2]})",
     false},
    {R"({"a": {"$nin": [1, 2]}})", R"({"a": 3})", true},
    {R"({"a": {"$nin": [1, 2]}})", R"({"a": 2})", false},
    {R"({"a": {"$nin": [1, 2]}})", "{}", true},
    {R"({"a": {"$nin": [null]}})", "{}", false},
    {R"({"a": {"$nin": []}})", R"({"a": 1})", true},
  });
}

TEST(PayloadFilter, ComparesForOrder) {
  check({
    {R"({"a": {"$gt": 1}})", R"({"a": 2})", true},
    {R"({"a": {"$gt": 1}})", R"({"a": 1})", false},
    {R"({"a": {"$gte": 1}})", R"({"a": 1})", true},
    {R"({"a": {"$gte": 1}})", R"({"a": 0.9})", false},
    {R"({"a": {"$lt": 1}})", R"({"a": 0})", true},
    {R"({"a": {"$lt": 1}})", R"({"a": 1.0})", false},
    {R"({"a": {"$lte": 1}})", R"({"a": 1.0})", true},
    {R"({"a": {"$lte": 1}})", R"({"a": 1.1})", false},
    {R"({"a": {"$gte": 1, "$lt": 5}})", R"({"a": 3})", true},
    {R"({"a": {"$gte": 1, "$lt": 5}})", R"({"a": 5})", false},
    {R"({"a": {"$gt": "b"}})", R"({"a": "ba"})", true},
    {R"({"a": {"$gt": "b"}})", R"({"a": "b"})", false},
    {R"({"a": {"$gte": "2026-01-01"}})", R"({"a": "2026-11-25T00:00:00Z"})",
     true},
    // By code point: above the surrogates of UTF-16, and above ASCII.
    {R"({"a": {"$gt": "\uffff"}})", R"({"a": "\ud83d\ude00"})", true},
    {R"({"a": {"$gt": "z"}})", R"({"a": "ä"})", true},
    // Other kinds, either way.
    {R"({"a": {"$gt": 1}})", R"({"a": "2"})", false},
    {R"({"a": {"$lte": 1}})", R"({"a": "2"})", false},
    {R"({"a": {"$lte": "x"}})", R"({"a": 1})", false},
    {R"({"a": {"$lte": 1}})", R"({"a": null})", false},
    {R"({"a": {"$lte": 1}})", R"({"a": false})", false},
    {R"({"a": {"$gte": 0}})", R"({"a": [1]})", false},
    {R"({"a": {"$lt": 1}})", "{}", false},
    {R"({"a": {"$gte": 1}})", "{}", false},
  });
}

TEST(PayloadFilter, AsksWhetherAKeyExists) {
  check({
    {R"({"a": {"$exists": true}})", R"({"a": 1})", true},
    {R"({"a": {"$exists": true}})", R"({"a": null})", true},
    {R"({"a": {"$exists": true}})", "{}", false},
    {R"({"a": {"$exists": false}})", "{}", true},
    {R"({"a": {"$exists": false}})", R"({"a": null})", false},
    {R"({"a.b": {"$exists": false}})", R"({"a": 1})", true},
    {R"({"a.b": {"$exists": true}})", R"({"a": {"b": 1}})", true},
  });
}

TEST(PayloadFilter, LooksIntoTexts) {
  check({
    {R"({"a": {"$startsWith": "ab"}})", R"({"a": "abc"})", true},
    {R"({"a": {"$startsWith": "ab"}})", R"({"a": "cab"})", false},
    {R"({"a": {"$startsWith": "ab"}})", R"({"a": "a"})", false},
    {R"({"a": {"$startsWith": ""}})", R"({"a": ""})", true},
    {R"({"a": {"$startsWith": ""}})", "{}", false},
    {R"({"a": {"$startsWith": "1"}})", R"({"a": 1})", false},
    {R"({"a": {"$startsWith": "a"}})", R"({"a": ["a"]})", false},
    {R"({"a": {"$endsWith": "bc"}})", R"({"a": "abc"})", true},
    {R"({"a": {"$endsWith": "bc"}})", R"({"a": "bcd"})", false},
    {R"({"a": {"$endsWith": ""}})", R"({"a": "x"})", true},
    {R"({"a": {"$endsWith": ""}})", R"({"a": null})", false},
    {R"({"a": {"$contains": "bc"}})", R"({"a": "abcd"})", true},
    {R"({"a": {"$contains": "bc"}})", R"({"a": "bc"})", true},
    {R"({"a": {"$contains": "bc"}})", R"({"a": "b"})", false},
    {R"({"a": {"$contains": "bc"}})", R"({"a": "bdbdc"})", false},
    {R"({"a": {"$contains": "aab"}})", R"({"a": "aaab"})", true},
    {R"({"a": {"$contains": "abac"}})", R"({"a": "ababac"})", true},
    {R"({"a": {"$contains": ""}})", R"({"a": ""})", true},
    {R"({"a": {"$contains": ""}})", R"({"a": 1})", false},
    {R"({"a": {"$contains": "😀"}})", R"({"a": "x\ud83d\ude00"})", true},
    {R"({"a": {"$contains": 1}})", R"({"a": "1"})", false},
  });
}

TEST(PayloadFilter, LooksForValuesInLists) {
  check({
    {R"({"a": {"$contains": "vip"}})", R"({"a": ["x", "vip"]})", true},
    {R"({"a": {"$contains": "vip"}})", R"({"a": ["vips"]})", false},
    {R"({"a": {"$contains": "vip"}})", R"({"a": {"vip": "vip"}})", false},
    {R"({"a": {"$contains": 1}})", R"({"a": [2, 1.0]})", true},
    {R"({"a": {"$contains": null}})", R"({"a": [null]})", true},
    {R"({"a": {"$contains": null}})", R"({"a": []})", false},
    {R"({"a": {"$contains": null}})", "{}", false},
    {R"({"a": {"$contains": [1]}})", R"({"a": [[1]]})", true},
    {R"({"a": {"$contains": [1]}})", R"({"a": [1]})", false},
    {R"({"a": {"$contains": {"b": 1}}})", R"({"a": [{"b": 1}]})", true},
    {R"({"a": {"$contains": {"b": 1}}})", R"({"a": [{"b": 1, "c": 1}]})",
     false},
    {R"({"a": {"$contains": ""}})", R"({"a": ["x"]})", false},
  });
}

TEST(PayloadFilter, CombinesConditions) {
  check({
    {R"({"$and": [{"a": 1}, {"b": 2}]})", R"({"a": 1, "b": 2})", true},
    {R"({"$and": [{"a": 1}, {"b": 2}]})", R"({"a": 1})", false},
    {R"({"$and": [{}]})", "{}", true},
    {R"({"$or": [{"a": 1}, {"b": 2}]})", R"({"b": 2})", true},
    {R"({"$or": [{"a": 1}, {"b": 2}]})", R"({"a": 2, "b": 1})", false},
    {R"({"$or": [{"a": 1, "b": 2}, {"c": 3}]})", R"({"a": 1})", false},
    {R"({"$or": [{}, {"c": 3}]})", "{}", true},
    {R"({"$or": [{"$not": {"a": 1}}]})", R"({"a": 1})", false},
    {R"({"$not": {"a": 1, "b": 2}})", R"({"a": 1})", true},
    {R"({"$not": {"a": 1, "b": 2}})", R"({"a": 1, "b": 2})", false},
    {R"({"$not": {}})", "{}", false},
    {R"({"$not": {"$not": {"a": 1}}})", R"({"a": 1})", true},
    {R"({"c": 3, "$or": [{"a": 1}, {"$and": [{"b": 2}, {"d": 4}]}]})",
     R"({"b": 2, "c": 3, "d": 4})", true},
    // Of values.
    {R"({"a": {"$not": {"$gt": 1}}})", R"({"a": 1})", true},
    {R"({"a": {"$not": {"$gt": 1}}})", R"({"a": 2})", false},
    {R"({"a": {"$not": {"$gt": 1}}})", R"({"a": "x"})", true},
    {R"({"a": {"$not": {"$gt": 1}}})", "{}", true},
    {R"({"a": {"$not": {"$gt": 1, "$lt": 5}}})", R"({"a": 7})", true},
    {R"({"a": {"$not": {"$gt": 1, "$lt": 5}}})", R"({"a": 3})", false},
    {R"({"a": {"$not": {"b": 1}}})", R"({"a": {"b": 2}})", true},
    {R"({"a": {"$not": {"b": 1}}})", R"({"a": {"b": 1}})", false},
    {R"({"a": {"$not": "x"}})", R"({"a": "x"})", false},
    {R"({"a": {"$not": "x"}})", R"({"a": "y"})", true},
    {R"({"a": {"$not": [1]}})", R"({"a": [1]})", false},
    {R"({"a": {"$not": null}})", "{}", false},
    {R"({"a": {"$not": {"$not": {"$in": [1]}}}})", R"({"a": 1})", true},
    {R"({"a": {"$not": {}}})", R"({"a": 1})", false},
  });
}

TEST(PayloadFilter, FollowsNestedKeys) {
  check({
    {R"({"a": {"b": 1}})", R"({"a": {"b": 1, "c": 2}})", true},
    {R"({"a": {"b": 1}})", R"({"a": {"b": 2}})", false},
    {R"({"a": {"b": 1}})", R"({"a": 1})", false},
    {R"({"a": {"b": 1}})", R"({"a": [{"b": 1}]})", false},
    {R"({"a": {"b": null}})", "{}", true},
    {R"({"a": {"b": null}})", R"({"a": "x"})", true},
    {R"({"a": {"b": {"$ne": 1}}})", "{}", true},
    {R"({"a": {}})", "{}", true},
    {R"({"a": {}})", R"({"a": 1})", true},
    {R"({"a.b": 1})", R"({"a": {"b": 1}})", true},
    {R"({"a.b": 1})", R"({"a": {"b": 2}})", false},
    {R"({"a.b": 1})", R"({"a.b": 1})", true},
    {R"({"a.b": 1})", R"({"a.b": 2, "a": {"b": 1}})", false},
    {R"({"a.b": 1})", R"({"a.b": null, "a": {"b": 1}})", false},
    {R"({"a.b": {"$gt": 1}})", R"({"a": {"b": 2}})", true},
    {R"({"a.b": {"c": 1}})", R"({"a": {"b": {"c": 1}}})", true},
    {R"({"a.b.c": 1})", R"({"a": {"b": {"c": 1}}})", true},
    {R"({"a.b.c": 1})", R"({"a": {"b.c": 1}})", true},
    {R"({"a.b.c": 1})", R"({"a.b": {"c": 1}})", false},
    {R"({"a.b": {"c": 1}})", R"({"a.b": {"c": 1}})", true},
    {R"({"a.0": 1})", R"({"a": [1]})", false},
    {R"({"a.": 1})", R"({"a": {"": 1}})", true},
    {R"({".": 1})", R"({"": {"": 1}})", true},
    {R"({"": 1})", R"({"": 1})", true},
    {R"({"a.$b": 1})", R"({"a": {"$b": 1}})", true},
    // The last of a key's values counts, as for most readers.
    {R"({"a": 2})", R"({"a": 1, "a": 2})", true},
    // What is no object has no keys.
    {R"({"a": 1})", "[1]", false},
    {R"({"a": null})", "5", true},
  });
}

// -- what is refused ----------------------------------------------------------

TEST(PayloadFilter, SaysWhatIsWrongAndWhere) {
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"", "The filter is not JSON: incomplete JSON at byte 0."},
    {"{\"a\": 1}x", "The filter is not JSON: extra data at byte 8."},
    {"{'a': 1}", "The filter is not JSON: syntax error at byte 1."},
    {"{\"a\": NaN}", "The filter is not JSON: syntax error at byte 6."},
    {"{\"a\": \"\xff\"}", "The filter is not JSON: syntax error at byte 7."},
    {"[]", "The filter must be an object of conditions."},
    {"null", "The filter must be an object of conditions."},
    {R"({"a": 1, "b": 2, "a": 3})", R"(The filter has the key "a" twice.)"},
    {R"({"a": 1, "\u0061": 3})", R"(The filter has the key "a" twice.)"},
    {R"({"x": {"y": {"$gt": 1, "$gt": 3}}})",
     R"(x.y has the key "$gt" twice.)"},
    {R"({"checkin_list": {"$in": 1}})", "checkin_list.$in must be a list."},
    {R"({"checkin_list": {"$nin": {}}})", "checkin_list.$nin must be a list."},
    {R"({"checkin_list": {"$foo": 1}})",
     "Unknown operator \"$foo\" at checkin_list; use one of $eq, $ne, $in, "
     "$nin, $gt, $gte, $lt, $lte, $exists, $startsWith, $endsWith, $contains, "
     "$not."},
    {R"({"$foo": 1})",
     R"(Unknown operator "$foo" at the top; use one of $and, $or, $not.)"},
    {R"({"$or": [{"a": 1}, {"$nor": 1}]})",
     R"(Unknown operator "$nor" at $or[1]; use one of $and, $or, $not.)"},
    {R"({"$eq": 1})", "Operator \"$eq\" at the top is about a value; put it "
                      "into the object of a key."},
    {R"({"a": {"$or": [{"$gt": 1}]}})",
     "Operator \"$or\" at a is about conditions; put it around the key."},
    {R"({"$or": []})", "$or must be a list with at least one object."},
    {R"({"$or": {"a": 1}})", "$or must be a list with at least one object."},
    {R"({"$and": []})", "$and must be a list with at least one object."},
    {R"({"$and": [1]})", "$and[0] must be an object of conditions."},
    {R"({"$or": [{}, []]})", "$or[1] must be an object of conditions."},
    {R"({"$not": 1})", "$not must be an object of conditions."},
    {R"({"a": {"$gt": 1, "b": 2}})",
     "a must hold either operators or plain keys, not both."},
    {R"({"a": {"$not": {"$gt": 1, "b": 2}}})",
     "a.$not must hold either operators or plain keys, not both."},
    {R"({"a": {"$startsWith": 1}})", "a.$startsWith must be a text."},
    {R"({"a": {"$endsWith": null}})", "a.$endsWith must be a text."},
    {R"({"a": {"$gt": null}})", "a.$gt must be a number or a text."},
    {R"({"a": {"$gte": true}})", "a.$gte must be a number or a text."},
    {R"({"a": {"$lt": []}})", "a.$lt must be a number or a text."},
    {R"({"a": {"$lte": {}}})", "a.$lte must be a number or a text."},
    {R"({"a": {"$exists": 1}})", "a.$exists must be true or false."},
    {R"({"a": {"b.c": {"$exists": "yes"}}})",
     "a.b.c.$exists must be true or false."},
    {R"({"a": 1e400})", "a is a number that is too large."},
    {R"({"a": {"$eq": {"b": [0, -1e400]}}})",
     "a.$eq.b[1] is a number that is too large."},
    {R"({"a\nb": {"$in": 1}})", "a?b.$in must be a list."},
  };
  for (const auto& [text, sentence] : cases)
    EXPECT_EQ(sentence_for(text), sentence) << text;
  // A long key is cut, and not within a character.
  EXPECT_EQ(sentence_for(R"({"x)" + repeat("ä", 100) + R"(": {"$in": 1}})"),
            "x" + repeat("ä", 31) + "….$in must be a list.");
}

TEST(PayloadFilter, CompilesValuesLikeTexts) {
  const auto made = payload_filter::compile(
    json::parse(R"({ "b" : {"$gt": 1.0}, "a": "\u00e4" })"));
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->text(), R"({"b":{"$gt":1E0},"a":"ä"})");
  EXPECT_EQ(filter_of((*made)->text())->text(), (*made)->text());
  EXPECT_TRUE((*made)->matches(1, R"({"b": 2, "a": "ä"})"));

  const auto refused = payload_filter::compile(json::parse(R"({"$or": 1})"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            (error{ec::invalid_argument,
                   "$or must be a list with at least one object.", "filter"}));
  // What only a program can make.
  json::object odd;
  odd["a"] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(payload_filter::compile(odd));
  EXPECT_FALSE(filter_of(R"({"a": {"$gte": 0}})")->matches(odd));
  EXPECT_FALSE(filter_of(R"({"a": {"$in": [0, null]}})")->matches(odd));
  EXPECT_TRUE(filter_of(R"({"a": {"$ne": 0}})")->matches(odd));
  odd["a"] = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(payload_filter::compile(odd));
  odd["a"] = "\xff";
  EXPECT_FALSE(payload_filter::compile(odd));
}

// -- limits -------------------------------------------------------------------

TEST(PayloadFilter, LimitsItsText) {
  const std::string
    sentence = "The filter is longer than 16384 bytes as JSON text.";
  const auto of_size = [](std::size_t size) {
    return R"({"a":")" + std::string(size - 8, 'x') + R"("})";
  };
  EXPECT_EQ(of_size(100).size(), 100U);
  EXPECT_EQ(sentence_for(of_size(payload_filter::text_limit)), "");
  EXPECT_EQ(sentence_for(of_size(payload_filter::text_limit + 1)), sentence);
  EXPECT_TRUE(
    payload_filter::compile(json::parse(of_size(payload_filter::text_limit))));
  const auto refused = payload_filter::compile(
    json::parse(of_size(payload_filter::text_limit + 1)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, sentence);
  // Its text is longer than what was given, and must fit as well.
  const auto halves = R"({"b":{"$in":[0.5)" + repeat(",0.5", 400)
                    + R"(]},"a":")";
  const auto fill = payload_filter::text_limit - halves.size() - 2;
  EXPECT_EQ(sentence_for(halves + std::string(fill, 'x') + R"("})"), sentence);
  EXPECT_EQ(sentence_for(halves + std::string(fill - 401, 'x') + R"("})"), "");
}

TEST(PayloadFilter, LimitsItsSize) {
  const std::string
    sentence = "The filter has more than 512 keys, operators and list members.";
  const auto in = [](std::size_t members) {
    return R"({"a": {"$in": [0)" + repeat(",0", members - 1) + "]}}";
  };
  EXPECT_EQ(sentence_for(in(510)), "");
  EXPECT_EQ(sentence_for(in(511)), sentence);
  const auto any = [](std::size_t members) {
    return R"({"$or": [{"a": 1})" + repeat(R"(,{"a": 1})", members - 1) + "]}";
  };
  EXPECT_EQ(sentence_for(any(255)), ""); // 1 + 2 * 255
  EXPECT_EQ(sentence_for(any(256)), sentence);
  std::string keys = "{";
  for (int i = 0; i < 1'000; ++i)
    keys += "\"" + std::to_string(i) + "\": 1, ";
  EXPECT_EQ(sentence_for(keys + R"("x": 1})"), sentence);
}

TEST(PayloadFilter, LimitsItsDepth) {
  const auto nest = [](std::string_view open, std::string_view inner,
                       std::string_view close, std::size_t levels) {
    return repeat(open, levels) + std::string{inner} + repeat(close, levels);
  };
  const std::string
    sentence = "The filter has objects nested deeper than 16 levels";
  const auto refused = [&](const std::string& text) {
    const auto found = sentence_for(text);
    return found.starts_with(sentence) && found.ends_with(".");
  };

  EXPECT_EQ(sentence_for(nest(R"({"a":)", "1", "}", 16)), "");
  EXPECT_EQ(sentence_for(nest(R"({"a":)", "1", "}", 17)),
            sentence + " at " + repeat("a.", 15) + "a.");
  EXPECT_EQ(sentence_for(nest(R"({"$or":[)", "{}", "]}", 15)), "");
  EXPECT_TRUE(refused(nest(R"({"$or":[)", "{}", "]}", 16)));
  EXPECT_EQ(sentence_for(nest(R"({"$and":[)", "{}", "]}", 15)), "");
  EXPECT_TRUE(refused(nest(R"({"$and":[)", "{}", "]}", 16)));
  EXPECT_EQ(sentence_for(nest(R"({"$not":)", "{}", "}", 15)), "");
  EXPECT_TRUE(refused(nest(R"({"$not":)", "{}", "}", 16)));
  EXPECT_EQ(sentence_for(R"({"a":)" + nest(R"({"$not":)", "1", "}", 15) + "}"),
            "");
  EXPECT_TRUE(refused(R"({"a":)" + nest(R"({"$not":)", "1", "}", 16) + "}"));
  // Dots, and lists in values.
  EXPECT_EQ(sentence_for(R"({"a)" + repeat(".a", 15) + R"(":1})"), "");
  EXPECT_TRUE(refused(R"({"a)" + repeat(".a", 16) + R"(":1})"));
  EXPECT_EQ(sentence_for(R"({"a)" + repeat(".a", 14) + R"(":{"b":1}})"), "");
  EXPECT_TRUE(refused(R"({"a)" + repeat(".a", 15) + R"(":{"b":1}})"));
  EXPECT_EQ(sentence_for(R"({"a":)" + nest("[", "", "]", 15) + "}"), "");
  EXPECT_TRUE(refused(R"({"a":)" + nest("[", "", "]", 16) + "}"));
  EXPECT_EQ(sentence_for(R"({"a":{"$in":[)" + nest("[", "", "]", 14) + "]}}"),
            "");
  EXPECT_TRUE(refused(R"({"a":{"$in":[)" + nest("[", "", "]", 15) + "]}}"));
  EXPECT_EQ(
    sentence_for(R"({"a":{"$eq":)" + nest(R"({"b":)", "1", "}", 14) + "}}"),
    "");
  EXPECT_TRUE(
    refused(R"({"a":{"$eq":)" + nest(R"({"b":)", "1", "}", 15) + "}}"));
  // So deep that the parser stops.
  EXPECT_EQ(sentence_for(nest(R"({"a":)", "1", "}", 2'000)), sentence + ".");
  EXPECT_EQ(sentence_for(std::string(10'000, '[')), sentence + ".");

  // The deepest filter works.
  EXPECT_TRUE(filter_of(nest(R"({"a":)", "1", "}", 16))
                ->matches(1, nest(R"({"a":)", "1", "}", 16)));
  EXPECT_TRUE(filter_of(nest(R"({"$or":[{"b":1},)", R"({"a":1})", "]}", 15))
                ->matches(1, R"({"a":1})"));
}

// -- bodies -------------------------------------------------------------------

TEST(PayloadFilter, TakesNoBodyAmiss) {
  const auto always = filter_of("{}");
  const auto negative = filter_of(R"({"a": {"$ne": 1}})");
  const std::string no_json[] = {
    "",
    " ",
    "nonsense",
    "{",
    R"({"a": 2)",
    R"({"a": 2}})",
    R"({"a": 2} x)",
    R"({"a": 2,})",
    R"({a: 2})",
    "{\"a\": \"\xff\"}",
    "{\"a\": \"\n\"}",
    R"({"a": "\ud800"})",
    R"({"a": 01})",
    R"({"a": 1e99999999999999})",
    std::string(1'000'000, '['),
    std::string(2'000'000, '['),
    repeat(R"({"a":)", 100'000),
    std::string(33, '[') + std::string(33, ']'),
    std::string("\0\0\0", 3),
    "\xef\xbb\xbf{}",
  };
  std::uint64_t id = 0;
  for (const auto& body : no_json) {
    EXPECT_FALSE(always->matches(++id, body)) << body.substr(0, 40);
    EXPECT_FALSE(negative->matches(id, body)) << body.substr(0, 40);
  }
  const std::string odd_json[] = {
    "null",
    "[]",
    " {} \n",
    R"({"a": )" + std::string(1'000, '9') + "}",
    R"({"a": -)" + std::string(1'000, '9') + ".5e-7}",
    R"({"a": 0.)" + std::string(1'000, '0') + "1}",
    R"({"a": 1e400})",
    std::string(32, '[') + std::string(32, ']'),
    "[" + repeat("[],", 500'000) + "0]",
  };
  for (const auto& body : odd_json) {
    EXPECT_TRUE(always->matches(++id, body)) << body.substr(0, 40);
    EXPECT_TRUE(negative->matches(id, body)) << body.substr(0, 40);
  }
  // A value may be deeper than any text.
  json::value deep = 1;
  for (int i = 0; i < 1'000; ++i) {
    json::object outer;
    outer["a"] = std::move(deep);
    deep = std::move(outer);
  }
  EXPECT_TRUE(negative->matches(deep));
  EXPECT_FALSE(filter_of(R"({"a": {"$eq": {"a": 1}}})")->matches(deep));
}

// Without a bound each of these would take minutes.
TEST(PayloadFilter, IsQuickAboutHostileTexts) {
  const auto wanted = std::string(8'000, 'a') + "b";
  const auto contains = filter_of(R"({"a": {"$contains": ")" + wanted + "\"}}");
  std::string body = R"({"a": ")" + std::string(4'000'000, 'a') + "\"}";
  EXPECT_FALSE(contains->matches(1, body));
  body.insert(body.size() - 2, "b");
  EXPECT_TRUE(contains->matches(1, body));

  // Long keys against many small objects.
  std::string object = "{";
  for (char c = 'a'; c <= 't'; ++c)
    object += "\"" + std::string(700, c) + "\": 1, ";
  object += R"("x": 1})";
  const auto among = filter_of(R"({"a": {"$contains": )" + object + "}}");
  std::string small = "{";
  for (char c = 'a'; c <= 't'; ++c)
    small += "\"" + std::string(1, c) + "\":1,";
  small += R"("y":1},)";
  EXPECT_FALSE(among->matches(1, R"({"a": [)" + repeat(small, 10'000) + "0]}"));
  EXPECT_TRUE(
    among->matches(1, R"({"a": [)" + repeat(small, 10) + object + "]}"));
}

TEST(PayloadFilter, NeverTakesOneBodyForAnother) {
  const auto one = filter_of(R"({"a": 1})");
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{7}}) {
    std::string body = R"({"a": 1})";
    EXPECT_TRUE(one->matches(id, body));
    EXPECT_TRUE(one->matches(id, body));
    body[6] = '2'; // in the same place, of the same size
    EXPECT_FALSE(one->matches(id, body));
    EXPECT_FALSE(one->matches(id + 1, body));
    body[6] = '1';
    EXPECT_TRUE(one->matches(id + 1, body));
    EXPECT_FALSE(one->matches(id + 1, "{}"));
    EXPECT_FALSE(one->matches(id, "no JSON"));
    EXPECT_FALSE(one->matches(id, "no JSON"));
    EXPECT_TRUE(one->matches(id, R"( {"a": 1})"));
    EXPECT_FALSE(one->matches(id, ""));
    EXPECT_FALSE(one->matches(id, R"({"a": 1, "b": ")" + std::string(5'000, 'x')
                                    + R"(", "a": 2})"));
  }
  // On both sides of what is remembered.
  for (const auto size : {payload_filter::remembered_limit,
                          payload_filter::remembered_limit + 1}) {
    std::string body = R"({"a": 1, "b": ")";
    body += std::string(size - body.size() - 2, 'x') + "\"}";
    ASSERT_EQ(body.size(), size);
    EXPECT_TRUE(one->matches(9, body));
    EXPECT_TRUE(one->matches(9, body));
    body[6] = '2';
    EXPECT_FALSE(one->matches(9, body));
    EXPECT_TRUE(one->matches(9, R"({"a": 1})"));
  }
}

TEST(PayloadFilter, IsSharedByThreads) {
  const auto even = filter_of(R"({"n": {"$in": [0, 2, 4, 6, 8]}})");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < 2'000; ++i) {
        const auto n = (i + t) % 10;
        const auto body = R"({"n": )" + std::to_string(n) + "}";
        for (int again = 0; again < 3; ++again)
          wrong[t] += even->matches(i, body) != (n % 2 == 0) ? 1 : 0;
      }
    });
  for (auto& each : threads)
    each.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(FilterRef, IsEqualByText) {
  const filter_ref none;
  const filter_ref a{filter_of(R"({"a": 1})")};
  const filter_ref same{filter_of(R"( {"a":1} )")};
  const filter_ref other{filter_of(R"({"a": 2})")};
  EXPECT_EQ(none, filter_ref{});
  EXPECT_EQ(a, a);
  EXPECT_EQ(a, same);
  EXPECT_NE(a, other);
  EXPECT_NE(a, none);
  EXPECT_NE(none, a);
  EXPECT_TRUE(a);
  EXPECT_FALSE(none);
}

// -- against a reference ------------------------------------------------------

// What the header says, as plainly as possible and on the filter's own JSON.

static_assert(std::numeric_limits<long double>::digits >= 64,
              "all numbers of JSON must fit exactly");

long double plain_number(const json::value& v) {
  if (v.is_int64())
    return static_cast<long double>(v.get_int64());
  if (v.is_uint64())
    return static_cast<long double>(v.get_uint64());
  return static_cast<long double>(v.get_double());
}

bool plain_equal(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number())
    return plain_number(a) == plain_number(b);
  if (a.is_array() && b.is_array()) {
    if (a.get_array().size() != b.get_array().size())
      return false;
    for (std::size_t i = 0; i < a.get_array().size(); ++i)
      if (!plain_equal(a.get_array()[i], b.get_array()[i]))
        return false;
    return true;
  }
  if (a.is_object() && b.is_object()) {
    for (const auto& m : a.get_object())
      if (!b.get_object().contains(m.key())
          || !plain_equal(m.value(), b.get_object().at(m.key())))
        return false;
    return a.get_object().size() == b.get_object().size();
  }
  return a.kind() == b.kind() && a == b;
}

/// -1, 0, 1; 2 if there is no order.
int plain_order(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    const auto x = plain_number(a);
    const auto y = plain_number(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.is_string() && b.is_string()) {
    const std::string x{a.get_string().c_str()};
    const std::string y{b.get_string().c_str()};
    return x < y ? -1 : x > y ? 1 : 0;
  }
  return 2;
}

const json::value* plain_find(const json::value* from, const std::string& key) {
  if (from == nullptr || !from->is_object())
    return nullptr;
  if (from->get_object().contains(key))
    return &from->get_object().at(key);
  const auto dot = key.find('.');
  if (dot == std::string::npos)
    return nullptr;
  return plain_find(plain_find(from, key.substr(0, dot)), key.substr(dot + 1));
}

bool plain_conditions(const json::object& filter, const json::value* seen);

bool plain_value(const json::value& filter, const json::value* seen);

bool plain_operator(const std::string& name, const json::value& operand,
                    const json::value* seen) {
  const auto value = seen == nullptr ? json::value{} : *seen;
  const auto in_list = [&](const json::array& list, const json::value& v) {
    for (const auto& each : list)
      if (plain_equal(each, v))
        return true;
    return false;
  };
  const auto text = value.is_string() ? std::string{value.get_string().c_str()}
                                      : std::string{};
  const auto wanted = operand.is_string()
                      ? std::string{operand.get_string().c_str()}
                      : std::string{};
  if (name == "$eq")
    return plain_equal(operand, value);
  if (name == "$ne")
    return !plain_equal(operand, value);
  if (name == "$in")
    return in_list(operand.get_array(), value);
  if (name == "$nin")
    return !in_list(operand.get_array(), value);
  if (name == "$gt")
    return plain_order(value, operand) == 1;
  if (name == "$gte")
    return plain_order(value, operand) == 1 || plain_order(value, operand) == 0;
  if (name == "$lt")
    return plain_order(value, operand) == -1;
  if (name == "$lte")
    return plain_order(value, operand) == -1
        || plain_order(value, operand) == 0;
  if (name == "$exists")
    return operand.get_bool() == (seen != nullptr);
  if (name == "$startsWith")
    return value.is_string() && text.substr(0, wanted.size()) == wanted;
  if (name == "$endsWith")
    return value.is_string() && text.size() >= wanted.size()
        && text.substr(text.size() - wanted.size()) == wanted;
  if (name == "$contains") {
    if (value.is_array())
      return in_list(value.get_array(), operand);
    return value.is_string() && operand.is_string()
        && text.find(wanted) != std::string::npos;
  }
  return !plain_value(operand, seen); // $not
}

bool plain_value(const json::value& filter, const json::value* seen) {
  if (!filter.is_object())
    return plain_operator("$eq", filter, seen);
  const auto& object = filter.get_object();
  if (object.empty() || object.begin()->key()[0] != '$')
    return plain_conditions(object, seen);
  for (const auto& m : object)
    if (!plain_operator(std::string{m.key()}, m.value(), seen))
      return false;
  return true;
}

bool plain_conditions(const json::object& filter, const json::value* seen) {
  for (const auto& m : filter) {
    const std::string name{m.key()};
    bool held = name != "$or";
    if (name == "$and") {
      for (const auto& each : m.value().get_array())
        held = held && plain_conditions(each.get_object(), seen);
    } else if (name == "$or") {
      for (const auto& each : m.value().get_array())
        held = held || plain_conditions(each.get_object(), seen);
    } else if (name == "$not") {
      held = !plain_conditions(m.value().get_object(), seen);
    } else {
      held = plain_value(m.value(), plain_find(seen, name));
    }
    if (!held)
      return false;
  }
  return true;
}

/// Makes filters and notifications of few keys and values, so that they meet.
class generator {
public:
  json::object conditions(int depth) {
    json::object out;
    for (auto n = below(3) + (below(8) == 0 ? 0U : 1U); n > 0; --n) {
      const auto what = depth > 0 ? below(8) : 7;
      if (what == 0)
        out["$and"] = several(depth);
      else if (what == 1)
        out["$or"] = several(depth);
      else if (what == 2)
        out["$not"] = conditions(depth - 1);
      else
        out[key()] = condition(depth);
    }
    return out;
  }

  json::value value(int depth) {
    static const auto
      scalars = json::parse(
                  R"([null, true, false, 0, 1, 2, -1, 1.0, 1.5, -1.5, 2e0,
        9007199254740992, 9007199254740993, 9007199254740992.0,
        18446744073709551615, 1.8446744073709552e19, -9223372036854775808,
        -9.223372036854775808e18, 1e300, "", "a", "ab", "aab", "aaab", "b",
        "abab", "ä", "😀"])")
                  .as_array();
    const auto what = depth > 0 ? below(6) : 2;
    if (what == 0) {
      json::array list;
      for (auto n = below(3); n > 0; --n)
        list.push_back(value(depth - 1));
      return list;
    }
    if (what == 1)
      return object(depth - 1);
    return scalars[below(scalars.size())];
  }

  json::object object(int depth) {
    json::object out;
    for (auto n = below(5); n > 0; --n)
      out[key()] = value(depth);
    return out;
  }

  std::size_t below(std::size_t n) {
    return static_cast<std::size_t>(random_() % n);
  }

private:
  std::string key() {
    static const std::string keys[] = {"a", "b", "c", "a.b", "b.a", "a.b.c"};
    return keys[below(std::size(keys))];
  }

  json::array several(int depth) {
    json::array out;
    for (auto n = below(3) + 1; n > 0; --n)
      out.push_back(conditions(depth - 1));
    return out;
  }

  json::value condition(int depth) {
    const auto what = below(6);
    if (what == 0 && depth > 0) {
      json::object within;
      for (auto n = below(3); n > 0; --n)
        within[key()] = condition(depth - 1);
      return within;
    }
    if (what < 3) {
      auto plain = value(2);
      return plain.is_object() ? json::value{{"$eq", plain}} : plain;
    }
    static const std::string names[] = {
      "$eq",  "$ne",     "$in",         "$nin",      "$gt",       "$gte", "$lt",
      "$lte", "$exists", "$startsWith", "$endsWith", "$contains", "$not"};
    json::object out;
    for (auto n = below(2) + 1; n > 0; --n) {
      const auto& name = names[below(std::size(names))];
      if (name == "$in" || name == "$nin") {
        json::array list;
        for (auto m = below(8); m > 0; --m)
          list.push_back(value(2));
        out[name] = list;
      } else if (name == "$exists") {
        out[name] = below(2) == 0;
      } else if (name == "$not") {
        out[name] = depth > 0 ? condition(depth - 1) : json::value{"a"};
      } else if (name == "$startsWith" || name == "$endsWith") {
        out[name] = value_that([](const auto& v) { return v.is_string(); });
      } else if (name.starts_with("$g") || name.starts_with("$l")) {
        out[name] = value_that(
          [](const auto& v) { return v.is_string() || v.is_number(); });
      } else {
        out[name] = value(2);
      }
    }
    return out;
  }

  template <class Predicate>
  json::value value_that(Predicate is_right) {
    for (;;) {
      auto v = value(0);
      if (is_right(v))
        return v;
    }
  }

  std::mt19937_64 random_{20'261'125};
};

TEST(PayloadFilter, AgreesWithAPlainReading) {
  generator make;
  int held = 0;
  constexpr int filters = 5'000;
  constexpr int bodies = 4;
  std::uint64_t id = 0;
  for (int i = 0; i < filters; ++i) {
    const auto conditions = make.conditions(3);
    const auto filter = payload_filter::compile(conditions);
    ASSERT_TRUE(filter) << json::serialize(conditions) << ": "
                        << filter.error().detail;
    ASSERT_EQ((*filter)->text(), json::serialize(conditions));
    for (int j = 0; j < bodies; ++j) {
      const json::value body = make.object(3);
      const auto expected = plain_conditions(conditions, &body);
      held += expected ? 1 : 0;
      ASSERT_EQ((*filter)->matches(body), expected)
        << json::serialize(conditions) << " on " << json::serialize(body);
      ASSERT_EQ((*filter)->matches(++id, json::serialize(body)), expected)
        << json::serialize(conditions) << " on " << json::serialize(body);
    }
  }
  // It is not all one or the other.
  EXPECT_GT(held, filters * bodies / 10);
  EXPECT_LT(held, filters * bodies * 9 / 10);
}

TEST(PayloadFilter, FindsTextsAsAPlainSearchDoes) {
  generator make;
  for (int i = 0; i < 3'000; ++i) {
    std::string text;
    std::string wanted;
    for (auto n = make.below(40); n > 0; --n)
      text += make.below(3) == 0 ? 'b' : 'a';
    for (auto n = make.below(8); n > 0; --n)
      wanted += make.below(3) == 0 ? 'b' : 'a';
    json::object filter;
    filter["x"] = json::object{{"$contains", wanted}};
    json::object body;
    body["x"] = text;
    EXPECT_EQ(payload_filter::compile(filter).value()->matches(body),
              text.find(wanted) != std::string::npos)
      << wanted << " in " << text;
  }
}

// Whatever comes, it is a filter or a sentence.
TEST(PayloadFilter, SurvivesDamagedTexts) {
  generator make;
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    auto text = json::serialize(make.conditions(3));
    for (auto n = make.below(3) + 1; n > 0; --n)
      text[make.below(text.size())] = R"({}[]",:$01aei.\)"[make.below(15)];
    const auto made = payload_filter::parse(text);
    if (made) {
      EXPECT_EQ(filter_of((*made)->text())->text(), (*made)->text());
      static_cast<void>((*made)->matches(1, text));
    } else {
      ++refused;
      EXPECT_EQ(made.error().field, "filter");
      EXPECT_TRUE(made.error().detail.ends_with(".")) << made.error().detail;
    }
  }
  EXPECT_GT(refused, 500);
}

} // namespace
} // namespace fanfare
