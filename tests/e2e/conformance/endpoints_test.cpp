// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// §5.1: the endpoints, their paths, and how answers look.

#include "tests/e2e/conformance/conformance_test.hpp"

namespace fanfare::test {

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class EndpointsTest : public ConformanceTest {
protected:
  const std::string valid{
    R"({"target_url":"https://google.com","limit_events":[],"action_types":[]})"};
  const std::string html{"text/html; charset=utf-8"};
};

// Keys and their order, sorting, compactness; the example of §5.1.
TEST_F(EndpointsTest, AnswerWithTheDocumentedObject) {
  const auto made = expect(
    {"POST", "webhooks/",
     R"({ "comment" : null, "action_types": ["pretix.event.order.placed",
        "pretix.event.order.paid"], "limit_events": ["dummy"],
        "all_events":false,"target_url":"https://google.com","enabled":true})",
     201});
  id_ = boost::json::serialize(made.json().at("id"));
  EXPECT_FALSE(made.header("Location"));
  EXPECT_EQ(made.body,
            R"({"id":)" + id_
              + R"(,"enabled":true,"target_url":"https://google.com",)"
                R"("all_events":false,"limit_events":["dummy"],)"
                R"("action_types":["pretix.event.order.paid",)"
                R"("pretix.event.order.placed"],"comment":null})");
  expect_all({
    {"GET", "webhooks/$id/", {}, 200, made.body},
    {"PUT", "webhooks/$id/",
     R"({"target_url":"https://google.com","limit_events":["dummy"],)"
     R"("action_types":["pretix.event.order.placed",)"
     R"("pretix.event.order.paid"]})",
     200, made.body},
    {"PATCH", "webhooks/$id/", "{}", 200, made.body},
    {"GET",
     "webhooks/",
     {},
     200,
     R"({"count":1,"next":null,"previous":null,"results":[)" + made.body
       + "]}"},
    {"DELETE", "webhooks/$id/", {}, 204, ""},
  });
}

// limit_events by name, then slug; duplicates collapse. action_types sorted.
TEST_F(EndpointsTest, SortTheListsOfAWebhook) {
  add_event(org_, "aaa", "Zulu");
  add_event(org_, "zzz", "Alpha");
  add_event(org_, "lower", "alpha");
  id_ = add_webhook(
    R"("limit_events":["dummy","zzz","lower","aaa","second","dummy"],)"
    R"("action_types":["pretix.voucher.added","pretix.event.order.changed.*",)"
    R"("pretix.event.order.approved","pretix.customer.created"],)");
  expect({"GET",
          "webhooks/$id/",
          {},
          200,
          R"({"id":$id,"enabled":true,"target_url":"https://google.com",)"
          R"("all_events":false,)"
          R"("limit_events":["second","zzz","aaa","dummy","lower"],)"
          R"("action_types":["pretix.customer.created",)"
          R"("pretix.event.order.approved","pretix.event.order.changed.*",)"
          R"("pretix.voucher.added"],"comment":null})"});
}

