// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Lists and their pages, the registry, notifications and calls.

#include "protocol/rest/messages/iso8601.hpp"
#include "tests/protocol/rest/rest_test.hpp"

#include <limits>

namespace fanfare::test {
namespace {

// -- pages --------------------------------------------------------------------

class RestListsTest : public RestTest {
protected:
  RestListsTest() {
    for (int i = 0; i < 120; ++i) {
      webhook hook;
      hook.target_url = "https://a.com";
      hook.enabled = i % 4 != 0;
      (void)service.add_webhook(owner, std::move(hook));
    }
  }

  /// first-last of the ids, and the links.
  std::string page(std::string_view query) {
    const auto got = get(std::string{hooks_path} + std::string{query});
    if (got.status != 200)
      return std::to_string(got.status) + got.body;
    const auto json = got.json();
    const auto& results = json.at("results").as_array();
    const auto link = [&](std::string_view name) {
      const auto& value = json.at(
        boost::json::string_view{name.data(), name.size()});
      if (value.is_null())
        return std::string{"-"};
      std::string text{value.as_string()};
      const std::string front = "http://fanfare.example"
                              + std::string{hooks_path};
      EXPECT_TRUE(text.starts_with(front)) << text;
      return text.substr(front.size());
    };
    return boost::json::serialize(results.front().at("id")) + '-'
         + boost::json::serialize(results.back().at("id")) + " next "
         + link("next") + " previous " + link("previous");
  }
};

TEST_F(RestListsTest, ComeInPages) {
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"", "1-50 next ?page=2 previous -"},
    {"?page=1", "1-50 next ?page=2 previous -"},
    {"?page=", "1-50 next ?page=2 previous -"},
    {"?page=2", "51-100 next ?page=3 previous "},
    {"?page=3", "101-120 next - previous ?page=2"},
    {"?page=last", "101-120 next - previous ?page=2"},
    {"?page=%202", "51-100 next ?page=3 previous "},
    {"?page=1&page=3", "101-120 next - previous ?page=2"},
    {"?page_size=60", "1-50 next ?page=2&page_size=60 previous -"},
    {"?page_size=1000", "1-50 next ?page=2&page_size=1000 previous -"},
    {"?page_size=0", "1-50 next ?page=2&page_size=0 previous -"},
    {"?page_size=-1", "1-50 next ?page=2&page_size=-1 previous -"},
    {"?page_size=abc", "1-50 next ?page=2&page_size=abc previous -"},
    {"?page_size=5&page=3&enabled=false",
     "41-57 next ?enabled=false&page=4&page_size=5 previous "
     "?enabled=false&page=2&page_size=5"},
    {"?page_size=5&page=2",
     "6-10 next ?page=3&page_size=5 previous ?page_size=5"},
    {"?z=1&page=2&x&a=%20b&z=0",
     "51-100 next ?a=+b&page=3&x=&z=1&z=0 previous ?a=+b&x=&z=1&z=0"},
    {"?ordering=-id&page_size=2",
     "1-2 next ?ordering=-id&page=2&page_size=2 previous -"},
    {"?page=0", R"(404{"detail":"Invalid page."})"},
    {"?page=-1", R"(404{"detail":"Invalid page."})"},
    {"?page=abc", R"(404{"detail":"Invalid page."})"},
    {"?page=4", R"(404{"detail":"Invalid page."})"},
    {"?page=1.0", R"(404{"detail":"Invalid page."})"},
    {"?page=99999999999999999999999", R"(404{"detail":"Invalid page."})"},
  };
  for (const auto& [query, expected] : cases)
    EXPECT_EQ(page(query), expected) << query;
  EXPECT_EQ(get(std::string{hooks_path} + "?page=3").json().at("count"), 120);
}

