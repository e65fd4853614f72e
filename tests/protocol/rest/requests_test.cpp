// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What all resources have in common: paths, authentication, negotiation,
/// methods and their order.

#include "protocol/rest/messages/negotiation.hpp"
#include "protocol/rest/messages/query.hpp"
#include "protocol/text.hpp"
#include "tests/protocol/rest/rest_test.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::test {
namespace {

class RestRequestsTest : public RestTest {
protected:
  const std::string list{hooks_path};
  const std::string denied =
    R"({"detail":"You do not have permission to perform this action."})";

  reply with_authorization(std::string_view value,
                           std::string_view target = hooks_path) {
    return ask("GET", target, {}, {}, {{"authorization", std::string{value}}});
  }
  reply accepting(std::string_view value,
                  std::string_view target = hooks_path) {
    return get(target, {{"accept", std::string{value}}});
  }
};

// -- authentication -----------------------------------------------------------

TEST_F(RestRequestsTest, NeedAValidToken) {
  service.known_tokens[0].second.revoked = true;
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"", "Authentication credentials were not provided."},
    {"Bearer", "Authentication credentials were not provided."},
    {"Basic Ym9zcw==", "Authentication credentials were not provided."},
    {"boss", "Authentication credentials were not provided."},
    {"Tokenboss", "Authentication credentials were not provided."},
    {"Token", "Invalid token header. No credentials provided."},
    {"token  ", "Invalid token header. No credentials provided."},
    {"Token boss root",
     "Invalid token header. Token string should not contain spaces."},
    {"Token nobody", "Invalid token."},
    {"Token BOSS", "Invalid token."},
    {"Token hooks", "Token inactive or deleted."},
  };
  for (const auto& [value, sentence] : cases) {
    const auto refused = with_authorization(value);
    EXPECT_EQ(refused.status, 401) << value;
    EXPECT_EQ(refused.body, "{\"detail\":\"" + std::string{sentence} + "\"}")
      << value;
    EXPECT_EQ(refused.header("WWW-Authenticate"), "Token");
  }
  EXPECT_EQ(ask("GET", list, {}, {}).status, 401);
  for (const std::string_view good :
       {"Token boss", "token boss", "TOKEN  boss ", "Token root", "Bearer boss",
        "bearer boss", "BEARER root"})
    EXPECT_EQ(with_authorization(good).status, 200) << good;
}

// The sentence is the one that the compatible API has for keys of another kind.
TEST_F(RestRequestsTest, SayWhatIsWrongWithABearersKeyInTheHeader) {
  service.known_tokens[0].second.revoked = true;
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"Bearer nobody", R"(error="invalid_token", )"
                      R"(error_description="Invalid token.")"},
    {"bearer hooks", R"(error="invalid_token", )"
                     R"(error_description="Token inactive or deleted.")"},
    {"Bearer", R"(error="invalid_request", )"
               R"(error_description="One key is needed.")"},
    {"Bearer boss root", R"(error="invalid_request", )"
                         R"(error_description="One key is needed.")"},
  };
  for (const auto& [value, error] : cases) {
    const auto refused = with_authorization(value);
    EXPECT_EQ(refused.status, 401) << value;
    EXPECT_EQ(refused.body,
              R"({"detail":"Authentication credentials were not provided."})");
    const headers expected{
      {"WWW-Authenticate", "Token"},
      {"WWW-Authenticate", "Bearer " + std::string{error}}};
    headers found;
    for (const auto& field : refused.fields)
      if (field.first == "WWW-Authenticate")
        found.push_back(field);
    EXPECT_EQ(found, expected) << value;
  }
}

TEST_F(RestRequestsTest, CountWrongKeysOfEitherScheme) {
  std::set<std::uint16_t> statuses;
  for (int i = 0; i < 60; ++i)
    statuses.insert(with_authorization("Bearer nobody").status);
  EXPECT_EQ(statuses, (std::set<std::uint16_t>{401, 429}));
  EXPECT_EQ(with_authorization("Token nobody").status, 429);
  EXPECT_EQ(with_authorization("Bearer boss").status, 200);
}

