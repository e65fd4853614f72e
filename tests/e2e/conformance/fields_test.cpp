// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// §5.4: all fields but target_url, and bodies as a whole.

#include "tests/e2e/conformance/conformance_test.hpp"

#include <boost/json/serialize.hpp>

namespace fanfare::test {

namespace {

using ::testing::StartsWith;

const std::string null = R"("This field may not be null.")";

std::string times(std::size_t count, const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += text;
  return out;
}

std::string no_event(const std::string& slug) {
  return R"("Object with slug=)" + slug + R"( does not exist.")";
}

std::string no_type(const std::string& name) {
  return R"("Invalid action type \")" + name + R"(\".")";
}

std::string no_list(const std::string& kind) {
  return R"("Expected a list of items but got type \")" + kind + R"(\".")";
}

using FieldsTest = ConformanceTest;

TEST_F(FieldsTest, AreMissedAllAtOnce) {
  const std::string missed = R"({"target_url":["This field is required."],)"
                             R"("limit_events":["This field is required."],)"
                             R"("action_types":["This field is required."]})";
  expect_all({
    {"POST", "webhooks/", "{}", 400, missed},
    {"POST", "webhooks/", "", 400, missed}, // an empty body is {}
    {"POST", "webhooks/", {}, 400, missed},
    {"POST", "webhooks/", R"({"enabled":true,"all_events":true,"comment":"x"})",
     400, missed},
    {"POST", "webhooks/", R"({"Target_url":1,"target_urls":2})", 400, missed},
  });
}

TEST_F(FieldsTest, AreRefusedAllAtOnce) {
  add_webhook();
  const auto before = ask({"GET", "webhooks/"}).body;
  const std::string
    body = R"({"comment":[],"action_types":["x","y"],"limit_events":"a",)"
           R"("all_events":null,"target_url":5,"enabled":"x"})";
  const std::string answer =
    R"({"enabled":["Must be a valid boolean."],)"
    R"("target_url":["Enter a valid URL."],)"
    R"("all_events":["This field may not be null."],)"
    R"("limit_events":["Expected a list of items but got type \"str\"."],)"
    R"("action_types":["Invalid action type \"x\"."],)"
    R"("comment":["Not a valid string."]})";
  expect_all({
    {"POST", "webhooks/", body, 400, answer},
    {"PUT", "webhooks/$id/", body, 400, answer},
    {"PATCH", "webhooks/$id/", body, 400, answer},
    // Missing and wrong ones together.
    {"POST", "webhooks/", R"({"enabled":2,"action_types":null})", 400,
     R"({"enabled":["Must be a valid boolean."],)"
     R"("target_url":["This field is required."],)"
     R"("limit_events":["This field is required."],)"
     R"("action_types":["This field may not be null."]})"},
  });
  EXPECT_EQ(ask({"GET", "webhooks/"}).body, before);
}

TEST_F(FieldsTest, AreRefusedInEnglish) {
  for (const std::string language : {"de", "fr-CH, fr;q=0.9", "*", "xx"})
    expect({"POST",
            "webhooks/",
            body_with("target_url", "null"),
            400,
            R"({"target_url":["This field may not be null."]})",
            {{"Accept-Language", language}}});
}

TEST_F(FieldsTest, HaveDefaults) {
  add_webhook();
  expect({"GET",
          "webhooks/$id/",
          {},
          200,
          R"({"id":$id,"enabled":true,"target_url":"https://google.com",)"
          R"("all_events":true,"limit_events":[],"action_types":[],)"
          R"("comment":null})"});
}

class BooleanFieldsTest : public ConformanceTest,
                          public ::testing::WithParamInterface<const char*> {};

