// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// §5.6: PUT, PATCH and DELETE, and what action_types become by them.

#include "tests/e2e/conformance/conformance_test.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_sink.hpp"

namespace fanfare::test {

namespace {

constexpr const char* paid = "pretix.event.order.paid";
constexpr const char* placed = "pretix.event.order.placed";

std::string types(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? "" : ",") + as_json(name);
  return '[' + out + ']';
}

class UpdateTest : public ConformanceTest {
protected:
  void SetUp() override {
    ConformanceTest::SetUp();
    add_webhook(R"("enabled":false,"all_events":false,"comment":"keep",)"
                R"("limit_events":["dummy"],)"
                R"("action_types":["pretix.event.order.paid"],)");
    stored_ = ask({"GET", "webhooks/$id/"}).body;
  }

  std::string stored_;
};

TEST_F(UpdateTest, PutNeedsItsFieldsAndKeepsTheOthers) {
  expect_all({
    {"PUT", "webhooks/$id/", "{}", 400,
     R"({"target_url":["This field is required."],)"
     R"("limit_events":["This field is required."],)"
     R"("action_types":["This field is required."]})"},
    {"PUT", "webhooks/$id/", "", 400,
     R"({"target_url":["This field is required."],)"
     R"("limit_events":["This field is required."],)"
     R"("action_types":["This field is required."]})"},
    {"PUT", "webhooks/$id/", R"({"target_url":"https://b.com"})", 400,
     R"({"limit_events":["This field is required."],)"
     R"("action_types":["This field is required."]})"},
    {"PUT", "webhooks/$id/", R"({"enabled":true})", 400,
     R"({"target_url":["This field is required."],)"
     R"("limit_events":["This field is required."],)"
     R"("action_types":["This field is required."]})"},
    {"GET", "webhooks/$id/", {}, 200, stored_},
    {"PUT", "webhooks/$id/",
     R"({"target_url":"https://b.com","limit_events":["second"],)"
     R"("action_types":["pretix.event.order.placed"]})",
     200,
     R"({"id":$id,"enabled":false,"target_url":"https://b.com",)"
     R"("all_events":false,"limit_events":["second"],)"
     R"("action_types":["pretix.event.order.placed"],"comment":"keep"})"},
    {"PUT", "webhooks/$id/",
     R"({"target_url":"https://b.com","limit_events":[],"action_types":[],)"
     R"("enabled":true,"all_events":true,"comment":null})",
     200,
     R"({"id":$id,"enabled":true,"target_url":"https://b.com",)"
     R"("all_events":true,"limit_events":[],"action_types":[],)"
     R"("comment":null})"},
  });
}

TEST_F(UpdateTest, PatchTakesAnySubset) {
  const auto with = [](const std::string& enabled, const std::string& url,
                       const std::string& events, const std::string& names,
                       const std::string& comment) {
    return R"({"id":$id,"enabled":)" + enabled + R"(,"target_url":)" + url
         + R"(,"all_events":false,"limit_events":)" + events
         + R"(,"action_types":)" + names + R"(,"comment":)" + comment + '}';
  };
  const std::string google = R"("https://google.com")";
  const std::string b = R"("https://b.com")";
  expect_all({
    {"PATCH", "webhooks/$id/", "{}", 200, stored_},
    {"PATCH", "webhooks/$id/", "", 200, stored_},
    {"PATCH", "webhooks/$id/", {}, 200, stored_},
    {"PATCH", "webhooks/$id/", R"({"id":77,"organizer":"x","nonsense":[{}]})",
     200, stored_},
    {"PATCH", "webhooks/$id/", R"({"enabled":true})", 200,
     with("true", google, R"(["dummy"])", types({paid}), R"("keep")")},
    {"PATCH", "webhooks/$id/", R"({"target_url":"https://b.com"})", 200,
     with("true", b, R"(["dummy"])", types({paid}), R"("keep")")},
    {"PATCH", "webhooks/$id/", R"({"limit_events":["second"]})", 200,
     with("true", b, R"(["second"])", types({paid}), R"("keep")")},
    {"PATCH", "webhooks/$id/", R"({"action_types":[]})", 200,
     with("true", b, R"(["second"])", "[]", R"("keep")")},
    {"PATCH", "webhooks/$id/", R"({"comment":""})", 200,
     with("true", b, R"(["second"])", "[]", R"("")")},
    {"PATCH", "webhooks/$id/", R"({"comment":null})", 200,
     with("true", b, R"(["second"])", "[]", "null")},
    // All or nothing.
    {"PATCH", "webhooks/$id/", R"({"comment":"x","enabled":"perhaps"})", 400,
     R"({"enabled":["Must be a valid boolean."]})"},
    {"GET",
     "webhooks/$id/",
     {},
     200,
     with("true", b, R"(["second"])", "[]", "null")},
  });
}

// Duplicates: POST keeps them. PUT and PATCH compare sets, so that what was
// there twice stays, and what is new comes once.
TEST_F(UpdateTest, ActionTypesAreASetWhenChanged) {
  const auto expect_types = [this](const char* method,
                                   const std::vector<std::string>& sent,
                                   const std::vector<std::string>& now) {
    const auto answer = expect(
      {method, "webhooks/$id/",
       R"({"target_url":"https://google.com","limit_events":["dummy"],)"
       R"("action_types":)"
         + types(sent) + '}'});
    EXPECT_EQ(boost::json::serialize(answer.json().at("action_types")),
              types(now));
  };
  add_webhook(R"("all_events":false,"action_types":)"
              + types({placed, paid, placed}) + ',');
  EXPECT_EQ(boost::json::serialize(
              ask({"GET", "webhooks/$id/"}).json().at("action_types")),
            types({paid, placed, placed}));
  for (const auto* method : {"PUT", "PATCH"}) {
    expect_types(method, {placed, placed, paid}, {paid, placed, placed});
    expect_types(method, {paid, placed}, {paid, placed, placed});
  }
  expect_types("PATCH", {placed}, {placed, placed});
  expect_types("PATCH", {paid, paid}, {paid});
  expect_types("PUT", {placed, paid, placed, paid}, {paid, placed});
  expect_types("PUT", {}, {});
}

TEST_F(UpdateTest, DeleteDisablesAndKeepsEverything) {
  expect({"PATCH", "webhooks/$id/", R"({"enabled":true})"});
  const auto disabled = stored_;
  for (int i = 0; i < 2; ++i)
    expect_all({
      {"DELETE", "webhooks/$id/", {}, 204, ""},
      {"GET", "webhooks/$id/", {}, 200, disabled},
      {"GET",
       "webhooks/",
       {},
       200,
       R"({"count":1,"next":null,"previous":null,"results":[)" + disabled
         + "]}"},
    });
  expect_all({
    {"DELETE", "webhooks/$id/", "{", 204, ""}, // a body is not looked at
    {"DELETE", "webhooks/999999/", {}, 404, no_such_webhook},
    {"PATCH", "webhooks/$id/", R"({"comment":"still here"})"},
    {"PATCH", "webhooks/$id/", R"({"enabled":true,"comment":"keep"})"},
  });
  EXPECT_EQ(ask({"GET", "webhooks/$id/"}).json().at("enabled"), true);
  // Ids are never used again.
  const auto last = std::stoull(id_);
  EXPECT_EQ(std::stoull(add_webhook()), last + 1);
}

TEST_F(UpdateTest, ReenablingDoesNotReviveRetries) {
  http_sink sink{
    [](const request_record&) { return response_plan::answer(500); }};
  add_webhook(R"("action_types":["pretix.event.added"],"target_url":)"
              + as_json(sink.url())
              + R"(,"delivery":{"schedule":[3600,3600]},)");
  expect({.method = "POST",
          .target = "notifications/",
          .body = R"({"action":"pretix.event.added"})",
          .status = 202,
          .who = as::sender});
  const auto waiting = [this] {
    return ask({"GET", "webhooks/$id/retries/"}).json().at("count").as_int64();
  };
  ASSERT_TRUE(eventually(patience, [&] { return waiting() == 1; }));
  expect({"DELETE", "webhooks/$id/", {}, 204, ""});
  EXPECT_EQ(waiting(), 0);
  expect({"PATCH", "webhooks/$id/", R"({"enabled":true})"});
  EXPECT_EQ(waiting(), 0);
}

TEST_F(UpdateTest, ChangesSurviveARestart) {
  const auto patched = expect({"PATCH", "webhooks/$id/",
                               "{\"comment\":\"\xc3\xa9\",\"action_types\":"
                                 + types({paid, placed}) + '}'});
  for (const bool gracefully : {true, false}) {
    restart(gracefully);
    expect({"GET", "webhooks/$id/", {}, 200, patched.body});
  }
}

} // namespace

} // namespace fanfare::test