TEST_F(RestRequestsTest, AreToldOfWrongSlashesUnlessTheCompatibleApiIsNot) {
  const auto expect_hint = [&](std::string_view method, std::string_view path,
                               std::string_view meant) {
    const auto refused = ask(method, path, {}, "boss");
    EXPECT_EQ(refused.status, 404) << path;
    EXPECT_EQ(refused.header("Content-Type"), "application/json");
    EXPECT_EQ(refused.body,
              R"({"detail":"Not found. Mind the slashes: the path is )"
                + std::string{meant} + ".\"}");
  };
  const std::string own = "/api/v1/organizers/dummy/";
  expect_hint("POST", own + "notifications", own + "notifications/");
  expect_hint("PATCH", own + "webhooks/1/delivery",
              own + "webhooks/1/delivery/");
  expect_hint("POST", own + "webhooks//1/test/", own + "webhooks/1/test/");
  expect_hint("GET", own + "webhooks//1/calls/", own + "webhooks/1/calls/");
  expect_hint("GET", "/api/v1/openapi.json/", "/api/v1/openapi.json");
  expect_hint("GET", "/healthz/", "/healthz");
  const std::pair<std::string_view, std::string> as_there[] = {
    {"POST", own + "webhooks"},    {"PATCH", own + "webhooks/1"},
    {"POST", own + "events"},      {"POST", "/api/v1/organizers"},
    {"GET", own + "webhooks//1/"}, {"GET", "/api/v1/nothing/"},
    {"GET", own + "nothing"},
  };
  for (const auto& [method, path] : as_there) {
    const auto refused = ask(method, path, {}, "boss");
    EXPECT_EQ(refused.status, 404) << path;
    EXPECT_EQ(refused.header("Content-Type"), "text/html; charset=utf-8")
      << path;
  }
}

TEST_F(RestRequestsTest, HaveNoAdminTokenUnlessThereIsOne) {
  protocol::rest::rest_api without{
    service, {.admin_token_hash = {}, .run = {.blocking = [](const auto& job) {
                                        job();
                                      }}}};
  for (const std::string key : {"root", "", "x"}) {
    std::uint16_t status = 0;
    without.handle(
      {"GET",
       "/api/v1/organizers/",
       {{"authorization", "Token " + key}},
       {},
       {},
       false},
      [&](const protocol::http_response& r) { status = r.status; });
    EXPECT_EQ(status, 401);
  }
}

TEST_F(RestRequestsTest, NeedTheRightPermission) {
  make_hook();
  const std::string base = "/api/v1/organizers/dummy/";
  struct row {
    std::string_view method, path;
    std::string_view who; ///< those of "hooks publisher boss root" that may
    std::string_view body = {};
  };
  const row rows[] = {
    {"GET", "/api/v1/organizers/", "root"},
    {"POST", "/api/v1/organizers/", "root", "{}"},
    {"GET", "/api/v1/action-types/", "hooks publisher boss root theirs"},
    {"POST", "/api/v1/action-types/", "root", "{}"},
    {"GET", "events/", "boss root"},
    {"POST", "events/", "boss root", "{}"},
    {"GET", "tokens/", "boss root"},
    {"POST", "tokens/", "boss root", "{}"},
    {"DELETE", "tokens/99/", "boss root"},
    {"GET", "webhooks/", "hooks boss root"},
    {"POST", "webhooks/", "hooks boss root", "{}"},
    {"OPTIONS", "webhooks/", "hooks boss root"},
    {"GET", "webhooks/1/", "hooks boss root"},
    {"PATCH", "webhooks/1/", "hooks boss root", "{}"},
    {"PUT", "webhooks/1/", "hooks boss root", "{}"},
    {"DELETE", "webhooks/1/", "hooks boss root"},
    {"GET", "webhooks/1/delivery/", "hooks boss root"},
    {"PATCH", "webhooks/1/delivery/", "hooks boss root", "{}"},
    {"GET", "webhooks/1/calls/", "hooks boss root"},
    {"GET", "webhooks/1/calls/1/", "hooks boss root"},
    {"GET", "webhooks/1/retries/", "hooks boss root"},
    {"POST", "notifications/", "publisher boss root", "{}"},
    {"GET", "notifications/1/", "hooks publisher boss root"},
  };
  for (const auto& r : rows)
    for (const std::string_view key :
         {"hooks", "publisher", "boss", "root", "theirs"}) {
      const auto path = r.path.starts_with('/') ? std::string{r.path}
                                                : base + std::string{r.path};
      const auto got = ask(r.method, path, r.body, key);
      const bool allowed = (" " + std::string{r.who} + " ")
                             .find(" " + std::string{key} + " ")
                        != std::string::npos;
      EXPECT_TRUE(allowed ? got.status != 401 && got.status != 403
                          : got.status == 403 && got.body == denied)
        << r.method << ' ' << path << ' ' << key << ' ' << got.status
        << got.body;
    }
}

