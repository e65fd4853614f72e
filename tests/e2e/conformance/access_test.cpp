// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// §5.2: who may, and in which order a request is checked.

#include "tests/e2e/conformance/conformance_test.hpp"

namespace fanfare::test {

namespace {

using ::testing::MatchesRegex;

constexpr const char* list_allow = "GET, POST, HEAD, OPTIONS";
constexpr const char* one_allow = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";

const std::string not_provided = detail(
  "Authentication credentials were not provided.");
const std::string unsatisfied = detail(
  "Could not satisfy the request Accept header.");

std::string not_allowed(const std::string& method) {
  return detail("Method \"" + method + "\" not allowed.");
}

class AccessTest : public ConformanceTest {
protected:
  void SetUp() override {
    ConformanceTest::SetUp();
    add_webhook();
  }
};

TEST_F(AccessTest, NeedsAValidToken) {
  std::string revoked_id;
  const auto revoked = add_token(org_, "short-lived", R"(["webhooks"])",
                                 &revoked_id);
  expect_all({
    {.method = "GET",
     .target = "webhooks/",
     .sent = {{"Authorization", "Token " + revoked}},
     .who = as::nobody},
    {.method = "DELETE",
     .target = "tokens/" + revoked_id + '/',
     .status = 204,
     .who = as::owner},
  });
  const auto good = key_of(as::manager);
  EXPECT_THAT(good, MatchesRegex("[a-z0-9]+"));
  EXPECT_EQ(good.size(), 64U);
  const struct {
    std::string header;
    std::string sentence;
  } bad[] = {
    {"Bearer " + good + "x", "Authentication credentials were not provided."},
    {"Bearer " + revoked, "Authentication credentials were not provided."},
    {"Basic YTpi", "Authentication credentials were not provided."},
    {"Device " + good, "Authentication credentials were not provided."},
    {"Tokens " + good, "Authentication credentials were not provided."},
    {good, "Authentication credentials were not provided."},
    {"Token" + good, "Authentication credentials were not provided."},
    {"", "Authentication credentials were not provided."},
    {"Token nonsense", "Invalid token."},
    {"Token " + good + "x", "Invalid token."},
    {"Token " + good.substr(1), "Invalid token."},
    {"Token \xc3\xa9", "Invalid token."},
    {"Token " + revoked, "Token inactive or deleted."},
    {"Token", "Invalid token header. No credentials provided."},
    {"token ", "Invalid token header. No credentials provided."},
    {"Token a b",
     "Invalid token header. Token string should not contain spaces."},
    {"Token " + good + " x",
     "Invalid token header. Token string should not contain spaces."},
  };
  for (const auto& [header, sentence] : bad)
    expect({.method = "GET",
            .target = "webhooks/",
            .status = 401,
            .answer = detail(sentence),
            .sent = {{"Authorization", header}},
            .expected = {{"WWW-Authenticate", "Token"}},
            .who = as::nobody});
  for (const std::string method : {"POST", "OPTIONS", "PUT", "TRACE"})
    expect({.method = method,
            .target = "webhooks/",
            .status = 401,
            .answer = not_provided,
            .who = as::nobody});
  for (const auto& header : {"Token " + good, "token " + good, "TOKEN " + good,
                             "tOkEn\t" + good, "Token   " + good + " "})
    expect({.method = "GET",
            .target = "webhooks/",
            .sent = {{"Authorization", header}},
            .who = as::nobody});
}

TEST_F(AccessTest, NeedsThePermissionForReadsAndWrites) {
  const std::string whole =
    R"({"target_url":"https://google.com","limit_events":[],"action_types":[]})";
  const row requests[] = {
    {"GET", "webhooks/"},
    {"POST", "webhooks/", whole, 201},
    {"OPTIONS", "webhooks/"},
    {"GET", "webhooks/$id/"},
    {"PUT", "webhooks/$id/", whole},
    {"PATCH", "webhooks/$id/", "{}"},
    {"OPTIONS", "webhooks/$id/"},
    {"DELETE", "webhooks/$id/", {}, 204},
  };
  for (auto request : requests) {
    for (const auto who : {as::manager, as::owner, as::admin}) {
      request.who = who;
      expect(request);
    }
    request.status = 403;
    request.answer = no_permission;
    for (const auto who : {as::sender, as::stranger}) {
      request.who = who;
      expect(request);
    }
  }
}

TEST_F(AccessTest, DoesNotTellWhichOrganizersExist) {
  const std::string upper = "/api/v1/organizers/ORG" + org_.substr(3)
                          + "/webhooks/";
  for (const auto& target :
       {std::string{"/api/v1/organizers/nobody/webhooks/"},
        std::string{"/api/v1/organizers/$other/webhooks/"},
        std::string{"/api/v1/organizers/$org%20/webhooks/"},
        std::string{"/api/v1/organizers/%2e%2e/webhooks/"},
        std::string{"/api/v1/organizers/nobody/webhooks/$id/"}, upper})
    for (const std::string method :
         {"GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
      expect({.method = method,
              .target = target,
              .status = 403,
              .answer = no_permission});
      expect({.method = method,
              .target = target,
              .status = 401,
              .answer = not_provided,
              .who = as::nobody});
    }
  expect(
    {.method = "GET", // the slug, spelled otherwise
     .target = "/api/v1/organizers/%6F%72%67" + org_.substr(3) + "/webhooks/"});
}

TEST_F(AccessTest, DoesNotFindWhatIsNotThere) {
  const auto mine = id_;
  for (const std::string id :
       {"999999", "0", "-1", "9223372036854775807", "9223372036854775808",
        "18446744073709551617", "99999999999999999999999999"})
    for (const std::string method : {"GET", "PUT", "PATCH", "DELETE"})
      expect({method, "webhooks/" + id + '/', {}, 404, no_such_webhook});
  for (const std::string id :
       {"abc", "1a", "0x1", "1e3", "%20", "1%2F2", "_1", "1_", "--1", "%00"})
    for (const std::string method : {"GET", "PUT", "PATCH", "DELETE"})
      expect({method, "webhooks/" + id + '/', {}, 404, not_found});
  for (const auto& id : {mine, '+' + mine, "00" + mine, "%20" + mine + "%20"})
    expect({"GET", "webhooks/" + id + '/'});
  // Of another organizer, although it may be managed as well.
  for (const std::string method : {"GET", "PUT", "PATCH", "DELETE"})
    for (const auto who : {as::stranger, as::admin})
      expect({.method = method,
              .target = "/api/v1/organizers/$other/webhooks/$id/",
              .status = 404,
              .answer = no_such_webhook,
              .who = who});
}

TEST_F(AccessTest, NamesTheMethodsThatWork) {
  for (const std::string method : {"PUT", "PATCH", "DELETE", "TRACE", "BREW"})
    for (const std::string target : {"webhooks/", "webhooks.json"})
      expect({method,
              target,
              {},
              405,
              not_allowed(method),
              {},
              {{"Allow", list_allow}}});
  for (const std::string method : {"POST", "TRACE", "LOCK"})
    for (const std::string target : {"webhooks/$id/", "webhooks/$id.json"})
      expect({method,
              target,
              {},
              405,
              not_allowed(method),
              {},
              {{"Allow", one_allow}}});
}

TEST_F(AccessTest, AnswersInJsonOrNotAtAll) {
  for (const std::string accept :
       {"*/*", "application/*", "application/json", "APPLICATION/JSON",
        " application/json ", "text/html, */*;q=0.1",
        "text/html,application/xhtml+xml,application/json;q=0.9",
        "application/json; charset=utf-8", "application/json;q=0.5"})
    expect({"GET", "webhooks/", {}, 200, {}, {{"Accept", accept}}});
  for (const std::string accept :
       {"text/html", "application/xml", "text/*", "application/jsonp", "json",
        "application/vnd.api+json", "text/html, application/xml", "*", ""})
    for (const std::string method : {"GET", "POST", "PUT", "DELETE", "OPTIONS"})
      expect({method, "webhooks/", {}, 406, unsatisfied, {{"Accept", accept}}});
}

TEST_F(AccessTest, NamesTheMediaTypeThatIsNotRead) {
  for (const std::string type :
       {"text/xml", "text/xml; charset=utf-8", "text/plain",
        "Text/XML ; a=\"b\"", "application/jsonx",
        "multipart/mixed; boundary=x", "nonsense"})
    for (const std::string request :
         {"POST webhooks/", "PUT webhooks/$id/", "PATCH webhooks/$id/"}) {
      const auto space = request.find(' ');
      expect({request.substr(0, space),
              request.substr(space + 1),
              "{}",
              415,
              detail("Unsupported media type \"" + type + "\" in request."),
              {{"Content-Type", type}}});
      // Nothing to be read: {}.
      expect({request.substr(0, space),
              request.substr(space + 1),
              "",
              request.starts_with("PATCH") ? 200U : 400U,
              {},
              {{"Content-Type", type}}});
    }
  for (const std::string type :
       {"application/json", "APPLICATION/json",
        "application/json;charset=utf-8", "application/json; charset=latin-1",
        "application/json ;x"})
    expect({"PATCH", "webhooks/$id/", "{}", 200, {}, {{"Content-Type", type}}});
}

// 406 or the 404 of a format, 401, 403, 405, 404, 415, 400: each request fails
// every check from its row on.
TEST_F(AccessTest, ChecksInOrder) {
  const rest_client::fields html_xml{{"Accept", "text/html"},
                                     {"Content-Type", "text/xml"}};
  const rest_client::fields xml{{"Content-Type", "text/xml"}};
  const std::string missing = "webhooks/999999/";
  const auto xml_refused = detail(
    "Unsupported media type \"text/xml\" in request.");
  expect_all({
    {"BREW",
     "/api/v1/organizers/nobody/webhooks.xml",
     "{",
     404,
     not_found,
     html_xml,
     {},
     as::nobody},
    {"BREW",
     "/api/v1/organizers/nobody/webhooks/?format=xml",
     "{",
     404,
     not_found,
     html_xml,
     {},
     as::nobody},
    {"BREW",
     "/api/v1/organizers/nobody/webhooks/",
     "{",
     406,
     unsatisfied,
     html_xml,
     {},
     as::nobody},
    {"BREW",
     "/api/v1/organizers/nobody/webhooks/",
     "{",
     401,
     not_provided,
     xml,
     {},
     as::nobody},
    {"BREW", "/api/v1/organizers/nobody/webhooks/", "{", 403, no_permission,
     xml},
    {"PUT", "webhooks/", "{", 403, no_permission, xml, {}, as::sender},
    {"PUT", "webhooks/", "{", 405, not_allowed("PUT"), xml},
    {"POST", missing, "{", 403, no_permission, xml, {}, as::stranger},
    {"POST", missing, "{", 405, not_allowed("POST"), xml},
    {"PUT", missing, "{", 403, no_permission, xml, {}, as::sender},
    {"PUT", missing, "{", 404, no_such_webhook, xml},
    {"PATCH", missing, "{", 404, no_such_webhook, xml},
    {"DELETE", missing, "{", 404, no_such_webhook, xml},
    {"PUT", "webhooks/abc/", "{", 404, not_found, xml},
    {"PATCH", "webhooks/$id/", "{", 415, xml_refused, xml},
    {"PATCH", "webhooks/$id/", "{\"enabled\":5}", 415, xml_refused, xml},
    {"POST", "webhooks/", "{", 415, xml_refused, xml},
    {"PATCH", "webhooks/$id/", "{\"enabled\":5}", 400,
     R"({"enabled":["Must be a valid boolean."]})"},
    {"PATCH", "webhooks/$id/", "{}"},
    // Without the permission it does not matter what exists.
    {"GET", missing, {}, 403, no_permission, {}, {}, as::sender},
    {"DELETE", missing, {}, 403, no_permission, {}, {}, as::sender},
    {"GET", "webhooks/abc/", {}, 403, no_permission, {}, {}, as::stranger},
  });
}

} // namespace

} // namespace fanfare::test