TEST_P(BooleanFieldsTest, HaveManySpellings) {
  for (const std::string yes :
       {"true",     "1",        "1.0",      "1e0",      "10e-1",
        "\"true\"", "\"True\"", "\"TRUE\"", "\"tRuE\"", "\"t\"",
        "\"T\"",    "\"yes\"",  "\"Yes\"",  "\"YES\"",  "\"y\"",
        "\"Y\"",    "\"on\"",   "\"On\"",   "\"ON\"",   "\"1\""})
    expect_taken(GetParam(), yes, "true");
  for (const std::string no :
       {"false", "0", "0.0", "-0.0", "0e9", "\"false\"", "\"False\"",
        "\"FALSE\"", "\"f\"", "\"F\"", "\"no\"", "\"No\"", "\"NO\"", "\"n\"",
        "\"N\"", "\"off\"", "\"Off\"", "\"OFF\"", "\"0\""})
    expect_taken(GetParam(), no, "false");
}

TEST_P(BooleanFieldsTest, AreNothingElse) {
  expect_refused(GetParam(), "null", null);
  for (const std::string bad : {"2",
                                "-1",
                                "0.5",
                                "1.0000000001",
                                "1e999",
                                "18446744073709551616",
                                "\"\"",
                                "\"null\"",
                                "\" true \"",
                                "\"true\\n\"",
                                "\"\\u00a0true\"",
                                "\"1.0\"",
                                "\"2\"",
                                "\"enabled\"",
                                "\"ja\"",
                                "\"\\u0000\"",
                                "\"\\uff54rue\"",
                                "[]",
                                "[true]",
                                "{}",
                                "{\"true\":true}"})
    expect_refused(GetParam(), bad, R"("Must be a valid boolean.")");
}

INSTANTIATE_TEST_SUITE_P(All, BooleanFieldsTest,
                         ::testing::Values("enabled", "all_events"),
                         [](const auto& field) {
                           return std::string{field.param};
                         });

