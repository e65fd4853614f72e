// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/protocol/rest/rest_test.hpp"

#include <set>

namespace fanfare::test {
namespace {

/// A body for POST with one field in place of a valid one.
std::string body_with(std::string_view field, std::string_view value) {
  std::string out = "{";
  const std::pair<std::string_view, std::string_view> valid[] = {
    {"target_url", "\"https://google.com\""},
    {"limit_events", "[]"},
    {"action_types", "[]"}};
  for (const auto& [name, text] : valid)
    if (name != field)
      out += '"' + std::string{name} + "\":" + std::string{text} + ',';
  return out + '"' + std::string{field} + "\":" + std::string{value} + '}';
}

class WebhookFieldsTest : public RestTest {
protected:
  void refused(std::string_view field, std::string_view value,
               std::string_view sentences) {
    const auto made = post(body_with(field, value));
    EXPECT_EQ(made.status, 400) << field << ' ' << value;
    EXPECT_EQ(made.body, "{\"" + std::string{field} + "\":["
                           + std::string{sentences} + "]}")
      << value;
  }

  boost::json::value taken(std::string_view field, std::string_view value) {
    const auto made = post(body_with(field, value));
    EXPECT_EQ(made.status, 201) << field << ' ' << value << ' ' << made.body;
    return made.status == 201 ? made.json().at(
             boost::json::string_view{field.data(), field.size()})
                              : nullptr;
  }
};

TEST_F(WebhookFieldsTest, AnswersWithTheDocumentedObject) {
  const auto made = post(
    R"({"enabled":true,"target_url":"https://google.com","all_events":false,
    "limit_events":["dummy"],"comment":null,
    "action_types":["pretix.event.order.placed","pretix.event.order.paid"]})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(
    made.body,
    R"({"id":1,"enabled":true,"target_url":"https://google.com",)"
    R"("all_events":false,"limit_events":["dummy"],)"
    R"("action_types":["pretix.event.order.paid","pretix.event.order.placed"],)"
    R"("comment":null})");
  EXPECT_EQ(made.header("Content-Type"), "application/json");
  EXPECT_EQ(made.header("Location"), "");
  EXPECT_TRUE(made.blocking);
}

TEST_F(WebhookFieldsTest, HaveDefaults) {
  const auto made = post(
    R"({"target_url":"https://google.com","limit_events":[],"action_types":[]})");
  EXPECT_EQ(
    made.body,
    R"({"id":1,"enabled":true,"target_url":"https://google.com",)"
    R"("all_events":true,"limit_events":[],"action_types":[],"comment":null})");
}

TEST_F(WebhookFieldsTest, AreMissedAllAtOnce) {
  EXPECT_EQ(post("{}").body, R"({"target_url":["This field is required."],)"
                             R"("limit_events":["This field is required."],)"
                             R"("action_types":["This field is required."]})");
  EXPECT_EQ(post("").status, 400); // an empty body is {}
  EXPECT_EQ(
    post(
      R"({"enabled":"x","target_url":5,"all_events":null,"limit_events":"a",)"
      R"("action_types":["x"],"comment":[],"delivery":5})")
      .body,
    R"({"enabled":["Must be a valid boolean."],"target_url":["Enter a valid URL."],)"
    R"("all_events":["This field may not be null."],)"
    R"("limit_events":["Expected a list of items but got type \"str\"."],)"
    R"("action_types":["Invalid action type \"x\"."],"comment":["Not a valid string."],)"
    R"("delivery":["Must be an object."]})");
  EXPECT_TRUE(service.hooks.empty());
}

