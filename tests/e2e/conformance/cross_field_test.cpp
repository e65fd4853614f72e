// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// §5.5: all events or some, never both.

#include "tests/e2e/conformance/conformance_test.hpp"

namespace fanfare::test {

namespace {

const std::string either =
  R"({"non_field_errors":["You can set either limit_events or all_events."]})";

class CrossFieldTest : public ConformanceTest {
protected:
  static std::string whole(const std::string& more) {
    return R"({"target_url":"https://google.com","action_types":[],)" + more
         + '}';
  }

  static std::string hook(const std::string& all, const std::string& events) {
    return R"({"id":$id,"enabled":true,"target_url":"https://google.com",)"
           R"("all_events":)"
         + all + R"(,"limit_events":)" + events
         + R"(,"action_types":[],"comment":null})";
  }
};

TEST_F(CrossFieldTest, CreatingTakesOneOfTheTwo) {
  const struct {
    const char* sent;
    const char* all;
    const char* events;
  } good[] = {
    {R"("limit_events":[],"all_events":true)", "true", "[]"},
    {R"("limit_events":[],"all_events":false)", "false", "[]"},
    {R"("limit_events":["dummy"],"all_events":false)", "false", R"(["dummy"])"},
    {R"("limit_events":["dummy"],"all_events":"off")", "false", R"(["dummy"])"},
    {R"("limit_events":[])", "true", "[]"},
    // On purpose not the contradiction that the compatible API makes of it.
    {R"("limit_events":["dummy","second"])", "false", R"(["second","dummy"])"},
  };
  for (const auto& [sent, all, events] : good) {
    const auto made = expect({"POST", "webhooks/", whole(sent), 201});
    id_ = boost::json::serialize(made.json().at("id"));
    EXPECT_EQ(made.body, fill(hook(all, events))) << sent;
    // One made without all_events can be changed like any other.
    expect({"PATCH", "webhooks/$id/", R"({"comment":null})", 200, made.body});
  }
  const auto before = ask({"GET", "webhooks/"}).body;
  for (const std::string sent :
       {R"("limit_events":["dummy"],"all_events":true)",
        R"("all_events":1,"limit_events":["dummy","second"])",
        R"("all_events":"YES","limit_events":{"dummy":0})"})
    expect({"POST", "webhooks/", whole(sent), 400, either});
  EXPECT_EQ(ask({"GET", "webhooks/"}).body, before);
}

TEST_F(CrossFieldTest, IsLookedAtOnceAllFieldsAreValid) {
  add_webhook();
  for (const auto& [method, target] :
       {std::pair{"POST", "webhooks/"}, std::pair{"PUT", "webhooks/$id/"}})
    expect_all({
      {method, target,
       R"({"target_url":"x","action_types":[],"limit_events":["dummy"],)"
       R"("all_events":true})",
       400, R"({"target_url":["Enter a valid URL."]})"},
      {method, target,
       R"({"target_url":"https://a.com","limit_events":["dummy"],)"
       R"("all_events":true})",
       400, R"({"action_types":["This field is required."]})"},
      {method, target, whole(R"("limit_events":["nope"],"all_events":true)"),
       400, R"({"limit_events":["Object with slug=nope does not exist."]})"},
      {method, target, whole(R"("limit_events":["dummy"],"all_events":true)"),
       400, either},
    });
}

TEST_F(CrossFieldTest, ChangingOverlaysWhatIsStored) {
  const auto limited = hook("false", R"(["dummy"])");
  const auto unlimited = hook("true", "[]");
  const auto neither = hook("false", "[]");
  add_webhook(R"("limit_events":["dummy"],"all_events":false,)");
  expect_all({
    {"PATCH", "webhooks/$id/", R"({"all_events":true})", 400, either},
    {"PUT", "webhooks/$id/",
     whole(R"("limit_events":["second"],"all_events":true)"), 400, either},
    {"GET", "webhooks/$id/", {}, 200, limited},
    {"PATCH", "webhooks/$id/", R"({"all_events":false})", 200, limited},
    {"PATCH", "webhooks/$id/", R"({"limit_events":["second"]})", 200,
     hook("false", R"(["second"])")},
    {"PATCH", "webhooks/$id/", R"({"all_events":true,"limit_events":[]})", 200,
     unlimited},
    {"PATCH", "webhooks/$id/", R"({"limit_events":["dummy"]})", 400, either},
    // What PUT leaves out stays, and so contradicts.
    {"PUT", "webhooks/$id/", whole(R"("limit_events":["dummy"])"), 400, either},
    {"GET", "webhooks/$id/", {}, 200, unlimited},
    {"PATCH", "webhooks/$id/", R"({"limit_events":[]})", 200, unlimited},
    {"PATCH", "webhooks/$id/", R"({"all_events":false})", 200, neither},
    {"PATCH", "webhooks/$id/", R"({"limit_events":["dummy"]})", 200, limited},
    {"PATCH", "webhooks/$id/", R"({"limit_events":[]})", 200, neither},
    {"PATCH", "webhooks/$id/", R"({"all_events":true})", 200, unlimited},
    {"PATCH", "webhooks/$id/",
     R"({"limit_events":["dummy"],"all_events":false})", 200, limited},
    {"DELETE", "webhooks/$id/", {}, 204, ""},
  });
}

} // namespace

} // namespace fanfare::test
