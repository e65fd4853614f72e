// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/model/payload_filter_test.hpp"

#include "model/payload_filter.hpp"
#include "model/records.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

namespace fanfare {
namespace {

namespace json = boost::json;

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
    {R"({"a": 0})", R"({"a": 0.0e-400})", true},
    {R"({"a": 0})", R"({"a": -0.000000000000000000000000000})", true},
  });
}

TEST(PayloadFilterTest, ComparesEveryDigitOfANumber) {
  check_texts({
    {R"({"a": 0})", R"({"a": 1e-400})", false},
    {R"({"a": {"$gt": 0}})", R"({"a": 1e-400})", true},
    {R"({"a": {"$lt": 0}})", R"({"a": -1e-400})", true},
    {R"({"a": {"$gt": 1e-400}})", R"({"a": 1e-399})", true},
    {R"({"a": {"$lt": 1e-300}})", R"({"a": 1e-400})", true},
    {R"({"a": -1e-400})", R"({"a": 1e-400})", false},
    {R"({"a": 12345678901234567890123})", R"({"a": 12345678901234567890123})",
     true},
    {R"({"a": 12345678901234567890123})", R"({"a": 12345678901234567890124})",
     false},
    {R"({"a": {"$lt": 12345678901234567890124}})",
     R"({"a": 12345678901234567890123})", true},
    {R"({"a": {"$lt": -12345678901234567890123}})",
     R"({"a": -12345678901234567890124})", true},
    {R"({"a": 12345678901234567890123})",
     R"({"a": 12345678901234567890.123e3})", true},
    {R"({"a": 12345678901234567890123})",
     R"({"a": 0.00012345678901234567890123000E+26})", true},
    {R"({"a": 12345678901234567890123})", R"({"a": -12345678901234567890123})",
     false},
    {R"({"a": {"$gt": 0.1}})", R"({"a": 0.10000000000000000001})", true},
    {R"({"a": {"$lt": 0.1}})", R"({"a": 0.09999999999999999999})", true},
    {R"({"a": 0.1})", R"({"a": 0.10000000000000000000})", true},
    {R"({"a": 0.1})", R"({"a": 0.1000000000000000055511151231257827})", false},
    {R"({"a": {"$gt": 2}})", R"({"a": 2.00000000000000000001})", true},
    {R"({"a": 2})", R"({"a": 2.00000000000000000001})", false},
    {R"({"a": {"$lt": 9007199254740993}})", R"({"a": 9007199254740992.5})",
     true},
    {R"({"a": 9007199254740993})", R"({"a": 9007199254740993.0})", true},
    {R"({"a": 123456789012345e5})", R"({"a": 12345678901234500000})", true},
    {R"({"a": 12345678901234567000.0})", R"({"a": 12345678901234567000})",
     true},
    {R"({"a": 1e22})", R"({"a": 10000000000000000000000})", true},
    {R"({"a": 1e23})", R"({"a": 100000000000000000000000})", true},
    {R"({"a": 1e23})", R"({"a": 99999999999999991611392})", false},
    {R"({"a": 18446744073709551616})", R"({"a": 18446744073709551616.0})",
     true},
    {R"({"a": 18446744073709551616})", R"({"a": 18446744073709551617})", false},
    {R"({"a": {"$gt": 18446744073709551615}})",
     R"({"a": 18446744073709551616})", true},
    {R"({"a": -9223372036854775809})", R"({"a": -9223372036854775809.0})",
     true},
    {R"({"a": -9223372036854775809})", R"({"a": -9223372036854775808})", false},
    {R"({"a": {"$lt": -9223372036854775808}})",
     R"({"a": -9223372036854775809})", true},
    {R"({"a": 5e-324})", R"({"a": 5e-324})", true},
    {R"({"a": 5e-324})", R"({"a": 4e-324})", false},
    {R"({"a": {"$in": [1, 0.10000000000000000001, "x", 1e30]}})",
     R"({"a": 0.10000000000000000001})", true},
    {R"({"a": {"$in": [0.1, 0.10000000000000000002, 0.10000000000000000003]}})",
     R"({"a": 0.10000000000000000001})", false},
    {R"({"a": {"$contains": 0.10000000000000000001}})",
     R"({"a": [0.1, 0.10000000000000000001]})", true},
    {R"({"a": {"$eq": {"b": [12345678901234567890123]}}})",
     R"({"a": {"b": [12345678901234567890123.0]}})", true},
    // A number is no text.
    {R"({"a": {"$startsWith": ""}})", R"({"a": 12345678901234567890123})",
     false},
    {R"({"a": {"$endsWith": "3"}})", R"({"a": 12345678901234567890123})",
     false},
    {R"({"a": {"$contains": "1"}})", R"({"a": 12345678901234567890123})",
     false},
    {R"({"a": {"$gt": ""}})", R"({"a": 12345678901234567890123})", false},
    {R"({"a": {"$gt": 12345678901234567890123}})", R"({"a": "x"})", false},
    {R"({"a": {"$exists": true}})", R"({"a": 12345678901234567890123})", true},
  });
  const std::string many(1'000'000, '7');
  const auto filter = filter_of(R"({"a": {"$gt": )" + many.substr(0, 300)
                                + "}}");
  EXPECT_TRUE(filter->matches(1, R"({"a": )" + many + "}"));
  EXPECT_TRUE(filter->matches(2, R"({"a": )" + many.substr(0, 300) + ".1}"));
  EXPECT_FALSE(filter->matches(3, R"({"a": )" + many.substr(0, 300) + ".0}"));
}

TEST(PayloadFilter, ReadsEveryDigitOfANumber) {
  std::mt19937_64 random{4};
  for (int i = 0; i < 2'000; ++i) {
    std::string text = random() % 2 == 0 ? "-" : "";
    text += std::to_string(random() % 1'000) + "." + std::to_string(random())
          + std::to_string(random());
    if (i % 2 == 0)
      text += "e" + std::to_string(static_cast<int>(random() % 500) - 250);
    // The double next to it, from its shortest spelling, is another number.
    json::object nearest;
    nearest["a"] = std::strtod(text.c_str(), nullptr);
    const auto filter = payload_filter::compile(nearest);
    ASSERT_TRUE(filter);
    const auto body = R"({"a": )" + text + "}";
    const auto rounded = json::serialize(nearest);
    EXPECT_TRUE((*filter)->matches(1, rounded)) << text;
    EXPECT_FALSE((*filter)->matches(2, body)) << text;
    const auto written = filter_of(body);
    EXPECT_TRUE(written->matches(2, body)) << text;
    EXPECT_FALSE(written->matches(1, rounded)) << text;
    EXPECT_EQ(written->text(), R"({"a":)" + text + "}");
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

TEST(PayloadFilter, KeepsItsTextButForTheSpacing) {
  EXPECT_EQ(
    filter_of("{ \"a b\" : 1.50,\n\t\"c\": [ \"x \\\" y\", 1e2 ] }")->text(),
    R"({"a b":1.50,"c":["x \" y",1e2]})");
}

TEST(PayloadFilter, ReadsBackWithTheNumbersItComparesWith) {
  const auto filter = payload_filter::parse(R"({"x":10.271304065520191})");
  ASSERT_TRUE(filter);
  EXPECT_EQ(payload_filter::read((*filter)->text()).at("x").as_double(),
            10.271304065520191);
  EXPECT_TRUE((*filter)->matches(1, R"({"x":10.271304065520191})"));
  EXPECT_FALSE((*filter)->matches(2, R"({"x":10.271304065520193})"));
  EXPECT_TRUE(payload_filter::read("no JSON").is_null());
}

} // namespace
} // namespace fanfare