TEST_F(WebhookFieldsTest, TakeManySpellingsOfBooleans) {
  for (const std::string_view field : {"enabled", "all_events"}) {
    for (const std::string_view yes :
         {"true", "1", "1.0", "\"true\"", "\"True\"", "\"TRUE\"", "\"t\"",
          "\"T\"", "\"yes\"", "\"Yes\"", "\"y\"", "\"on\"", "\"1\"",
          "\"tRuE\""})
      EXPECT_EQ(taken(field, yes), true) << yes;
    for (const std::string_view no :
         {"false", "0", "0.0", "\"false\"", "\"False\"", "\"f\"", "\"no\"",
          "\"NO\"", "\"n\"", "\"off\"", "\"0\""})
      EXPECT_EQ(taken(field, no), false) << no;
    refused(field, "null", R"("This field may not be null.")");
    for (const std::string_view bad :
         {"2", "-1", "0.5", "\"\"", "\"null\"", "\" true \"", "[]", "{}",
          "[true]", "\"enabled\""})
      refused(field, bad, R"("Must be a valid boolean.")");
  }
}

TEST_F(WebhookFieldsTest, CheckTheTargetUrl) {
  EXPECT_EQ(taken("target_url", R"("  https://A.com/x\n")"), "https://A.com/x");
  EXPECT_EQ(taken("target_url", "\"\xc2\xa0https://a.com\xe3\x80\x80\""),
            "https://a.com");
  const std::string longest = "https://a.com/" + std::string(1010, 'x');
  EXPECT_EQ(text_of(taken("target_url", "\"  " + longest + " \"")), longest);
  std::string accents = "https://a.com/";
  for (int i = 0; i < 1010; ++i)
    accents += "\xc3\xa9"; // 1,024 code points, more bytes
  taken("target_url", '"' + accents + '"');
  refused("target_url", "null", R"("This field may not be null.")");
  for (const std::string_view blank :
       {R"("")", R"("  ")", R"("\t\n")", "\"\xe2\x80\x83\""})
    refused("target_url", blank, R"("This field may not be blank.")");
  for (const std::string_view bad :
       {"5", "true", "[]", "{}", "1.5", R"("foo")", R"("ftp://a.com")",
        R"("ftps://a.com")", R"("http://a.com/ b")", R"("http://foo")"})
    refused("target_url", bad, R"("Enter a valid URL.")");
  refused("target_url", '"' + longest + "x\"",
          R"("Ensure this field has no more than 1024 characters.")");
  refused("target_url", R"("http://a.com/\u0000")",
          R"("Null characters are not allowed.")");
  refused("target_url", '"' + std::string(1024, 'x') + R"(\u0000")",
          R"("Ensure this field has no more than 1024 characters.",)"
          R"("Null characters are not allowed.","Enter a valid URL.")");
}

TEST_F(WebhookFieldsTest, CheckTheEvents) {
  (void)service.add_event(owner, "5", "Five");
  (void)service.add_event(owner, "aaa", "Dummy");
  const auto events = [this](std::string_view value) {
    return boost::json::serialize(taken("limit_events", value));
  };
  // By name, then slug; repeats collapse; numbers are texts.
  EXPECT_EQ(events(R"(["dummy","second","aaa","dummy",5])"),
            R"(["second","aaa","dummy","5"])");
  EXPECT_EQ(events("{}"), "[]");
  EXPECT_EQ(events(R"({"dummy":1})"), R"(["dummy"])");
  refused("limit_events", "null", R"("This field may not be null.")");
  const std::pair<std::string_view, std::string_view> types[] = {
    {"\"dummy\"", "str"}, {"5", "int"}, {"1.5", "float"}, {"true", "bool"}};
  for (const auto& [value, type] : types)
    refused("limit_events", value,
            R"("Expected a list of items but got type \")" + std::string{type}
              + R"(\".")");
  const std::pair<std::string_view, std::string_view> unknown[] = {
    {R"(["foo"])", "foo"},
    {R"(["dummy","foo","bar"])", "foo"},
    {R"(["foreign"])", "foreign"},
    {R"(["Dummy"])", "Dummy"},
    {R"([""])", ""},
    {"[7]", "7"},
    {"[true]", "True"},
    {"[null]", "None"},
    {"[1.5]", "1.5"},
    {"[1e16]", "1e+16"},
    {"[100.0]", "100.0"},
    {R"([["a",1]])", "['a', 1]"},
    {R"([{"a":null}])", "{'a': None}"},
    {R"({"x":1})", "x"},
    {"[\"\xc3\xa9\"]", "\\u00e9"},
  };
  for (const auto& [value, slug] : unknown)
    refused("limit_events", value,
            "\"Object with slug=" + std::string{slug} + " does not exist.\"");
}

TEST_F(WebhookFieldsTest, CheckTheActionTypes) {
  const auto types = [this](std::string_view value) {
    return boost::json::serialize(taken("action_types", value));
  };
  EXPECT_EQ(types("[]"), "[]");
  EXPECT_EQ(types("{}"), "[]");
  EXPECT_EQ(types("\"\""), "[]");
  EXPECT_EQ(types(R"({"pretix.event.order.paid":0})"),
            R"(["pretix.event.order.paid"])");
  EXPECT_EQ(types(R"(["pretix.event.order.changed.*"])"),
            R"(["pretix.event.order.changed.*"])");
  EXPECT_EQ(
    types(
      R"(["pretix.event.order.paid","pretix.event.added","pretix.event.order.paid"])"),
    R"(["pretix.event.added","pretix.event.order.paid","pretix.event.order.paid"])");
  refused("action_types", "null", R"("This field may not be null.")");
  const std::pair<std::string_view, std::string_view> unknown[] = {
    {R"(["foo"])", "foo"},
    {R"(["pretix.event.order.paid","foo","bar"])", "foo"},
    {R"(["pretix.event.order.changed.item"])",
     "pretix.event.order.changed.item"},
    {R"(["pretix.*"])", "pretix.*"},
    {R"(["*"])", "*"},
    {R"([""])", ""},
    {R"(["PRETIX.EVENT.ORDER.PAID"])", "PRETIX.EVENT.ORDER.PAID"},
    {R"("foo")", "f"},
    {"\"\xc3\xa9x\"", "\\u00e9"},
    {"[5]", "5"},
    {"[true]", "True"},
    {"[null]", "None"},
    {R"([["a"]])", "['a']"},
    {R"([{"a":1}])", "{'a': 1}"},
    {R"({"x":1})", "x"},
  };
  for (const auto& [value, name] : unknown)
    refused("action_types", value,
            R"("Invalid action type \")" + std::string{name} + R"(\".")");
  for (const std::string_view value : {"5", "true", "1.5"})
    EXPECT_EQ(post(body_with("action_types", value)).status, 400);
}

TEST_F(WebhookFieldsTest, SayHowToRegisterWhatCouldBeATypeOfOnesOwn) {
  refused("action_types", R"(["pretix.event.order.paid","OrderPaid","bar"])",
          R"("Invalid action type \"OrderPaid\".",)"
          R"("Register it first: POST /api/v1/action-types/ )"
          R"({\"name\": \"OrderPaid\"}, or \"fanfare action-types create )"
          R"(OrderPaid\".")");
  service.types.add({.id = 100, .name = "order.created"});
  refused("action_types", R"(["ordr.created"])",
          R"("Invalid action type \"ordr.created\".",)"
          R"("Did you mean \"order.created\"? If it is a new one, register it )"
          R"(first: POST /api/v1/action-types/ {\"name\": \"ordr.created\"}, )"
          R"(or \"fanfare action-types create ordr.created\".")");
}