TEST_F(RestRequestsTest, NeverCrossOrganizers) {
  // All things of the other organizer exist and have the ids that are asked
  // for.
  const auto hook = make_hook();
  EXPECT_EQ(ask("POST", "/api/v1/organizers/dummy/notifications/",
                R"({"action":"pretix.event.added"})", "boss")
              .status,
            202);
  call c;
  c.id = 1;
  c.hook = 1;
  c.subject = 1;
  service.log.push_back(c);
  const std::pair<std::string_view, std::string_view> routes[] = {
    {"GET", "events/"},
    {"POST", "events/"},
    {"GET", "tokens/"},
    {"POST", "tokens/"},
    {"DELETE", "tokens/1/"},
    {"GET", "webhooks/"},
    {"POST", "webhooks/"},
    {"OPTIONS", "webhooks/"},
    {"GET", "webhooks/1/"},
    {"PUT", "webhooks/1/"},
    {"PATCH", "webhooks/1/"},
    {"DELETE", "webhooks/1/"},
    {"OPTIONS", "webhooks/1/"},
    {"GET", "webhooks/1/delivery/"},
    {"PATCH", "webhooks/1/delivery/"},
    {"GET", "webhooks/1/calls/"},
    {"GET", "webhooks/1/calls/1/"},
    {"GET", "webhooks/1/retries/"},
    {"POST", "notifications/"},
    {"GET", "notifications/1/"},
  };
  const auto hooks_before = service.hooks;
  for (const auto& [method, path] : routes) {
    // With the token of another organizer: refused.
    const auto foreign = ask(
      method, "/api/v1/organizers/dummy/" + std::string{path}, "{}", "theirs");
    EXPECT_EQ(foreign.status, 403) << method << ' ' << path;
    EXPECT_EQ(foreign.body, denied);
    EXPECT_FALSE(foreign.blocking);
    // By way of one's own organizer: not there, or only one's own.
    const auto own = ask(
      method, "/api/v1/organizers/other/" + std::string{path}, "{}", "theirs");
    EXPECT_EQ(own.body.find("google"), std::string::npos)
      << method << ' ' << path;
    if (path.find("/1/") != std::string_view::npos && method != "OPTIONS") {
      EXPECT_EQ(own.status, 404) << method << ' ' << path << own.body;
    }
  }
  EXPECT_EQ(service.hooks, hooks_before);
  EXPECT_FALSE(service.known_tokens[0].second.revoked);
  EXPECT_EQ(ask("GET", "/api/v1/organizers/other/webhooks/", {}, "theirs")
              .json()
              .at("count"),
            0);
  EXPECT_EQ(ask("GET", "/api/v1/organizers/other/events/", {}, "theirs")
              .json()
              .at("count"),
            1);
  EXPECT_EQ(ask("GET", "/api/v1/organizers/other/tokens/", {}, "theirs")
              .json()
              .at("count"),
            1);
}

TEST_F(RestRequestsTest, DoNotTellWhichOrganizersExist) {
  for (const std::string_view slug :
       {"nobody", "Dummy", "DUMMY", "dummy%20", "..", "%2e%2e"}) {
    const auto path = "/api/v1/organizers/" + std::string{slug} + "/webhooks/";
    EXPECT_EQ(ask("GET", path).body, denied) << slug;
    EXPECT_EQ(ask("GET", path, {}, {}).status, 401);
    EXPECT_EQ(ask("GET", path, {}, "root").status, 403);
  }
  EXPECT_EQ(ask("GET", "/api/v1/organizers/d%75mmy/webhooks/").status, 200);
}

TEST_F(RestRequestsTest, TellTheServersAdminThatThereIsNoSuchOrganizer) {
  const auto told = [&](std::string_view slug) {
    return ask("GET", "/api/v1/organizers/" + std::string{slug} + "/webhooks/",
               {}, "root")
      .body;
  };
  EXPECT_EQ(
    told("nobody"),
    R"({"detail":"You do not have permission to perform this action: there is )"
    R"(no organizer \"nobody\". POST /api/v1/organizers/ or fanfare )"
    R"(organizers create adds one."})");
  EXPECT_EQ(
    told("%c3%28"),
    R"({"detail":"You do not have permission to perform this action: there is )"
    R"(no organizer of that name. POST /api/v1/organizers/ or fanfare )"
    R"(organizers create adds one."})");
}