TEST_F(FieldsTest, LimitEventsNamesEventsOfTheOrganizer) {
  add_event(org_, "5", "Five");
  add_event(org_, "1.5", "One and a half");
  add_event(org_, "None", "None");
  const auto taken = [this](const std::string& value,
                            const std::string& rendered) {
    SCOPED_TRACE(value);
    const auto made = expect(
      {"POST", "webhooks/", body_with("limit_events", value), 201});
    EXPECT_EQ(boost::json::serialize(made.json().at("limit_events")), rendered);
  };
  taken("[]", "[]");
  taken("{}", "[]");
  taken(R"(["dummy"])", R"(["dummy"])");
  taken(R"(["dummy","second","dummy"])", R"(["second","dummy"])");
  taken(R"({"dummy":null,"second":5})", R"(["second","dummy"])");
  taken("[5]", R"(["5"])");
  taken(R"([1.5,null,"5"])", R"(["5","None","1.5"])");
  taken("[" + times(9'999, R"("dummy",)") + R"("dummy"])", R"(["dummy"])");

  expect_refused("limit_events", "null", null);
  expect_refused("limit_events", R"("dummy")", no_list("str"));
  expect_refused("limit_events", R"("")", no_list("str"));
  expect_refused("limit_events", "5", no_list("int"));
  expect_refused("limit_events", "18446744073709551615", no_list("int"));
  expect_refused("limit_events", "1.5", no_list("float"));
  expect_refused("limit_events", "true", no_list("bool"));
  const std::pair<std::string, std::string> unknown[] = {
    {R"(["foo"])", "foo"},
    {R"(["dummy","foo","bar"])", "foo"}, // the first bad one only
    {R"(["foreign"])", "foreign"},       // of another organizer
    {R"(["Dummy"])", "Dummy"},
    {R"([" dummy"])", " dummy"},
    {R"(["dummy\u0000"])", R"(dummy\u0000)"},
    {R"([""])", ""},
    {"[7]", "7"},
    {"[-7]", "-7"},
    {"[18446744073709551615]", "18446744073709551615"},
    {"[true]", "True"},
    {"[false]", "False"},
    {"[2.0]", "2.0"},
    {"[1e16]", "1e+16"},
    {"[1e15]", "1000000000000000.0"},
    {"[1e-5]", "1e-05"},
    {"[0.0001]", "0.0001"},
    {"[-0.0]", "-0.0"},
    {"[[]]", "[]"},
    {R"([["a",1,null,true,1.0]])", "['a', 1, None, True, 1.0]"},
    {R"([["it's"]])", R"([\"it's\"])"},
    {R"([["it's \"x\""]])", R"(['it\\'s \"x\"'])"},
    {R"([["\\\n\t\r"]])", R"(['\\\\\\n\\t\\r'])"},
    {R"([["\u0000\u001f\u007f"]])", R"(['\\x00\\x1f\\x7f'])"},
    {R"([["\u0080\u00a0\u00ad\u00e9"]])", R"(['\\x80\\xa0\\xad\u00e9'])"},
    {R"([{"a":null,"b":{}}])", "{'a': None, 'b': {}}"},
    {R"({"x":1})", "x"},
    {"[\"\xc3\xa9\"]", R"(\u00e9)"},
    {"[\"\xf0\x9f\x98\x80\"]", R"(\ud83d\ude00)"},
  };
  for (const auto& [value, slug] : unknown)
    expect_refused("limit_events", value, no_event(slug));
}

TEST_F(FieldsTest, ActionTypesNamesRegisteredTypes) {
  const auto taken = [this](const std::string& value,
                            const std::string& rendered) {
    SCOPED_TRACE(value);
    const auto made = expect(
      {"POST", "webhooks/", body_with("action_types", value), 201});
    EXPECT_EQ(boost::json::serialize(made.json().at("action_types")), rendered);
  };
  taken("[]", "[]");
  taken("{}", "[]");
  taken(R"("")", "[]");
  taken(R"({"pretix.event.order.paid":0})", R"(["pretix.event.order.paid"])");
  for (const std::string pattern :
       {"pretix.event.order.changed.*", "pretix.event.item.*",
        "pretix.giftcards.transaction.*"})
    taken("[\"" + pattern + "\"]", "[\"" + pattern + "\"]");
  taken(
    R"(["pretix.voucher.added","pretix.event.added","pretix.voucher.added"])",
    R"(["pretix.event.added","pretix.voucher.added","pretix.voucher.added"])");
  // As many as it may be in one body.
  taken(
    "[" + times(999, R"("pretix.event.added",)") + R"("pretix.event.added"])",
    "[" + times(999, R"("pretix.event.added",)") + R"("pretix.event.added"])");

  expect_refused("action_types", "null", null);
  const std::pair<std::string, std::string> unknown[] = {
    {R"(["foo"])", "foo"},
    {R"(["pretix.event.order.paid","foo","bar"])", "foo"},
    {R"(["pretix.event.order.changed.item"])",
     "pretix.event.order.changed.item"},
    {R"(["pretix.event.order.changed"])", "pretix.event.order.changed"},
    {R"(["pretix.event.order.*"])", "pretix.event.order.*"},
    {R"(["pretix.*"])", "pretix.*"},
    {R"(["*"])", "*"},
    {R"([""])", ""},
    {R"([" pretix.event.added"])", " pretix.event.added"},
    {R"(["PRETIX.EVENT.ADDED"])", "PRETIX.EVENT.ADDED"},
    {R"(["pretix.event.added\u0000"])", R"(pretix.event.added\u0000)"},
    {R"("foo")", "f"}, // by characters
    {R"("pretix.event.added")", "p"},
    {"\"\xc3\xa9x\"", R"(\u00e9)"},
    {"\"\xf0\x9f\x98\x80\"", R"(\ud83d\ude00)"},
    {R"({"x":1,"y":2})", "x"},
    {"[5]", "5"},
    {"[1.5]", "1.5"},
    {"[true]", "True"},
    {"[null]", "None"},
    // 400 on purpose.
    {R"([["a"]])", "['a']"},
    {R"([{"a":1}])", "{'a': 1}"},
  };
  for (const auto& [value, name] : unknown)
    expect_refused("action_types", value, no_type(name));
  expect_refused("action_types", "5", no_list("int"));
  expect_refused("action_types", "1.5", no_list("float"));
  expect_refused("action_types", "true", no_list("bool"));
}

TEST_F(FieldsTest, CommentIsAText) {
  const std::string accent = "\xc3\xa9";
  const std::pair<std::string, std::string> good[] = {
    {"null", "null"},
    {R"("")", R"("")"},
    {R"(" \t ")", R"("")"},
    {"\"\xe2\x80\x83\"", R"("")"},
    {R"(" x  y\n")", R"("x  y")"},
    {"\"\xc2\xa0x\xe3\x80\x80\"", R"("x")"},
    {R"("None")", R"("None")"},
    {"5", R"("5")"},
    {"-5", R"("-5")"},
    {"0", R"("0")"},
    {"1.5", R"("1.5")"},
    {"1.0", R"("1.0")"},
    {"0.1", R"("0.1")"},
    {"1e22", R"("1e+22")"},
    {"1e-7", R"("1e-07")"},
    {"9223372036854775807", R"("9223372036854775807")"},
    {"18446744073709551615", R"("18446744073709551615")"},
    {as_json(std::string(255, 'x')), as_json(std::string(255, 'x'))},
    {as_json("  " + std::string(255, 'x') + "  "),
     as_json(std::string(255, 'x'))},
    {as_json(times(255, accent)), '"' + times(255, R"(\u00e9)") + '"'},
    {as_json(times(255, "\xf0\x9f\x98\x80")),
     '"' + times(255, R"(\ud83d\ude00)") + '"'},
  };
  for (const auto& [value, rendered] : good)
    expect_taken("comment", value, rendered);
  for (const std::string bad : {"true", "false", "[]", "[\"x\"]", "{}"})
    expect_refused("comment", bad, R"("Not a valid string.")");
  const std::string
    too_long = R"("Ensure this field has no more than 255 characters.")";
  const std::string nul = R"("Null characters are not allowed.")";
  expect_refused("comment", as_json(std::string(256, 'x')), too_long);
  expect_refused("comment", as_json(times(256, accent)), too_long);
  expect_refused("comment", R"("a\u0000b")", nul);
  expect_refused("comment", R"("\u0000")", nul);
  expect_refused("comment", '"' + std::string(255, 'x') + R"(\u0000")",
                 too_long + ',' + nul);
}

