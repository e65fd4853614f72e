// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/json_schema.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace fanfare::test {
namespace {

/// Whether `value` is as `schema` says.
bool fits(const char* schema, const char* value,
          json_schema::extras unknown = json_schema::extras::refused) {
  const auto document = boost::json::parse(
    R"({"a": {"type": "string"}, "circle": {"$ref": "#/a"}})");
  return json_schema{document}
    .faults(boost::json::parse(schema), boost::json::parse(value), unknown)
    .empty();
}

TEST(JsonSchemaTest, TakesWhatFitsAndRefusesWhatDoesNot) {
  const struct {
    const char* schema;
    const char* good;
    const char* bad;
  } cases[] = {
    {R"({"type":"string"})", R"("a")", "1"},
    {R"({"type":["integer","null"]})", "null", R"("a")"},
    {R"({"type":"integer"})", "1.0", "1.5"},
    {R"({"type":"number"})", "1.5", "true"},
    {R"({"const":true})", "true", "false"},
    {R"({"enum":[null,"a",0]})", "0", "1"},
    {R"({"anyOf":[{"type":"null"},{"type":"string"}]})", "null", "1"},
    {R"({"oneOf":[{"type":"integer"},{"minimum":3}]})", "2", "4"},
    {R"({"minimum":3})", "3", "2"},
    {R"({"maximum":3})", "3", "4"},
    {R"({"exclusiveMinimum":3})", "4", "3"},
    {R"({"minLength":2})", R"("äö")", R"("ä")"},
    {R"({"maxLength":2})", R"("äö")", R"("aaa")"},
    {R"({"minItems":1})", "[1]", "[]"},
    {R"({"maxItems":1})", "[1]", "[1,2]"},
    {R"({"pattern":"^a+$"})", R"("aa")", R"("ab")"},
    {R"({"format":"date-time"})", R"("2026-11-24T10:00:00.000Z")",
     R"("2026-11-24 10:00")"},
    {R"({"format":"uri"})", R"("http://a/b")", R"("/b")"},
    {R"({"items":{"type":"string"}})", R"(["a"])", "[1]"},
    {R"({"required":["a"]})", R"({"a":1})", "{}"},
    {R"({"properties":{"a":{"type":"string"}}})", R"({"a":"a"})", R"({"a":1})"},
    {R"({"properties":{"a":{}}})", R"({"a":1})", R"({"b":1})"},
    {R"({"additionalProperties":{"type":"string"}})", R"({"a":"a"})",
     R"({"a":1})"},
    {R"({"additionalProperties":false})", "{}", R"({"a":1})"},
    {R"({"$ref":"#/a"})", R"("a")", "1"},
    {R"({"$ref":"#/circle"})", R"("a")", "1"},
  };
  for (const auto& c : cases) {
    EXPECT_TRUE(fits(c.schema, c.good)) << c.schema << ' ' << c.good;
    EXPECT_FALSE(fits(c.schema, c.bad)) << c.schema << ' ' << c.bad;
  }
}

TEST(JsonSchemaTest, AllowsUnknownMembersWhenTold) {
  const auto* schema = R"({"properties":{"a":{}}})";
  EXPECT_TRUE(fits(schema, R"({"b":1})", json_schema::extras::allowed));
  EXPECT_FALSE(fits(R"({"properties":{},"additionalProperties":false})",
                    R"({"b":1})", json_schema::extras::allowed));
}

TEST(JsonSchemaTest, ThrowsAtWhatItDoesNotKnow) {
  EXPECT_THROW(fits(R"({"multipleOf":2})", "2"), std::runtime_error);
  EXPECT_THROW(fits(R"({"type":"text"})", "2"), std::runtime_error);
  EXPECT_THROW(fits(R"({"format":"email"})", R"("a")"), std::runtime_error);
  EXPECT_THROW(fits(R"({"$ref":"#/b"})", "2"), std::runtime_error);
}

} // namespace
} // namespace fanfare::test