// -- the order of the checks --------------------------------------------------

TEST_F(RestRequestsTest, AreCheckedInOrder) {
  make_hook();
  const std::string one = list + "1/";
  const std::string missing = list + "99/";
  const headers html{{"accept", "text/html"}};
  const headers xml{{"content-type", "text/xml"}};
  EXPECT_EQ(ask("GET", list, {}, {}, html).status, 406);
  EXPECT_EQ(ask("GET", list + "?format=xml", {}, {}, html).status,
            404); // a format that is unknown
  EXPECT_EQ(ask("PUT", list, "{", {}, xml).status, 401);
  EXPECT_EQ(ask("PUT", list, "{", "theirs", xml).status, 403);
  EXPECT_EQ(ask("PUT", list, "{", "hooks", xml).status, 405);
  EXPECT_EQ(ask("POST", missing, "{", "theirs", xml).status, 403);
  EXPECT_EQ(ask("POST", missing, "{", "hooks", xml).status, 405);
  EXPECT_EQ(ask("PUT", missing, "{", "hooks", xml).status, 404);
  EXPECT_EQ(ask("PATCH", one, "{", "hooks", xml).status, 415);
  EXPECT_EQ(ask("PATCH", one, "{").status, 400);
  EXPECT_EQ(ask("GET", missing).body,
            R"({"detail":"No WebHook matches the given query."})");
  for (const std::string_view id :
       {"0", "-1", "99999999999999999999999", "+99", "9_9"})
    EXPECT_EQ(get(list + std::string{id} + '/').body,
              R"({"detail":"No WebHook matches the given query."})")
      << id;
  for (const std::string_view id :
       {"abc", "1a", "%20x", "1%2F", "0x1", "_1", "1_"})
    EXPECT_EQ(get(list + std::string{id} + '/').body,
              R"({"detail":"Not found."})")
      << id;
  EXPECT_EQ(get(list + "+1/").status, 200);
}

TEST_F(RestRequestsTest, NameTheMethodsThatWork) {
  make_hook();
  const std::tuple<std::string, std::string_view, std::string_view> cases[] = {
    {list, "PUT", "GET, POST, HEAD, OPTIONS"},
    {list, "PATCH", "GET, POST, HEAD, OPTIONS"},
    {list, "DELETE", "GET, POST, HEAD, OPTIONS"},
    {list, "TRACE", "GET, POST, HEAD, OPTIONS"},
    {list, "get", "GET, POST, HEAD, OPTIONS"},
    {list + "1/", "POST", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"},
    {list + "1/calls/", "POST", "GET, HEAD, OPTIONS"},
    {list + "1/retries/", "DELETE", "GET, HEAD, OPTIONS"},
  };
  for (const auto& [path, method, allow] : cases) {
    const auto refused = ask(method, path, {}, "boss");
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.body, "{\"detail\":\"Method \\\"" + std::string{method}
                              + "\\\" not allowed.\"}");
    EXPECT_EQ(refused.header("Allow"), allow);
  }
  EXPECT_EQ(
    ask("PUT", "/api/v1/organizers/dummy/notifications/", {}, "boss").status,
    405);
}

TEST_F(RestRequestsTest, NameTheMediaTypeThatIsNotRead) {
  const std::pair<std::string, std::string> types[] = {
    {"text/xml", "text/xml"},
    {"text/xml; charset=utf-8", "text/xml; charset=utf-8"},
    {"text/plain", "text/plain"},
    {"", ""},
    {"application/jsonx", "application/jsonx"},
  };
  for (const auto& [type, shown] : types) {
    const auto refused = post("{}", {{"content-type", type}});
    EXPECT_EQ(refused.status, 415) << type;
    EXPECT_EQ(refused.body, R"({"detail":"Unsupported media type \")" + shown
                              + R"(\" in request."})");
  }
  for (const std::string type : {"application/json", "Application/JSON",
                                 "application/json; charset=utf-8"})
    EXPECT_EQ(post("{}", {{"content-type", type}}).status, 400) << type;
  EXPECT_EQ(post("", {{"content-type", "text/xml"}}).status,
            400); // nothing to read: {}
}

// -- how answers look ---------------------------------------------------------