TEST_F(FieldsTest, IgnoreTheIdAndUnknownKeys) {
  add_webhook();
  const auto next = std::to_string(std::stoull(id_) + 1);
  const auto made = expect(
    {"POST", "webhooks/",
     R"({"id":1,"organizer":"other","secret":{"a":[1]},"":null,)"
     R"("target_url":"https://a.com","limit_events":[],"action_types":[]})",
     201,
     R"({"id":)" + next
       + R"(,"enabled":true,"target_url":"https://a.com","all_events":true,)"
         R"("limit_events":[],"action_types":[],"comment":null})"});
  for (const std::string id : {"77", "null", "\"x\"", "[]"})
    expect({"PATCH", "webhooks/" + next + '/', "{\"id\":" + id + '}', 200,
            made.body});
}

TEST_F(FieldsTest, TheLastOfARepeatedKeyCounts) {
  add_webhook();
  expect_all({
    {"PATCH", "webhooks/$id/",
     R"({"target_url":5,"comment":"a","target_url":"https://b.com",)"
     R"("comment":"b"})",
     200,
     R"({"id":$id,"enabled":true,"target_url":"https://b.com",)"
     R"("all_events":true,"limit_events":[],"action_types":[],)"
     R"("comment":"b"})"},
    {"PATCH", "webhooks/$id/", R"({"comment":"c","comment":[]})", 400,
     R"({"comment":["Not a valid string."]})"},
  });
}

class BodiesTest : public ConformanceTest {
protected:
  void SetUp() override {
    ConformanceTest::SetUp();
    add_webhook();
  }

  /// In each of the ways that a body is read.
  void expect_answer(const std::string& body, unsigned status,
                     const std::string& start, bool whole) {
    for (const auto& [method, target] :
         {std::pair{"POST", "webhooks/"}, std::pair{"PUT", "webhooks/$id/"},
          std::pair{"PATCH", "webhooks/$id/"}}) {
      const auto answer = expect({method, target, body, status});
      if (whole) {
        EXPECT_EQ(answer.body, start) << body.substr(0, 100);
      } else {
        EXPECT_THAT(answer.body, StartsWith(start)) << body.substr(0, 100);
      }
    }
  }
};