TEST_F(RestListsTest, AreFilteredByEnabled) {
  const auto count = [this](std::string_view value) {
    return get(std::string{hooks_path} + "?enabled=" + std::string{value})
      .json()
      .at("count");
  };
  for (const std::string_view yes : {"true", "True", "TRUE", "1"})
    EXPECT_EQ(count(yes), 90) << yes;
  for (const std::string_view no : {"false", "False", "FALSE", "0"})
    EXPECT_EQ(count(no), 30) << no;
  for (const std::string_view none : {"", "yes", "foo", "2", "t", "null"})
    EXPECT_EQ(count(none), 120) << none;
  // On one webhook as well. The first is disabled.
  EXPECT_EQ(get(std::string{hooks_path} + "1/?enabled=false").status, 200);
  const auto hidden = get(std::string{hooks_path} + "1/?enabled=true");
  EXPECT_EQ(hidden.status, 404);
  EXPECT_EQ(hidden.body, R"({"detail":"No WebHook matches the given query."})");
  EXPECT_EQ(get(std::string{hooks_path} + "1/?enabled=foo").status, 200);
}

TEST_F(RestListsTest, MayBeEmpty) {
  const std::string path = "/api/v1/organizers/other/webhooks/";
  const std::string
    empty = R"({"count":0,"next":null,"previous":null,"results":[]})";
  EXPECT_EQ(ask("GET", path, {}, "theirs").body, empty);
  EXPECT_EQ(ask("GET", path + "?page=1", {}, "theirs").body, empty);
  EXPECT_EQ(ask("GET", path + "?page=last", {}, "theirs").body, empty);
  EXPECT_EQ(ask("GET", path + "?page=2", {}, "theirs").status, 404);
}

TEST_F(RestListsTest, KeepTheSuffixAndTheSchemeInLinks) {
  const auto first = get("/api/v1/organizers/dummy/webhooks.json?page_size=50");
  EXPECT_EQ(first.json().at("next"), "http://fanfare.example/api/v1/organizers/"
                                     "dummy/webhooks.json?page=2&page_size=50");
  protocol::http_request request;
  request.method = "GET";
  request.target = hooks_path;
  request.headers = {{"host", "h:1"}, {"authorization", "Token hooks"}};
  request.secure = true;
  EXPECT_EQ(text_of(send(request).json().at("next")),
            "https://h:1" + std::string{hooks_path} + "?page=2");
}

// -- the registry -------------------------------------------------------------

class RestRegistryTest : public RestTest {
protected:
  void refused(std::string_view path, std::string_view body,
               std::string_view expected) {
    const auto got = ask("POST", path, body, "root");
    EXPECT_EQ(got.status, 400) << body;
    EXPECT_EQ(got.body, expected) << body;
  }

  static constexpr std::string_view bad_slug =
    R"({"slug":["A slug is made of 1 to 50 letters, digits, dots, underscores and hyphens, )"
    R"(and begins with a letter or digit."]})";
};

TEST_F(RestRegistryTest, HasOrganizers) {
  const std::string path = "/api/v1/organizers/";
  const auto made = ask("POST", path, R"({"slug":"acme","name":"Acmé"})",
                        "root");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body, R"({"slug":"acme","name":"Acm\u00e9"})");
  EXPECT_TRUE(made.blocking);
  EXPECT_EQ(ask("POST", path, R"({"slug":"bare"})", "root").body,
            R"({"slug":"bare","name":"bare"})");
  const auto list = ask("GET", path, {}, "root");
  EXPECT_EQ(list.json().at("count"), 4);
  EXPECT_EQ(list.json().at("results").at(0).at("slug"), "acme");
  EXPECT_FALSE(list.blocking);
  refused(path, R"({"slug":"acme","name":"x"})",
          R"({"slug":["Organizer with this slug already exists."]})");
  refused(path, "{}", R"({"slug":["This field is required."]})");
  refused(
    path, R"({"slug":null,"name":5})",
    R"({"slug":["This field may not be null."],"name":["Not a valid string."]})");
  refused(path, R"({"slug":5})", R"({"slug":["Not a valid string."]})");
  refused(path, R"({"slug":""})",
          R"({"slug":["This field may not be blank."]})");
  for (const auto& body :
       {std::string{R"({"slug":"a b"})"}, std::string{R"({"slug":"a/b"})"},
        std::string{R"({"slug":"."})"}, std::string{R"({"slug":".."})"},
        std::string{R"({"slug":"-a"})"}, std::string{R"({"slug":"é"})"},
        std::string{R"({"slug":" a"})"},
        R"({"slug":")" + std::string(51, 'a') + "\"}"})
    refused(path, body, bad_slug);
  refused(path, R"({"slug":"x","name":"  "})",
          R"({"name":["This field may not be blank."]})");
  refused(path, R"({"slug":"x","name":")" + std::string(201, 'a') + "\"}",
          R"({"name":["Ensure this field has no more than 200 characters."]})");
  refused(
    path, "[]",
    R"({"non_field_errors":["Invalid data. Expected a dictionary, but got list."]})");
  EXPECT_EQ(ask("POST", path, "slug=x", "root",
                {{"content-type", "application/x-www-form-urlencoded"}})
              .status,
            415);
  EXPECT_EQ(ask("POST", path, "{", "root").status, 400);
}