TEST_F(RestRequestsTest, AgreeOnJson) {
  for (const std::string_view accept :
       {"*/*", "application/*", "application/json", "APPLICATION/JSON",
        "text/html, */*;q=0.1", "text/html,application/json;q=0.9",
        "application/json; charset=utf-8"})
    EXPECT_EQ(accepting(accept).status, 200) << accept;
  for (const std::string_view accept :
       {"text/html", "application/xml", "", "*", "json", "text/*",
        "application/jsonp", "text/html, application/xml"}) {
    const auto refused = accepting(accept);
    EXPECT_EQ(refused.status, 406) << accept;
    EXPECT_EQ(refused.body,
              R"({"detail":"Could not satisfy the request Accept header."})");
  }
}

TEST_F(RestRequestsTest, IndentOnDemand) {
  const std::string four = "{\n    \"count\": 0,\n    \"next\": null,\n    "
                           "\"previous\": null,\n"
                           "    \"results\": []\n}";
  EXPECT_EQ(accepting("application/json; indent=4").body, four);
  EXPECT_EQ(accepting("text/html, application/json;indent=4, */*").body, four);
  EXPECT_EQ(accepting("*/*; indent=1").body,
            "{\n \"count\": 0,\n \"next\": null,\n \"previous\": null,\n "
            "\"results\": []\n}");
  EXPECT_EQ(accepting("application/json; indent=99").body,
            accepting("application/json; indent=8").body);
  for (const std::string_view none :
       {"application/json; indent=0", "application/json; indent=x",
        "application/json; indent=-3", "application/json; indent="})
    EXPECT_EQ(accepting(none).body,
              R"({"count":0,"next":null,"previous":null,"results":[]})")
      << none;
}