TEST_F(BodiesTest, MustBeObjects) {
  const std::pair<std::string, std::string> kinds[] = {
    {"[]", "list"},   {"[{}]", "list"},  {"\"x\"", "str"},
    {"5", "int"},     {"-5", "int"},     {"1.5", "float"},
    {"true", "bool"}, {"false", "bool"}, {" [1, 2] ", "list"}};
  for (const auto& [body, kind] : kinds)
    expect_answer(body, 400,
                  R"({"non_field_errors":["Invalid data. Expected a )"
                  R"(dictionary, but got )"
                    + kind + ".\"]}",
                  true);
  expect_answer("null", 400, R"({"non_field_errors":["No data provided"]})",
                true);
}

TEST_F(BodiesTest, MustBeJson) {
  for (const std::string body :
       {"{",
        "}",
        " ",
        "\n",
        "{\"a\":1,}",
        "[1,]",
        "{} x",
        "{}{}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":}",
        "{\"a\"}",
        "\"",
        "nul",
        "NaN",
        "{\"a\":Infinity}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":+1}",
        "// x\n{}",
        "\xef\xbb\xbf{}",                 // a byte order mark
        "{\"comment\":\"\xff\"}",         // not UTF-8
        "{\"comment\":\"\xc3\"}",         // cut short
        "{\"comment\":\"\xc0\xaf\"}",     // longer than needed
        "{\"comment\":\"\xed\xa0\x80\"}", // a surrogate
        "{\"comment\":\"\n\"}",           // a raw control character
        R"({"comment":"\ud800"})",        // lone surrogates
        R"({"comment":"\ud800x"})",
        R"({"comment":"\udc00"})",
        R"({"comment":"\udc00\ud800"})",
        R"({"comment":"\ud800\ud800"})",
        R"({"\ud800":1})",
        R"({"comment":"\u12"})",
        R"({"comment":"\x"})",
        "target_url=https://a.com",
        "<xml/>"})
    expect_answer(body, 400, R"({"detail":"JSON parse error - )", false);
  const std::string nul_behind{"{}\0", 3};
  expect_answer(nul_behind, 400, R"({"detail":"JSON parse error - )", false);
}

