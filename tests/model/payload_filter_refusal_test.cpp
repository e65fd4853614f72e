// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/payload_filter.hpp"
#include "tests/model/payload_filter_test.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>

namespace fanfare {
namespace {

namespace json = boost::json;

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
  // Spacing does not count.
  EXPECT_EQ(sentence_for(" " + of_size(payload_filter::text_limit) + "\n"), "");
}

TEST(PayloadFilter, CountsWhatItKeepsAndNotWhatWasSent) {
  const auto spaces = std::string(3 * payload_filter::text_limit, ' ');
  EXPECT_EQ(sentence_for("{" + spaces + R"("a":1})"), "");
  EXPECT_EQ(sentence_for("{" + std::string(8 * payload_filter::text_limit, ' ')
                         + R"("a":1})"),
            "The filter is longer than 16384 bytes as JSON text.");
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

} // namespace
} // namespace fanfare