TEST_F(RestRequestsTest, TakeTheJsonSuffixForEveryMethod) {
  const std::string base = "/api/v1/organizers/dummy/webhooks";
  EXPECT_EQ(get(base + ".json").status, 200);
  EXPECT_EQ(get(base + ".json/").status, 200);
  EXPECT_EQ(
    ask("POST", base + ".json",
        R"({"target_url":"https://a.com","limit_events":[],"action_types":[]})")
      .status,
    201);
  EXPECT_EQ(get(base + "/1.json").json().at("id"), 1);
  EXPECT_EQ(ask("PATCH", base + "/1.json", "{}").status, 200);
  EXPECT_EQ(ask("PUT", base + "/1.json", "{}").status, 400);
  EXPECT_EQ(ask("DELETE", base + "/1.json").status, 204);
  EXPECT_EQ(ask("OPTIONS", base + "/1.json").status, 200);
  for (const std::string_view format :
       {".xml", ".html", ".api", ".jso", ".json2"})
    for (const std::string_view key : {"hooks", ""}) {
      const auto refused = ask("GET", base + std::string{format}, {}, key);
      EXPECT_EQ(refused.status, 404);
      EXPECT_EQ(refused.body, R"({"detail":"Not found."})") << format;
    }
  EXPECT_EQ(get(base + ".JSON").header("Content-Type"),
            "text/html; charset=utf-8");
  EXPECT_EQ(get(base + "/?format=json").status, 200);
  EXPECT_EQ(get(base + "/?format=").status, 200);
  EXPECT_EQ(get(base + "/?format=xml").body, R"({"detail":"Not found."})");
}

TEST_F(RestRequestsTest, AreLedToTheSlash) {
  const std::string base = "/api/v1/organizers/dummy/webhooks";
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS", "DELETE"})
    for (const auto& path :
         {base, base + "/1", base + "/99/calls",
          std::string{"/api/v1/organizers/nobody/webhooks"}}) {
      const auto led = ask(method, path + "?a=b&a=%20c", {}, {});
      EXPECT_EQ(led.status, 301);
      EXPECT_EQ(led.header("Location"), path + "/?a=b&a=%20c");
    }
  for (const std::string_view method : {"POST", "PUT", "PATCH"}) {
    const auto refused = ask(method, base, "{}");
    EXPECT_EQ(refused.status, 404);
    EXPECT_EQ(refused.header("Content-Type"), "text/html; charset=utf-8");
  }
}

TEST_F(RestRequestsTest, ToUnknownPathsAreHtmlUnderApiAndJsonElsewhere) {
  for (const std::string_view path :
       {"/api/", "/api/v1/", "/api/v2/organizers/",
        "/api/v1/organizers/dummy/webhook/1/",
        "/api/v1/organizers/dummy/webhooks/1/nothing/",
        "/api/v1/organizers/dummy/webhooks/1/2/",
        "/api/v1/organizers//webhooks/", "/api/v1/organizers/dummy/webhooks//",
        "/api/v1/organizers/dummy/webhooks/1.5.json",
        "/api/v1/action_types/"}) {
    const auto got = ask("GET", path, {}, {});
    EXPECT_EQ(got.status, 404) << path;
    EXPECT_EQ(got.header("Content-Type"), "text/html; charset=utf-8") << path;
  }
  for (const std::string_view path : {"/nothing", "/metric", "", "*"}) {
    const auto got = ask("GET", path, {}, {});
    EXPECT_EQ(got.status, 404) << path;
    EXPECT_EQ(got.body, R"({"detail":"Not found."})");
  }
}

// -- before the body is there -------------------------------------------------

TEST_F(RestRequestsTest, WithLargeBodiesAreRefusedByTheirHead) {
  const auto status = [this](std::string_view method, std::string_view target,
                             std::string_view key, std::string_view accept) {
    protocol::http_request head;
    head.method = method;
    head.target = target;
    head.headers.emplace_back("accept", accept);
    if (!key.empty())
      head.headers.emplace_back("authorization", "Token " + std::string{key});
    const auto answer = api.check_head(head);
    return answer ? answer->status : 0;
  };
  const std::string publish = "/api/v1/organizers/dummy/notifications/";
  // The order is the one of requests that are complete.
  EXPECT_EQ(status("POST", publish, "", "text/xml"), 406);
  EXPECT_EQ(status("POST", publish, "", "*/*"), 401);
  EXPECT_EQ(status("POST", publish, "nobody", "*/*"), 401);
  EXPECT_EQ(status("POST", publish, "hooks", "*/*"), 403);
  EXPECT_EQ(status("PUT", publish, "publisher", "*/*"), 405);
  EXPECT_EQ(status("POST", "/api/v1/nothing/", "", "*/*"), 404);
  EXPECT_EQ(status("POST", "/healthz", "", "*/*"), 405);
  EXPECT_EQ(status("POST", publish, "publisher", "*/*"), 0);
  EXPECT_EQ(status("PUT", list + "1/", "hooks", "*/*"), 0);
  // What is answered well is answered once it is complete.
  EXPECT_EQ(status("GET", "/healthz", "", "*/*"), 0);
  EXPECT_EQ(status("GET", "/api/v1/organizers/dummy/webhooks", "", "*/*"), 0);
}

TEST_F(RestRequestsTest, RunWhereTheyKeepNobodyWaiting) {
  std::string ran;
  const auto note = [&ran](const char* where) {
    return [&ran, where](const std::function<void()>& job) {
      ran += where;
      job();
    };
  };
  protocol::rest::rest_api split{service,
                                 {.admin_token_hash = {},
                                  .run = {.blocking = note("blocking "),
                                          .writing = note("writing "),
                                          .parsing = note("parsing ")}}};
  const auto where = [&](std::string_view method, const std::string& target,
                         std::string_view key, std::string body) {
    ran.clear();
    protocol::http_request request;
    request.method = method;
    request.target = target;
    request.headers.emplace_back("authorization", "Token " + std::string{key});
    request.body = std::move(body);
    std::string answered;
    split.handle(std::move(request), [&](const protocol::http_response& r) {
      answered = std::to_string(r.status);
    });
    return ran + answered;
  };
  EXPECT_EQ(where("GET", list, "hooks", ""), "blocking 200");
  EXPECT_EQ(where("POST", list, "hooks", "{}"), "writing 415");
  const std::string publish = "/api/v1/organizers/dummy/notifications/";
  const auto body_of = [](std::size_t size) {
    std::string body = R"({"action": "pretix.event.order.placed", "x": ")";
    body.append(size - body.size() - 2, 'x');
    return body + "\"}";
  };
  EXPECT_EQ(where("POST", publish, "publisher", body_of(64 * 1024)), "202");
  EXPECT_EQ(where("POST", publish, "publisher", body_of(64 * 1024 + 1)),
            "parsing 202");
}