TEST_F(RestRegistryTest, HasEvents) {
  const std::string path = "/api/v1/organizers/dummy/events/";
  EXPECT_EQ(
    ask("GET", path, {}, "boss").body,
    R"({"count":2,"next":null,"previous":null,"results":[{"slug":"second","name":"Another"},)"
    R"({"slug":"dummy","name":"Dummy"}]})");
  EXPECT_EQ(
    ask("POST", path, R"({"slug":"third","name":"Third"})", "boss").status,
    201);
  // The same slug in another organizer is another event.
  EXPECT_EQ(ask("POST", path, R"({"slug":"foreign"})", "boss").status, 201);
  refused(path, R"({"slug":"third"})",
          R"({"slug":["Event with this slug already exists."]})");
  refused(path, R"({"slug":"a?b"})", bad_slug);
}

TEST_F(RestRegistryTest, HasTokens) {
  const std::string path = "/api/v1/organizers/dummy/tokens/";
  const auto made = ask(
    "POST", path, R"({"name":"ci","permissions":["notifications","webhooks"]})",
    "boss");
  EXPECT_EQ(made.status, 201);
  const auto json = made.json().as_object();
  std::string keys;
  for (const auto& item : json)
    keys += std::string{item.key()} + ' ';
  EXPECT_EQ(keys, "id name permissions created last_used key ");
  const std::string key{json.at("key").as_string()};
  EXPECT_EQ(boost::json::serialize(json.at("permissions")),
            R"(["webhooks","notifications"])");
  EXPECT_EQ(json.at("created"), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(ask("GET", hooks_path, {}, key).status, 200);
  const auto list = ask("GET", path, {}, "boss");
  EXPECT_EQ(list.body.find("\"key\""), std::string::npos);
  EXPECT_EQ(list.json().at("count"), 4);
  const auto one = path + boost::json::serialize(json.at("id")) + '/';
  EXPECT_EQ(ask("DELETE", one, {}, "theirs").status, 403);
  EXPECT_EQ(ask("DELETE", one, {}, "boss").status, 204);
  EXPECT_EQ(ask("DELETE", one, {}, "boss").status, 404);
  EXPECT_EQ(ask("GET", hooks_path, {}, key).body,
            R"({"detail":"Token inactive or deleted."})");
  EXPECT_EQ(ask("GET", one, {}, "boss").status, 405);
  for (const std::string_view id : {"0", "-1", "x", "99"})
    EXPECT_EQ(ask("DELETE", path + std::string{id} + '/', {}, "boss").status,
              404);
  refused(path, "{}",
          R"({"name":["This field is required."],)"
          R"("permissions":["This field is required."]})");
  refused(path, R"({"name":"x","permissions":[]})",
          R"({"permissions":["This list may not be empty."]})");
  refused(
    path, R"({"name":"x","permissions":"webhooks"})",
    R"({"permissions":["Expected a list of items but got type \"str\"."]})");
  refused(path, R"({"name":"x","permissions":["webhooks","root"]})",
          R"({"permissions":["\"root\" is not a valid choice."]})");
  for (const auto* servers : {"metrics", "register_types"})
    EXPECT_EQ(ask("POST", path,
                  R"({"name":"x","permissions":["webhooks",")"
                    + std::string{servers} + R"("]})")
                .status,
              403)
      << "only the server's admin gives it";
  refused(path, R"({"name":"x","permissions":[1]})",
          R"({"permissions":["\"1\" is not a valid choice."]})");
}