TEST_F(WebhookFieldsTest, TakeWildcardsOfOnesOwnTypes) {
  const auto types = [this](std::string_view value) {
    return boost::json::serialize(taken("action_types", value));
  };
  // Nothing is covered by them as yet.
  EXPECT_EQ(types(R"(["orders/*","order.*"])"), R"(["order.*","orders/*"])");
  refused("action_types", R"(["*"])", R"("Invalid action type \"*\".")");
  service.types.add({.id = 100, .name = "OrderCreated"});
  EXPECT_EQ(types(R"(["*"])"), R"(["*"])");
  EXPECT_EQ(types(R"(["OrderCreated"])"), R"(["OrderCreated"])");
  for (const std::string_view never : {"pretix.*", "pretix.event.order.*"})
    refused("action_types", "[\"" + std::string{never} + "\"]",
            R"("Invalid action type \")" + std::string{never} + R"(\".")");
}

TEST_F(WebhookFieldsTest, CheckTheComment) {
  EXPECT_EQ(taken("comment", "null"), nullptr);
  EXPECT_EQ(taken("comment", "\"\""), "");
  EXPECT_EQ(taken("comment", "\"   \""), "");
  EXPECT_EQ(taken("comment", "\" x y \""), "x y");
  EXPECT_EQ(taken("comment", "5"), "5");
  EXPECT_EQ(taken("comment", "1.5"), "1.5");
  EXPECT_EQ(taken("comment", "1.0"), "1.0");
  EXPECT_EQ(taken("comment", "1e22"), "1e+22");
  EXPECT_EQ(text_of(taken("comment", '"' + std::string(255, 'x') + '"')),
            std::string(255, 'x'));
  for (const std::string_view bad : {"true", "[]", "{}"})
    refused("comment", bad, R"("Not a valid string.")");
  refused("comment", '"' + std::string(256, 'x') + '"',
          R"("Ensure this field has no more than 255 characters.")");
  refused("comment", R"("a\u0000")", R"("Null characters are not allowed.")");
  EXPECT_NE(post(body_with("comment", "\"\xc3\xa9\xf0\x9f\x98\x80/\""))
              .body.find(R"("comment":"\u00e9\ud83d\ude00/")"),
            std::string::npos);
}

TEST_F(WebhookFieldsTest,
       IgnoreTheIdAndUnknownKeysAndTakeTheLastOfRepeatedOnes) {
  EXPECT_EQ(taken("id", "77"), 1);
  EXPECT_EQ(post(body_with("nonsense", "[{}]")).status, 201);
  EXPECT_EQ(
    post(
      R"({"target_url":5,"target_url":"https://b.com","limit_events":[],"action_types":[]})")
      .json()
      .at("target_url"),
    "https://b.com");
}

TEST_F(WebhookFieldsTest, MustBeAnObject) {
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"[]", "Invalid data. Expected a dictionary, but got list."},
    {"\"x\"", "Invalid data. Expected a dictionary, but got str."},
    {"5", "Invalid data. Expected a dictionary, but got int."},
    {"1.5", "Invalid data. Expected a dictionary, but got float."},
    {"true", "Invalid data. Expected a dictionary, but got bool."},
    {"null", "No data provided"},
  };
  for (const auto& [body, sentence] : cases) {
    const auto made = post(body);
    EXPECT_EQ(made.status, 400);
    EXPECT_EQ(made.body,
              "{\"non_field_errors\":[\"" + std::string{sentence} + "\"]}");
  }
}

TEST_F(WebhookFieldsTest, MustBeJson) {
  for (const std::string_view body :
       {"{", " ", "{\"a\":1,}", "{} x", "\xEF\xBB\xBF{}", "{\"a\":\"\xff\"}",
        "{'a':1}", R"({"comment":"\ud800"})"}) {
    const auto made = post(body);
    EXPECT_EQ(made.status, 400) << body;
    EXPECT_TRUE(made.body.starts_with(R"({"detail":"JSON parse error - )"))
      << made.body;
  }
  EXPECT_TRUE(post(std::string(100'000, '['))
                .body.starts_with(R"({"detail":"JSON parse error)"));
}

TEST_F(WebhookFieldsTest, LimitEventsExcludeAllEvents) {
  const std::string valid = R"("target_url":"https://a.com","action_types":[])";
  const auto made = post("{" + valid
                         + R"(,"limit_events":["dummy"],"all_events":true})");
  EXPECT_EQ(made.status, 400);
  EXPECT_EQ(
    made.body,
    R"({"non_field_errors":["You can set either limit_events or all_events."]})");
  // Only once all fields are valid.
  EXPECT_EQ(
    post(
      R"({"target_url":"x","action_types":[],"limit_events":["dummy"],"all_events":1})")
      .body,
    R"({"target_url":["Enter a valid URL."]})");
  EXPECT_EQ(
    post("{" + valid + R"(,"limit_events":["dummy"]})").json().at("all_events"),
    false);
  EXPECT_EQ(
    post("{" + valid + R"(,"limit_events":[],"all_events":false})").status,
    201);
  EXPECT_EQ(
    post("{" + valid + R"(,"limit_events":[],"all_events":true})").status, 201);
}

// -- forms --------------------------------------------------------------------

class WebhookFormsTest : public RestTest {
protected:
  const headers form{{"content-type", "application/x-www-form-urlencoded"}};
};

TEST_F(WebhookFormsTest, CanDoMostThings) {
  const auto made = post(
    "target_url=https%3A%2F%2Fa.com%2F%3Fx%3D1&limit_events=dummy&limit_events="
    "second&action_types=&enabled=on&comment=a+b",
    form);
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body,
            R"({"id":1,"enabled":true,"target_url":"https://a.com/?x=1",)"
            R"("all_events":false,"limit_events":["second","dummy"],)"
            R"("action_types":[],"comment":"a b"})");
}

TEST_F(WebhookFormsTest, MeanFalseByLeavingOut) {
  EXPECT_EQ(
    post("target_url=https://a.com&action_types=", form).body,
    R"({"id":1,"enabled":false,"target_url":"https://a.com","all_events":false,)"
    R"("limit_events":[],"action_types":[],"comment":null})");
  const auto path = make_hook();
  EXPECT_EQ(ask("PATCH", path, "comment=x", "hooks", form).json().at("enabled"),
            true);
  EXPECT_EQ(
    ask("PUT", path, "target_url=https://a.com&action_types=", "hooks", form)
      .json()
      .at("enabled"),
    false);
}

TEST_F(WebhookFormsTest, CannotNameActionTypes) {
  EXPECT_EQ(
    post("target_url=https://a.com&action_types=pretix.event.added", form).body,
    R"({"action_types":["Invalid action type \"p\"."]})");
  EXPECT_EQ(post("", form).body,
            R"({"target_url":["This field is required."],)"
            R"("action_types":["This field is required."]})");
}

// -- changes ------------------------------------------------------------------

class WebhookChangesTest : public RestTest {
protected:
  reply patch(std::string_view path, std::string_view body) {
    return ask("PATCH", path, body);
  }
  reply put(std::string_view path, std::string_view body) {
    return ask("PUT", path, body);
  }
};

TEST_F(WebhookChangesTest, PatchTakesAnySubset) {
  const auto path = make_hook();
  const auto before = get(path).body;
  EXPECT_EQ(patch(path, "{}").body, before);
  EXPECT_EQ(patch(path, "").body, before);
  EXPECT_EQ(patch(path, R"({"enabled":false})").json().at("enabled"), false);
  EXPECT_EQ(patch(path, R"({"comment":"x"})").json().at("comment"), "x");
  EXPECT_EQ(patch(path, R"({"comment":null})").json().at("comment"), nullptr);
  EXPECT_EQ(
    patch(path, R"({"target_url":"https://b.com"})").json().at("target_url"),
    "https://b.com");
  EXPECT_EQ(patch(path, R"({"target_url":null})").body,
            R"({"target_url":["This field may not be null."]})");
  EXPECT_EQ(get(path).json().at("target_url"), "https://b.com");
}

TEST_F(WebhookChangesTest, PutKeepsOptionalFieldsThatAreLeftOut) {
  const auto path = make_hook(
    R"({"target_url":"https://a.com","limit_events":["dummy"],)"
    R"("all_events":false,"action_types":[],"comment":"c","enabled":false})");
  EXPECT_EQ(put(path, R"({"target_url":"https://b.com"})").body,
            R"({"limit_events":["This field is required."],)"
            R"("action_types":["This field is required."]})");
  EXPECT_EQ(
    put(path, R"({"target_url":"https://b.com","limit_events":["second"],)"
              R"("action_types":["pretix.event.added"]})")
      .body,
    R"({"id":1,"enabled":false,"target_url":"https://b.com","all_events":false,)"
    R"("limit_events":["second"],"action_types":["pretix.event.added"],"comment":"c"})");
}

TEST_F(WebhookChangesTest, ActionTypesAreASet) {
  const auto path = make_hook(
    R"({"target_url":"https://a.com","limit_events":[],)"
    R"("action_types":["pretix.event.added","pretix.event.added"]})");
  const auto set = [&](std::string_view types) {
    return boost::json::serialize(
      patch(path, R"({"action_types":)" + std::string{types} + '}')
        .json()
        .at("action_types"));
  };
  EXPECT_EQ(set(R"(["pretix.event.added"])"),
            R"(["pretix.event.added","pretix.event.added"])");
  EXPECT_EQ(set(R"(["pretix.event.changed","pretix.event.changed"])"),
            R"(["pretix.event.changed"])");
  EXPECT_EQ(set(R"(["pretix.event.changed","pretix.event.added"])"),
            R"(["pretix.event.added","pretix.event.changed"])");
  EXPECT_EQ(set("[]"), "[]");
}

TEST_F(WebhookChangesTest, TheRuleOfEventsLooksAtWhatIsStored) {
  const std::string both =
    R"({"non_field_errors":["You can set either limit_events or all_events."]})";
  const auto limited = make_hook(
    R"({"target_url":"https://a.com","limit_events":["dummy"],)"
    R"("all_events":false,"action_types":[]})");
  EXPECT_EQ(patch(limited, R"({"all_events":true})").body, both);
  EXPECT_EQ(
    patch(limited, R"({"all_events":true,"limit_events":["second"]})").body,
    both);
  EXPECT_EQ(patch(limited, R"({"enabled":false})").status, 200);
  EXPECT_EQ(patch(limited, R"({"all_events":true,"limit_events":[]})").status,
            200);
  const auto all = make_hook();
  const auto refused = patch(all, R"({"limit_events":["dummy"]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, both);
  EXPECT_EQ(
    patch(all, R"({"limit_events":["dummy"],"all_events":false})").status, 200);
}

TEST_F(WebhookChangesTest, AContradictionThatIsStoredMustBeFixedFirst) {
  const auto path = make_hook();
  service.hooks[0].events = {"dummy"};
  EXPECT_EQ(patch(path, R"({"enabled":false})").status, 400);
  EXPECT_EQ(patch(path, "{}").status, 400);
  EXPECT_EQ(ask("DELETE", path).status, 204);
  EXPECT_EQ(patch(path, R"({"limit_events":[]})").status, 200);
}

TEST_F(WebhookChangesTest, DeleteDisablesAndKeeps) {
  const auto path = make_hook();
  for (int i = 0; i < 2; ++i) {
    const auto gone = ask("DELETE", path);
    EXPECT_EQ(gone.status, 204);
    EXPECT_EQ(gone.body, "");
  }
  EXPECT_EQ(get(path).json().at("enabled"), false);
  EXPECT_EQ(get(hooks_path).json().at("count"), 1);
  EXPECT_EQ(patch(path, R"({"enabled":true})").json().at("enabled"), true);
}

} // namespace
} // namespace fanfare::test