TEST_F(EndpointsTest, EscapeWhatIsNotAsciiAndNoSlashes) {
  add_webhook("\"comment\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/<>&'"
              R"(\"\\\u0007\b\f\n\r\t\u007f)"
              "x\","
              "\"target_url\":\"https://b\xc3\xbc"
              "cher.de/\xc3\xa9\",");
  expect(
    {"GET",
     "webhooks/$id/",
     {},
     200,
     R"({"id":$id,"enabled":true,)"
     R"("target_url":"https://b\u00fccher.de/\u00e9","all_events":true,)"
     R"("limit_events":[],"action_types":[],)"
     R"("comment":"\u00e9\u20ac\ud83d\ude00/<>&'\"\\\u0007\b\f\n\r\t\u007fx"})"});
  // In sentences and in links as well.
  expect_all({
    {"POST", "webhooks/", body_with("limit_events", "[\"\xc3\xa9/\"]"), 400,
     R"({"limit_events":["Object with slug=\u00e9/ does not exist."]})"},
    {"GET", "webhooks/?q=%C3%A9/&page_size=1", {}, 200},
  });
}

TEST_F(EndpointsTest, IndentOnDemand) {
  add_webhook(R"("all_events":false,"limit_events":["dummy"],)");
  const auto pretty = [](const std::string& in) {
    return "{\n" + in + "\"count\": 1,\n" + in + "\"next\": null,\n" + in
         + "\"previous\": null,\n" + in + "\"results\": [\n" + in + in + "{\n"
         + in + in + in + "\"id\": $id,\n" + in + in + in
         + "\"enabled\": true,\n" + in + in + in
         + "\"target_url\": \"https://google.com\",\n" + in + in + in
         + "\"all_events\": false,\n" + in + in + in + "\"limit_events\": [\n"
         + in + in + in + in + "\"dummy\"\n" + in + in + in + "],\n" + in + in
         + in + "\"action_types\": [],\n" + in + in + in + "\"comment\": null\n"
         + in + in + "}\n" + in + "]\n}";
  };
  const auto compact = ask({"GET", "webhooks/"}).body;
  const auto with = [&](const std::string& accept, const std::string& answer) {
    expect({"GET", "webhooks/", {}, 200, answer, {{"Accept", accept}}});
  };
  with("application/json; indent=4", pretty("    "));
  with("application/json;indent=4", pretty("    "));
  with("application/json; indent=1", pretty(" "));
  with("application/json; indent=8", pretty("        "));
  with("application/json; indent=9", pretty("        "));
  with("application/json; indent=99999999999999999999", pretty("        "));
  with("text/html, application/json; indent=2, */*", pretty("  "));
  for (const auto* none : {"0", "-1", "", "x", "4.0"})
    with(std::string{"application/json; indent="} + none, compact);
  with("application/json", compact);
  // Whatever the answer is.
  const rest_client::fields two{{"Accept", "application/json; indent=2"}};
  expect_all({
    {"GET",
     "webhooks/?page=9",
     {},
     404,
     "{\n  \"detail\": \"Invalid page.\"\n}",
     two},
    {"POST", "webhooks/", R"({"target_url":"https://a.com","limit_events":[]})",
     400, "{\n  \"action_types\": [\n    \"This field is required.\"\n  ]\n}",
     two},
    {.method = "GET",
     .target = "webhooks/",
     .status = 401,
     .answer = "{\n  \"detail\": \"Authentication credentials were not "
               "provided.\"\n}",
     .sent = two,
     .who = as::nobody},
  });
}

TEST_F(EndpointsTest, DescribeThemselves) {
  add_webhook();
  const std::string front =
    R"(","description":"","renders":["application/json"],)"
    R"("parses":["application/json","application/x-www-form-urlencoded"])";
  const std::string fields =
    R"({"id":{"type":"integer","required":false,"read_only":true,"label":"ID"},)"
    R"("enabled":{"type":"boolean","required":false,"read_only":false,"label":"Enabled"},)"
    R"("target_url":{"type":"url","required":true,"read_only":false,"label":"Target url"},)"
    R"("all_events":{"type":"boolean","required":false,"read_only":false,"label":"All events"},)"
    R"("limit_events":{"type":"field","required":true,"read_only":false,"label":"Limit events"},)"
    R"("action_types":{"type":"field","required":true,"read_only":false,"label":"Action types"},)"
    R"("comment":{"type":"string","required":false,"read_only":false,"label":"Comment"}})";
  const std::string list_allow = "GET, POST, HEAD, OPTIONS";
  const std::string one_allow = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";
  const auto list = R"({"name":"Web Hook List)" + front
                  + R"(,"actions":{"POST":)" + fields + "}}";
  const auto one = R"({"name":"Web Hook Instance)" + front
                 + R"(,"actions":{"PUT":)" + fields + "}}";
  const auto unknown = R"({"name":"Web Hook Instance)" + front + '}';
  expect_all({
    {"OPTIONS", "webhooks/", {}, 200, list, {}, {{"Allow", list_allow}}},
    {"OPTIONS", "webhooks.json", {}, 200, list, {}, {{"Allow", list_allow}}},
    {"OPTIONS", "webhooks/$id/", {}, 200, one, {}, {{"Allow", one_allow}}},
    {"OPTIONS", "webhooks/$id.json", {}, 200, one, {}, {{"Allow", one_allow}}},
    {"OPTIONS",
     "webhooks/999999/",
     {},
     200,
     unknown,
     {},
     {{"Allow", one_allow}}},
    {"OPTIONS", "webhooks/abc/", {}, 200, unknown},
    {.method = "OPTIONS",
     .target = "webhooks/",
     .status = 403,
     .answer = no_permission,
     .who = as::sender},
    {.method = "OPTIONS",
     .target = "webhooks/$id/",
     .status = 401,
     .answer = detail("Authentication credentials were not provided."),
     .who = as::nobody},
  });
}