TEST_F(RestRegistryTest, HasActionTypes) {
  const std::string path = "/api/v1/action-types/";
  const auto list = ask("GET", path, {}, "publisher").json();
  EXPECT_EQ(list.at("count"), 46);
  EXPECT_EQ(list.at("results").as_array().size(), 46U);
  EXPECT_EQ(boost::json::serialize(list.at("results").at(0)),
            R"({"name":"pretix.event.order.placed"})");
  EXPECT_EQ(ask("POST", path, R"({"name":"shop.cart.*"})", "root").body,
            R"({"name":"shop.cart.*"})");
  EXPECT_TRUE(service.types.resolve("shop.cart.filled"));
  refused(path, R"({"name":"shop.cart.*"})",
          R"({"name":["Action type with this name already exists."]})");
  for (const auto* name : {"Shop", "shop.*", "orders/create", "*"})
    EXPECT_EQ(
      ask("POST", path, std::string{R"({"name":")"} + name + "\"}", "root")
        .status,
      201)
      << name;
  for (const auto* name : {"pretix.*", "sh op", "shop.", "shop*"})
    EXPECT_EQ(
      ask("POST", path, std::string{R"({"name":")"} + name + "\"}", "root")
        .status,
      400)
      << name;
  EXPECT_EQ(ask("POST", path, "{}", "root").body,
            R"({"name":["This field is required."]})");
}

// -- notifications ------------------------------------------------------------

class RestNotificationsTest : public RestTest {
protected:
  const std::string path = "/api/v1/organizers/dummy/notifications/";

  reply publish(std::string_view body, headers more = {}) {
    return ask("POST", path, body, "publisher", std::move(more));
  }
};

TEST_F(RestNotificationsTest, ArePublished) {
  const auto one = publish(
    R"({"action":"pretix.event.order.placed","event":"democon","code":"ABC"})");
  EXPECT_EQ(one.status, 202);
  EXPECT_EQ(one.body, R"({"notification_id":1})");
  EXPECT_EQ(one.header("Content-Type"), "application/json");
  EXPECT_FALSE(one.blocking);
  EXPECT_EQ(
    publish(
      R"([{"action":"pretix.event.added"},{"action":"pretix.event.item.x"}])")
      .body,
    R"([{"notification_id":2},{"notification_id":3}])");
  EXPECT_EQ(publish(R"([{"action":"pretix.event.added"}])").body,
            R"([{"notification_id":4}])");
  EXPECT_EQ(
    publish(R"({"action":"pretix.event.added"})", {{"accept", "*/*; indent=1"}})
      .body,
    "{\n \"notification_id\": 5\n}");
  EXPECT_TRUE(service.find_event(owner, "democon"));
  EXPECT_EQ(
    ask("POST", path, R"({"action":"pretix.event.added"})", "root").status,
    202);
}

TEST_F(RestNotificationsTest, ShowTheBodyAsSent) {
  publish(
    R"({"action":"pretix.event.order.placed","event":"dummy","code":"é"})");
  const auto shown = ask("GET", path + "1/", {}, "publisher");
  EXPECT_EQ(shown.status, 200);
  EXPECT_TRUE(shown.blocking);
  const auto json = shown.json();
  EXPECT_EQ(json.at("notification_id"), 1);
  EXPECT_EQ(json.at("event"), "dummy");
  EXPECT_EQ(json.at("action_type"), "pretix.event.order.placed");
  EXPECT_EQ(
    json.at("payload"),
    R"({"notification_id": 1, "organizer": "dummy", "event": "dummy", "code": "\u00e9", )"
    R"("action": "pretix.event.order.placed"})");
  for (const std::string_view id :
       {"2", "0", "-1", "x", "99999999999999999999"})
    EXPECT_EQ(ask("GET", path + std::string{id} + '/', {}, "publisher").status,
              404)
      << id;
}