TEST_F(BodiesTest, MayNotBeNestedTooDeep) {
  const auto nested = [](std::size_t depth) {
    return "{\"x\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']')
         + '}';
  };
  expect({"PATCH", "webhooks/$id/", nested(32)});
  for (const std::size_t depth : {33, 1'000, 100'000, 400'000})
    expect_answer(nested(depth), 400, R"({"detail":"JSON parse error - )",
                  false);
  // Without an end.
  expect_answer(std::string(500'000, '['), 400,
                R"({"detail":"JSON parse error - )", false);
  expect_answer(times(100'000, "{\"x\":"), 400,
                R"({"detail":"JSON parse error - )", false);
  expect({"GET", "webhooks/$id/"});
}

TEST_F(BodiesTest, MayBeLarge) {
  const auto before = ask({"GET", "webhooks/$id/"}).body;
  expect_all({
    {"PATCH", "webhooks/$id/", "{\"x\":[" + times(200'000, "1,") + "1]}", 200,
     before},
    {"PATCH", "webhooks/$id/", "{\"x\":" + std::string(400'000, '9') + '}', 200,
     before},
    {"PATCH", "webhooks/$id/",
     R"({"x":1e400,"y":-1e400,"z":1e-400,"w":123456789012345678901234567890})",
     200, before},
    {"PATCH", "webhooks/$id/",
     R"({"comment":")" + std::string(1'000'000, 'x') + "\"}", 400,
     R"({"comment":["Ensure this field has no more than 255 characters."]})"},
    {"PATCH", "webhooks/$id/",
     R"({"comment":")" + std::string(1024 * 1024, 'x') + "\"}", 413},
    {"GET", "webhooks/$id/", {}, 200, before},
  });
}

// Form-encoded bodies.
class FormsTest : public ConformanceTest {
protected:
  row form(const std::string& method, const std::string& target,
           const std::string& body, unsigned status,
           const std::string& answer) {
    return {method, target,
            body,   status,
            answer, {{"Content-Type", "application/x-www-form-urlencoded"}}};
  }

  /// The answer to the next POST.
  static std::string hook(const std::string& rest) {
    return R"({"id":$id,)" + rest + '}';
  }

  void next_id() {
    id_ = std::to_string(std::stoull(add_webhook()) + 1);
  }
};

TEST_F(FormsTest, CanDoMostThings) {
  next_id();
  expect(form("POST", "webhooks/",
              "target_url=https%3A%2F%2Fa.com%2F%3Fx%3D1&limit_events=dummy&"
              "limit_events=second&action_types=&enabled=on&all_events=off&"
              "comment=a+b%20%C3%A9&nonsense=1&id=5",
              201,
              hook(R"("enabled":true,"target_url":"https://a.com/?x=1",)"
                   R"("all_events":false,"limit_events":["second","dummy"],)"
                   R"("action_types":[],"comment":"a b \u00e9")")));
  expect(form("PATCH", "webhooks/$id/", "comment=c&comment=d", 200,
              hook(R"("enabled":true,"target_url":"https://a.com/?x=1",)"
                   R"("all_events":false,"limit_events":["second","dummy"],)"
                   R"("action_types":[],"comment":"d")")));
  expect(
    {"PATCH",
     "webhooks/$id/",
     "comment=%20",
     200,
     hook(R"("enabled":true,"target_url":"https://a.com/?x=1",)"
          R"("all_events":false,"limit_events":["second","dummy"],)"
          R"("action_types":[],"comment":"")"),
     {{"Content-Type", "Application/X-WWW-Form-Urlencoded; charset=utf-8"}}});
}

TEST_F(FormsTest, MeanFalseByLeavingOut) {
  next_id();
  expect(form("POST", "webhooks/",
              "target_url=https://a.com&action_types=", 201,
              hook(R"("enabled":false,"target_url":"https://a.com",)"
                   R"("all_events":false,"limit_events":[],"action_types":[],)"
                   R"("comment":null)")));
  const auto on = hook(
    R"("enabled":true,"target_url":"https://a.com","all_events":true,)"
    R"("limit_events":[],"action_types":[],"comment":null)");
  expect_all({
    form("PATCH", "webhooks/$id/", "enabled=1&all_events=yes", 200, on),
    form("PATCH", "webhooks/$id/", "", 200, on),
    form("PUT", "webhooks/$id/", "target_url=https://a.com&action_types=", 200,
         hook(R"("enabled":false,"target_url":"https://a.com",)"
              R"("all_events":false,"limit_events":[],"action_types":[],)"
              R"("comment":null)")),
  });
}

TEST_F(FormsTest, CannotNameActionTypes) {
  add_webhook();
  expect_all({
    form("POST", "webhooks/",
         "target_url=https://a.com&action_types=pretix.event.added", 400,
         R"({"action_types":["Invalid action type \"p\"."]})"),
    form("POST", "webhooks/", "", 400,
         R"({"target_url":["This field is required."],)"
         R"("action_types":["This field is required."]})"),
    form("POST", "webhooks/",
         "target_url=x&enabled=perhaps&limit_events=nope&action_types=", 400,
         R"({"enabled":["Must be a valid boolean."],)"
         R"("target_url":["Enter a valid URL."],)"
         R"("limit_events":["Object with slug=nope does not exist."]})"),
    form("PATCH", "webhooks/$id/", "target_url=+", 400,
         R"({"target_url":["This field may not be blank."]})"),
    form("PATCH", "webhooks/$id/", "comment=%00", 400,
         R"({"comment":["Null characters are not allowed."]})"),
    form("PATCH", "webhooks/$id/", "comment=%FF%zz%", 200,
         hook(R"("enabled":true,"target_url":"https://google.com",)"
              R"("all_events":true,"limit_events":[],"action_types":[],)"
              R"("comment":"\ufffd%zz%")")),
  });
}

} // namespace

} // namespace fanfare::test