TEST_F(RestRequestsTest, DescribeTheWebhooksToOptions) {
  make_hook();
  const auto described = ask("OPTIONS", hooks_path);
  EXPECT_EQ(described.status, 200);
  EXPECT_EQ(described.header("Allow"), "GET, POST, HEAD, OPTIONS");
  const auto json = described.json();
  EXPECT_EQ(json.at("description"), "");
  EXPECT_EQ(json.at("renders").at(0), "application/json");
  const auto& fields = json.at("actions").at("POST").as_object();
  std::string names;
  for (const auto& field : fields)
    names += std::string{field.key()} + ' ';
  EXPECT_EQ(
    names,
    "id enabled target_url all_events limit_events action_types comment ");
  EXPECT_EQ(
    boost::json::serialize(fields.at("id")),
    R"({"type":"integer","required":false,"read_only":true,"label":"ID"})");
  EXPECT_EQ(fields.at("target_url").at("required"), true);
  EXPECT_TRUE(ask("OPTIONS", list + "1/")
                .json()
                .at("actions")
                .as_object()
                .contains("PUT"));
  const auto unknown = ask("OPTIONS", list + "99/");
  EXPECT_EQ(unknown.status, 200);
  EXPECT_FALSE(unknown.json().as_object().contains("actions"));
  EXPECT_EQ(ask("OPTIONS", list + "1/calls/").status, 200);
}

TEST_F(RestRequestsTest, HeadIsAnsweredLikeGet) {
  make_hook();
  for (const auto& path :
       {list, list + "1/", list + "99/", std::string{"/healthz"}})
    EXPECT_EQ(ask("HEAD", path).status, get(path).status) << path;
}

TEST_F(RestRequestsTest, ToTheServerItselfNeedNoToken) {
  EXPECT_EQ(ask("GET", "/healthz", {}, {}).body, R"({"status":"ok"})");
  EXPECT_EQ(ask("GET", "/readyz?x=1", {}, {}).status, 200);
  service.is_ready = false;
  EXPECT_EQ(ask("GET", "/readyz", {}, {}).status, 503);
  EXPECT_EQ(ask("GET", "/healthz", {}, {}).status, 200);
  EXPECT_EQ(ask("POST", "/healthz", {}, {}).status, 405);
  EXPECT_EQ(ask("GET", "http://h/healthz", {}, {}).status,
            200); // as proxies ask
}

// -- the parts ----------------------------------------------------------------

TEST(RestText, ReadsNumbersAsPythonDoes) {
  using protocol::to_integer;
  EXPECT_EQ(to_integer("10"), 10);
  EXPECT_EQ(to_integer(" +1_0\t"), 10);
  EXPECT_EQ(to_integer("-3"), -3);
  EXPECT_EQ(to_integer("007"), 7);
  EXPECT_EQ(to_integer("99999999999999999999"),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(to_integer("9223372036854775807"),
            std::numeric_limits<std::int64_t>::max());
  for (const std::string_view bad :
       {"", " ", "a", "1a", "1.0", "_1", "1_", "1__0", "+-1", "+", "0x1"})
    EXPECT_FALSE(to_integer(bad)) << bad;
}

TEST(RestText, TrimsUnicodeSpace) {
  using protocol::trim;
  EXPECT_EQ(trim(" \t\n\x1c\xc2\x85 a b\xe2\x80\xa8\xe3\x80\x80 "), "a b");
  EXPECT_EQ(trim("\xe2\x80\x8b"), "\xe2\x80\x8b"); // zero width: not a space
  EXPECT_EQ(trim("\x80\x80 "), "\x80\x80");
  EXPECT_EQ(trim(""), "");
}

TEST(RestQuery, IsSortedWhenWritten) {
  using protocol::rest::query;
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"", ""},
    {"&&", ""},
    {"b=2&a=1", "a=1&b=2"},
    {"x", "x="},
    {"x=", "x="},
    {"a=2&b=&a=1", "a=2&a=1&b="},
    {"a=b=c", "a=b%3Dc"},
    {"a=x+y%20z", "a=x+y+z"},
    {"a=%zz%4", "a=%25zz%254"},
    {"a=%ff", "a=%EF%BF%BD"},
    {"\xc3\xa9=~_.-", "%C3%A9=~_.-"},
    {"=1", "=1"},
  };
  for (const auto& [raw, text] : cases)
    EXPECT_EQ(query{raw}.text(), text) << raw;
  EXPECT_EQ(query{"a=1&a=2"}.last("a"), "2");
  EXPECT_FALSE(query{"a=1"}.last("b"));
}

} // namespace
} // namespace fanfare::test