TEST_F(RestNotificationsTest, AreRefusedWithAReason) {
  std::string thousand_and_one = "[";
  for (int i = 0; i < 1'001; ++i)
    thousand_and_one += R"({"action":"pretix.event.added"},)";
  thousand_and_one.back() = ']';
  const std::tuple<std::string, int, std::string> cases[] = {
    {"", 400, "JSON parse error"},
    {"{", 400, "JSON parse error"},
    {"{} {}", 400, "JSON parse error"},
    {"\xEF\xBB\xBF{}", 400, "JSON parse error"},
    {"{\"action\":\"\xff\"}", 400, "JSON parse error"},
    {R"({"action":"\ud800"})", 400, "JSON parse error"},
    {std::string(100'000, '['), 400, "JSON parse error"},
    {"{}", 400, R"({"action":["This field is required."]})"},
    {"[]", 400, "empty"},
    {"5", 400, "dictionary"},
    {R"({"action":5})", 400, R"({"action":["Not a valid string."]})"},
    {R"({"action":"pretix.event.nothing"})", 400,
     R"({"action":["Unknown action)"},
    {R"([{"action":"pretix.event.added"},{"action":"no.such"}])", 400,
     "Unknown action"},
    {R"([{"action":"pretix.event.added"},{}])", 400,
     "items[1]: This field is required."},
    {R"({"action":"pretix.event.added","event":"a b"})", 400, R"({"event":[)"},
    {R"({"action":"pretix.event.added","organizer":"other"})", 403,
     R"({"detail":)"},
    {R"({"action":"pretix.event.added","x":")" + std::string(1'100'000, 'a')
       + "\"}",
     413, R"({"detail":)"},
    {thousand_and_one, 400, "1000"},
  };
  for (const auto& [body, status, text] : cases) {
    const auto got = publish(body);
    EXPECT_EQ(got.status, status) << body.substr(0, 80) << got.body;
    EXPECT_NE(got.body.find(text), std::string::npos)
      << body.substr(0, 80) << got.body;
  }
  EXPECT_EQ(publish("{}", {{"content-type", "text/plain"}}).status, 415);
  EXPECT_TRUE(service.journal.empty()); // all or nothing
}

TEST_F(RestNotificationsTest, TellTheStateOfTheEngine) {
  const std::tuple<ec, int, std::string_view> cases[] = {
    {ec::stopping, 503, ""},   {ec::overloaded, 503, "1"},
    {ec::store_full, 507, ""}, {ec::too_large, 413, ""},
    {ec::internal, 500, ""},   {ec::io_error, 500, ""},
  };
  for (const auto& [code, status, retry_after] : cases) {
    service.publish_error = error{code, "A sentence."};
    const auto got = publish(R"({"action":"pretix.event.added"})");
    EXPECT_EQ(got.status, status);
    EXPECT_EQ(got.header("Retry-After"), retry_after);
    EXPECT_NE(got.body.find("A sentence."), std::string::npos);
  }
}

// -- calls --------------------------------------------------------------------

class RestCallsTest : public RestTest {
protected:
  RestCallsTest() {
    base = make_hook() + "calls/";
    make_hook();
    ask(
      "POST", "/api/v1/organizers/dummy/notifications/",
      R"([{"action":"pretix.event.added"},{"action":"pretix.event.item.added"}])",
      "boss");
  }

  call& add(webhook_id hook, position subject, outcome result,
            std::uint16_t attempt = 1) {
    call c;
    c.id = service.log.size() + 1;
    c.hook = hook;
    c.subject = subject;
    c.result = result;
    c.attempt = attempt;
    c.status = result == outcome::delivered ? 200 : 500;
    c.time = timestamp{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}}
           + std::chrono::minutes{c.id};
    c.target_url = "https://u:***@a.com";
    service.log.push_back(std::move(c));
    return service.log.back();
  }

  /// The ids, newest first.
  std::string ids(const reply& got) {
    std::string out;
    const auto json = got.json();
    for (const auto& item : json.at("results").as_array())
      out += (out.empty() ? "" : " ") + boost::json::serialize(item.at("id"));
    return out;
  }
  std::string ids(std::string_view query) {
    return ids(get(base + std::string{query}));
  }

  std::string base;
};

TEST_F(RestCallsTest, ShowOneAttempt) {
  auto& c = add(1, 1, outcome::retried, 2);
  c.reason = "the answer had status 500";
  c.repeated = true;
  c.timings = {std::chrono::microseconds{1500}, std::chrono::microseconds{2000},
               std::chrono::microseconds{0}, std::chrono::microseconds{250'000},
               std::chrono::microseconds{300'000}};
  c.response_head = "Content-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\nX-Cu";
  c.response_body = "no\xff";
  const std::string expected =
    R"({"id":1,"notification_id":1,"datetime":"2026-01-02T00:01:00.000Z",)"
    R"("target_url":"https://u:***@a.com","action_type":"pretix.event.added","attempt":2,)"
    R"("is_retry":true,"is_replay":false,"repeated":true,)"
    R"("success":false,"return_code":500,)"
    R"("reason":"the answer had status 500","execution_time":0.3,)"
    R"("timings":{"dns":0.0015,"connect":0.002,"tls":0,"first_byte":0.25,"total":0.3},)"
    R"("payload":"{\"notification_id\": 1, \"organizer\": \"dummy\", \"action\": \"pretix.event.added\"}",)"
    R"("traceparent":null,"tracestate":null,)"
    R"("response_headers":{"Content-Type":"text/plain","X-A":"1, 2"},"response_body":"no\ufffd"})";
  EXPECT_EQ(get(base + "1/").body, expected);
  EXPECT_EQ(get(base).json().at("results").at(0), get(base + "1/").json());
  EXPECT_EQ(get(std::string{hooks_path} + "2/calls/1/").status, 404);
  for (const std::string_view id : {"2", "0", "-1", "x"})
    EXPECT_EQ(get(base + std::string{id} + '/').body,
              R"({"detail":"Not found."})");
  EXPECT_EQ(get(std::string{hooks_path} + "99/calls/").body,
            R"({"detail":"No WebHook matches the given query."})");
}

TEST_F(RestCallsTest, OutliveTheirNotification) {
  add(1, 77, outcome::delivered);
  const auto shown = get(base + "1/").json();
  EXPECT_EQ(shown.at("payload"), nullptr);
  EXPECT_EQ(shown.at("action_type"), nullptr);
  EXPECT_EQ(ids("?action_type=pretix.event.added"), "");
}

TEST_F(RestCallsTest, ComeNewestFirstWithACursor) {
  for (int i = 0; i < 12; ++i)
    add(i % 4 == 3 ? 2 : 1, 1, outcome::delivered); // 9 of the first webhook
  EXPECT_EQ(ids(""), "11 10 9 7 6 5 3 2 1");
  auto got = get(base + "?page_size=4&x=y");
  EXPECT_EQ(ids(got), "11 10 9 7");
  EXPECT_EQ(text_of(got.json().at("next")),
            "http://fanfare.example" + base + "?cursor=7&page_size=4&x=y");
  EXPECT_EQ(got.json().at("previous"), nullptr);
  add(1, 1, outcome::delivered); // what is new moves nothing
  EXPECT_EQ(ids("?page_size=4&cursor=7"), "6 5 3 2");
  got = get(base + "?page_size=4&cursor=2");
  EXPECT_EQ(ids(got), "1");
  EXPECT_EQ(got.json().at("next"), nullptr);
  got = get(base + "?page_size=10");
  EXPECT_EQ(ids(got), "13 11 10 9 7 6 5 3 2 1");
  EXPECT_EQ(got.json().at("next"), nullptr); // exactly full, and nothing behind
  for (const std::string_view bad : {"0", "-1", "x"})
    EXPECT_EQ(get(base + "?cursor=" + std::string{bad}).status, 400);
}

TEST_F(RestCallsTest, AreFiltered) {
  add(1, 1, outcome::delivered);   // 1, 00:01
  add(1, 2, outcome::retried);     // 2
  add(1, 2, outcome::given_up, 2); // 3
  add(1, 1, outcome::gone);        // 4
  add(1, 2, outcome::delivered);   // 5, 00:05
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"?success=true", "5 1"},
    {"?success=0", "4 3 2"},
    {"?success=", "5 4 3 2 1"},
    {"?notification_id=2", "5 3 2"},
    {"?notification_id=99", ""},
    {"?action_type=pretix.event.added", "4 1"},
    {"?action_type=pretix.event.item.added", "5 3 2"},
    {"?action_type=pretix.event.item.*", "5 3 2"},
    {"?action_type=pretix.event.*", "5 4 3 2 1"},
    {"?action_type=pretix.event", ""},
    {"?since=2026-01-02T00:03:00Z", "5 4 3"},
    {"?since=2026-01-02T01:03:00%2B01:00", "5 4 3"},
    {"?since=2026-01-02T01:03:00+01:00", "5 4 3"},
    {"?until=2026-01-02T00:03:00Z", "2 1"},
    {"?since=2026-01-02T00:02Z&until=2026-01-02T00:04:00.001Z", "4 3 2"},
    {"?since=2026-01-02T12:00:00Z", ""},
    {"?success=false&notification_id=2&page_size=1", "3"},
    {"?unknown=1", "5 4 3 2 1"},
  };
  for (const auto& [query, expected] : cases)
    EXPECT_EQ(ids(query), expected) << query;
  for (const std::string_view bad :
       {"success=maybe", "notification_id=x", "notification_id=-1",
        "since=yesterday", "since=2026-01-02T00:03:00",
        "until=2026-13-01T00:00:00Z", "until=2026-02-30T00:00:00Z"}) {
    const auto got = get(base + '?' + std::string{bad});
    EXPECT_EQ(got.status, 400) << bad;
    EXPECT_TRUE(got.json().as_object().contains(bad.substr(0, bad.find('='))))
      << got.body;
  }
}

TEST_F(RestCallsTest, AreWalkedInBoundedSteps) {
  for (int i = 0; i < 6'000; ++i)
    add(1, 1, i == 0 ? outcome::retried : outcome::delivered);
  const auto first = get(base + "?success=false");
  EXPECT_EQ(ids(first), "");
  const std::string next{first.json().at("next").as_string()};
  const auto second = get(next);
  EXPECT_EQ(ids(second), "1");
  EXPECT_EQ(second.json().at("next"), nullptr);
  // Far past `since` there is nothing to walk for.
  EXPECT_EQ(
    get(base + "?success=false&since=2026-01-06T00:00:00Z").json().at("next"),
    nullptr);
}

TEST_F(RestCallsTest, EndAPageEarlyWhenItGetsLarge) {
  for (int i = 0; i < 10; ++i)
    add(1, 1, outcome::delivered).response_body.assign(200'000, 'x');
  const auto first = get(base);
  EXPECT_EQ(ids(first), "10 9 8");
  EXPECT_EQ(ids(get(text_of(first.json().at("next")))), "7 6 5");
}

TEST_F(RestCallsTest, WaitForTheirRetries) {
  retry r;
  r.subject = 1;
  r.due = timestamp{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};
  r.attempt = 3;
  service.due[1] = {r};
  EXPECT_EQ(
    get(std::string{hooks_path} + "1/retries/").body,
    R"({"count":1,"next":null,"previous":null,"results":[{"notification_id":1,)"
    R"("attempt":3,"due":"2026-01-02T00:00:00.000Z","reason":null}]})");
  add(1, 1, outcome::retried, 1).reason = "refused";
  add(1, 1, outcome::retried, 2).reason = "reset";
  add(1, 2, outcome::retried, 1).reason = "another";
  EXPECT_EQ(get(std::string{hooks_path} + "1/retries/")
              .json()
              .at("results")
              .at(0)
              .at("reason"),
            "reset");
  EXPECT_EQ(get(std::string{hooks_path} + "2/retries/").json().at("count"), 0);
  EXPECT_EQ(get(std::string{hooks_path} + "99/retries/").status, 404);
}

TEST_F(RestCallsTest, AreExpeditedAtAllWebhooksOfAnOrganizer) {
  const auto own = service.hooks.size();
  const std::string_view path = "/api/v1/organizers/dummy/retries/expedite/";
  EXPECT_EQ(ask("POST", path).body, R"({"expedited":0,"webhooks":0})");
  retry r;
  service.due[1] = {r, r};
  service.due[2] = {r};
  const auto done = ask("POST", path);
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body, R"({"expedited":3,"webhooks":2})");
  EXPECT_TRUE(done.blocking);
  EXPECT_EQ(ask("POST", path, R"({"colour":"red"})").status, 400);
  // Another organizer's are not touched by it, but by the server's admin.
  webhook foreign;
  foreign.target_url = "https://b.com";
  const auto theirs_id = service.add_webhook(other, foreign).value().id;
  ASSERT_GT(theirs_id, own);
  service.due[theirs_id] = {r};
  EXPECT_EQ(ask("POST", path).body, R"({"expedited":3,"webhooks":2})");
  const std::string_view all = "/api/v1/retries/expedite/";
  EXPECT_EQ(ask("POST", all).status, 403);
  EXPECT_EQ(ask("POST", all, {}, "root").body,
            R"({"expedited":4,"webhooks":3})");
}

TEST_F(RestCallsTest, OfOneActionTypeAreDropped) {
  const auto path = std::string{hooks_path} + "1/retries/drop/";
  retry r;
  r.subject = 1;
  service.due[1] = {r};
  const auto error = [&](std::string_view body) {
    const auto refused = ask("POST", path, body);
    EXPECT_EQ(refused.status, 400) << body;
    return refused.body;
  };
  EXPECT_EQ(error(R"({"action_type":"acme.unknown"})"),
            R"({"action_type":["Unknown action type \"acme.unknown\"."]})");
  EXPECT_EQ(error(R"({"action_type":""})"),
            R"({"action_type":["This field may not be blank."]})");
  EXPECT_EQ(error(R"({"action_type":null})"),
            R"({"action_type":["This field may not be null."]})");
  EXPECT_EQ(error(R"({"action":"pretix.event.order.paid"})"),
            R"({"action":["Unknown key."]})");
  EXPECT_EQ(error("[]").find("dropped"), std::string::npos);
  // None of them has dropped all.
  EXPECT_EQ(service.due[1].size(), 1U);
  const auto of_another_type = ask(
    "POST", path, R"({"action_type":"pretix.event.order.canceled"})");
  EXPECT_EQ(of_another_type.body, R"({"dropped":0})");
  EXPECT_TRUE(of_another_type.blocking);
  const auto what = service.find_notification(owner, 1).value()->action;
  EXPECT_EQ(ask("POST", path, R"({"action_type":")" + what + "\"}").body,
            R"({"dropped":1})");
  service.due[1] = {r, r};
  EXPECT_EQ(ask("POST", path).body, R"({"dropped":2})");
  EXPECT_EQ(ask("POST", std::string{hooks_path} + "99/retries/drop/",
                R"({"action_type":"acme.unknown"})")
              .status,
            404);
}

TEST(RestTime, IsReadWithItsZone) {
  using protocol::rest::from_iso8601;
  const auto midnight = timestamp{
    std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};
  const auto half = std::chrono::milliseconds{500};
  EXPECT_EQ(from_iso8601("2026-01-02T00:00:00Z"), midnight);
  EXPECT_EQ(from_iso8601("2026-01-02 00:00z"), midnight);
  EXPECT_EQ(from_iso8601("2026-01-02T00:00:00.5Z"), midnight + half);
  EXPECT_EQ(from_iso8601("2026-01-02T00:00:00.500999Z"), midnight + half);
  EXPECT_EQ(from_iso8601("2026-01-02T01:30:00+01:30"), midnight);
  EXPECT_EQ(from_iso8601("2026-01-01T19:00:00-0500"), midnight);
  for (const std::string_view bad :
       {"", "2026", "2026-01-02", "2026-01-02T00:00:00", "2026-01-02T24:00:00Z",
        "2026-01-02T00:60:00Z", "2026-02-29T00:00:00Z", "2026-01-02T00:00:00.Z",
        "2026-01-02T00:00:00+1", "2026-01-02T00:00:00Zx", "26-01-02T00:00:00Z",
        "2026-01-02T00:00:00+25:00", "-026-01-02T00:00:00Z"})
    EXPECT_FALSE(from_iso8601(bad)) << bad;
}

} // namespace
} // namespace fanfare::test