TEST_F(EndpointsTest, AreLedToTheSlash) {
  add_webhook();
  const std::string base = "/api/v1/organizers/$org/webhooks";
  // Before any authentication, whatever exists.
  for (const std::string method : {"GET", "HEAD", "OPTIONS", "DELETE"})
    for (const auto& path :
         {base, base + "/$id", base + "/999999", base + "/abc",
          std::string{"/api/v1/organizers/nobody/webhooks"}})
      for (const auto who : {as::nobody, as::manager})
        for (const std::string query :
             {"", "?page=2", "?b=1&a=%20x+y&a=&c", "?enabled=false"})
          expect({.method = method,
                  .target = path + query,
                  .status = 301,
                  .expected = {{"Location", path + '/' + query}},
                  .who = who});
  expect({.method = "GET",
          .target = base,
          .status = 301,
          .sent = {{"Accept", "text/html"}},
          .expected = {{"Location", base + '/'}},
          .who = as::nobody});
  // A body would be lost on the way.
  for (const std::string method : {"POST", "PUT", "PATCH"})
    for (const auto& path : {base, base + "/$id"})
      for (const auto who : {as::nobody, as::manager})
        expect({.method = method,
                .target = path,
                .body = valid,
                .status = 404,
                .expected = {{"Content-Type", html}},
                .who = who});
  expect({"GET", "webhooks/$id/"}); // still there
}

TEST_F(EndpointsTest, HaveAJsonSuffixForEveryVerb) {
  const auto made = expect({"POST", "webhooks.json", valid, 201});
  id_ = boost::json::serialize(made.json().at("id"));
  expect_all({
    {"GET",
     "webhooks.json",
     {},
     200,
     R"({"count":1,"next":null,"previous":null,"results":[)" + made.body
       + "]}"},
    {"GET", "webhooks.json/"},
    {"GET", "webhooks/$id.json", {}, 200, made.body},
    {"GET", "webhooks/$id.json/", {}, 200, made.body},
    {"PUT", "webhooks/$id.json", valid, 200, made.body},
    {"PATCH", "webhooks/$id.json", "{}", 200, made.body},
    {"DELETE", "webhooks/$id.json", {}, 204, ""},
    {"OPTIONS", "webhooks/$id.json"},
    {"GET", "webhooks.json?format=xml"}, // the suffix goes first
    {"GET", "webhooks/?format=json"},
    {"GET", "webhooks/?format="},
    {"GET", "webhooks/abc.json", {}, 404, not_found},
    {"GET", "webhooks/999999.json", {}, 404, no_such_webhook},
  });
  for (const std::string suffix : {".xml", ".html", ".api", ".js", ".json2"})
    for (const std::string path : {"webhooks", "webhooks/$id"})
      for (const auto who : {as::nobody, as::stranger, as::manager})
        for (const std::string method : {"GET", "POST", "DELETE", "OPTIONS"})
          expect({.method = method,
                  .target = path + suffix,
                  .status = 404,
                  .answer = not_found,
                  .who = who});
  expect_all({
    {"GET", "webhooks/?format=xml", {}, 404, not_found},
    {"GET", "webhooks/?format=JSON", {}, 404, not_found},
    {"GET", "webhooks.JSON", {}, 404, {}, {}, {{"Content-Type", html}}},
    {"GET", "webhooks.", {}, 404, {}, {}, {{"Content-Type", html}}},
  });
}

// No endpoint for calls and the like at the compatible API's place; the
// "/webhook/(id)/" of its documentation is a typing error.
TEST_F(EndpointsTest, ThatDoNotExistAreHtml) {
  add_webhook();
  for (const std::string target :
       {"/api/", "/api/v1/", "/api/v2/organizers/",
        "/api/v1/organizers/$org/x/", "/api/v1/organizers/$org/webhook/$id/",
        "/api/v1/organizers/$org/webhooks/$id/nothing/",
        "/api/v1/organizers/$org/webhooks/$id/$id/",
        "/api/v1/organizers//webhooks/", "/api/v1/organizers/$org/webhooks//",
        "/api/v1/organizers/$org/webhooks/1.5.json",
        "/api/v1/organizers/$org/Webhooks/"})
    for (const std::string method :
         {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
      for (const auto who : {as::nobody, as::manager}) {
        const auto answer = expect({.method = method,
                                    .target = target,
                                    .status = 404,
                                    .expected = {{"Content-Type", html}},
                                    .who = who});
        EXPECT_THAT(answer.body, StartsWith("<!doctype html>"));
      }
  for (const std::string target : {"/nothing", "/apix/v1/"})
    expect({"GET", target, {}, 404, not_found});
}

} // namespace

} // namespace fanfare::test
