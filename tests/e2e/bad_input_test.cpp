// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What nobody should send, and what the server makes of it.

#include "tests/e2e/support/e2e_test.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <map>
#include <optional>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// Who sends a request.
enum class as { admin, nobody, stranger, publisher, manager, other };

class BadInputTest : public E2eTest {
protected:
  void SetUp() override {
    start();
    for (const auto* slug : {"acme", "other"})
      add_organizer(slug);
    hook_ = add_webhook("acme", {.url = sink_.url()});
    publisher_ = add_token("acme", {"notifications"});
    manager_ = add_token("acme", {"webhooks"});
    other_ = add_token("other", {"webhooks", "notifications", "admin"});
  }

  std::string key_of(as who) const {
    switch (who) {
      case as::admin: return server::admin_key;
      case as::nobody: return {};
      case as::stranger: return std::string(64, 'x');
      case as::publisher: return publisher_;
      case as::manager: return manager_;
      case as::other: return other_;
    }
    return {};
  }

  /// The one thing that counts in the end.
  void expect_unharmed() {
    const auto before = sink_.size();
    const auto id = publish("acme");
    ASSERT_TRUE(sink_.wait_for(before + 1, patience));
    EXPECT_EQ(id_in(sink_.records().back().body), id);
    EXPECT_EQ(before, 0U) << "something bad was accepted";
    EXPECT_EQ(api().get("/readyz").status, 200U);
    stop();
  }

  /// JSON, and with a reason that people can read.
  static void expect_reason(const rest_response& answer,
                            const std::string& part) {
    EXPECT_EQ(answer.header("content-type"), "application/json");
    json::error_code failed;
    const auto body = json::parse(answer.body, failed);
    ASSERT_FALSE(failed) << answer.body;
    ASSERT_TRUE(body.is_object()) << answer.body;
    ASSERT_FALSE(body.get_object().empty());
    for (const auto& item : body.get_object())
      EXPECT_TRUE(item.key() == "detail" ? item.value().is_string()
                                         : item.value().is_array())
        << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(part));
  }

  http_sink sink_;
  hook_id hook_ = 0;
  std::string publisher_;
  std::string manager_;
  std::string other_;
};

std::string nested(std::size_t depth) {
  return R"({"action":"pretix.event.order.placed","x":)"
       + std::string(depth, '[') + std::string(depth, ']') + '}';
}

std::string publication_of_size(std::size_t size) {
  std::string text = R"({"action":"pretix.event.order.placed","x":")";
  text += std::string(size - text.size() - 2, 'x');
  return text + R"("})";
}

TEST_F(BadInputTest, PublishingIsRefusedWithAReason) {
  const std::string bad_utf8 = "{\"action\":\"pretix.event.order.placed\","
                               "\"x\":\"\xff\xfe\"}";
  std::string too_many = "[";
  for (int i = 0; i < 1001; ++i)
    too_many += (i == 0 ? "" : ",")
              + std::string{R"({"action":"pretix.event.order.placed"})"};
  too_many += ']';
  const struct {
    const char* name;
    std::string body;
    unsigned status;
    const char* about;
  } table[] = {
    {"nothing", "", 400, "JSON"},
    {"no JSON", "action=order", 400, "JSON"},
    {"cut off", R"({"action":"pretix.event.order.placed")", 400, "JSON"},
    {"trailing comma", R"({"action":"a.b",})", 400, "JSON"},
    {"more than one", R"({"action":"a.b"} {})", 400, "JSON"},
    {"single quotes", "{'action':'a.b'}", 400, "JSON"},
    {"not a number", R"({"action":"a.b","x":NaN})", 400, "JSON"},
    {"bad UTF-8", bad_utf8, 400, "JSON"},
    {"lone surrogate", R"({"action":"a.b","x":"\ud800"})", 400, "JSON"},
    {"byte order mark", "\xef\xbb\xbf{\"action\":\"a.b\"}", 400, "JSON"},
    {"control character", "{\"action\":\"a.b\",\"x\":\"\n\"}", 400, "JSON"},
    {"deep", nested(10'000), 400, "nested"},
    {"very deep", nested(400'000), 400, "nested"},
    {"deep and open", std::string(500'000, '['), 400, ""},
    {"null", "null", 400, ""},
    {"a number", "5", 400, "dictionary"},
    {"a text", R"("pretix.event.order.placed")", 400, "dictionary"},
    {"an empty object", "{}", 400, "action"},
    {"an empty list", "[]", 400, "empty"},
    {"a list of numbers", "[1]", 400, "dictionary"},
    {"a list in a list", R"([[{"action":"a.b"}]])", 400, "dictionary"},
    {"too many", too_many, 400, "1000"},
    {"no action", R"({"event":"democon"})", 400, "required"},
    {"action null", R"({"action":null})", 400, "null"},
    {"action a number", R"({"action":5})", 400, "string"},
    {"action a list", R"({"action":["a.b"]})", 400, "string"},
    {"action empty", R"({"action":""})", 400, "blank"},
    {"action unknown", R"({"action":"pretix.nope"})", 400, "pretix.nope"},
    {"action a pattern", R"({"action":"*"})", 400, "action"},
    {"action long", R"({"action":")" + std::string(10'000, 'a') + R"("})", 400,
     "action"},
    {"event a number", R"({"action":"pretix.event.order.placed","event":7})",
     400, "event"},
    {"event no slug",
     R"({"action":"pretix.event.order.placed","event":"../x"})", 400, "event"},
    {"event long",
     R"({"action":"pretix.event.order.placed","event":")" + std::string(51, 'e')
       + R"("})",
     400, "event"},
    {"payload a text",
     R"({"action":"pretix.event.order.placed","payload":"x"})", 400, "payload"},
    {"other organizer",
     R"({"action":"pretix.event.order.placed","organizer":"other"})", 403,
     "organizer"},
    {"last of a batch unknown",
     R"([{"action":"pretix.event.order.placed"},{"action":"pretix.nope"}])",
     400, "pretix.nope"},
  };
  auto client = running().client();
  for (const auto& [name, body, status, about] : table) {
    SCOPED_TRACE(name);
    const auto answer = client.send("POST", publish_path("acme"), body);
    EXPECT_EQ(answer.status, status) << answer.body;
    expect_reason(answer, about);
    EXPECT_TRUE(answer.keep_alive);
  }
  EXPECT_EQ(client.connections(), 1U);
  expect_unharmed();
}

TEST_F(BadInputTest, BodiesMayHaveOneMebibyte) {
  for (const auto size : {mebibyte + 1, 8 * mebibyte}) {
    auto client = running().client();
    const auto answer = client.send("POST", publish_path("acme"),
                                    publication_of_size(size));
    EXPECT_EQ(answer.status, 413U) << answer.body;
    expect_reason(answer, "large");
    EXPECT_EQ(client.get("/readyz").status, 200U);
  }
  // Close to the limit, so that what is sent has its place as well.
  const auto big = api().send("POST", publish_path("acme"),
                              publication_of_size(mebibyte - 200));
  EXPECT_EQ(big.status, 202U) << big.body;
  ASSERT_TRUE(sink_.wait_for(1, patience));
  EXPECT_GT(sink_.records()[0].body.size(), mebibyte - 200);
  sink_.clear();
  publish();
  EXPECT_TRUE(sink_.wait_for(1, patience));
}

TEST_F(BadInputTest, RequestsAreRefusedWithAReason) {
  const auto hook = std::to_string(hook_);
  const std::string notification = R"({"action":"pretix.event.order.placed"})";
  const std::string root = "/api/v1/organizers/";
  const struct {
    const char* name;
    as who;
    const char* method;
    std::string target;
    std::optional<std::string> body;
    unsigned status;
    const char* about;
  } table[] = {
    // Who asks.
    {"no token", as::nobody, "POST", root + "acme/notifications/", notification,
     401, "not provided"},
    {"unknown token", as::stranger, "POST", root + "acme/notifications/",
     notification, 401, "Invalid token"},
    {"token of another organizer", as::other, "POST",
     root + "acme/notifications/", notification, 403, "permission"},
    {"token without the permission", as::manager, "POST",
     root + "acme/notifications/", notification, 403, "permission"},
    {"publisher reads webhooks",
     as::publisher,
     "GET",
     root + "acme/webhooks/",
     {},
     403,
     "permission"},
    {"other reads webhooks",
     as::other,
     "GET",
     root + "acme/webhooks/",
     {},
     403,
     "permission"},
    {"other reads one",
     as::other,
     "GET",
     root + "acme/webhooks/" + hook + '/',
     {},
     403,
     "permission"},
    {"other reads one as its own",
     as::other,
     "GET",
     root + "other/webhooks/" + hook + '/',
     {},
     404,
     "query"},
    {"other changes one as its own", as::other, "PATCH",
     root + "other/webhooks/" + hook + '/', R"({"enabled":false})", 404,
     "query"},
    {"other deletes one as its own",
     as::other,
     "DELETE",
     root + "other/webhooks/" + hook + '/',
     {},
     404,
     "query"},
    {"other reads the log as its own",
     as::other,
     "GET",
     root + "other/webhooks/" + hook + "/calls/",
     {},
     404,
     ""},
    {"other lists organizers", as::other, "POST", root, R"({"slug":"new"})",
     403, "permission"},
    {"manager makes tokens", as::manager, "POST", root + "acme/tokens/",
     R"({"name":"x","permissions":["admin"]})", 403, "permission"},
    // What they ask for.
    {"unknown organizer", as::admin, "POST", root + "nobody/notifications/",
     notification, 403, "permission"},
    {"unknown webhook",
     as::admin,
     "GET",
     root + "acme/webhooks/999999/",
     {},
     404,
     "query"},
    {"huge webhook id",
     as::admin,
     "GET",
     root + "acme/webhooks/99999999999999999999999/",
     {},
     404,
     ""},
    {"webhook id no number",
     as::admin,
     "GET",
     root + "acme/webhooks/x/",
     {},
     404,
     "Not found"},
    {"unknown call",
     as::admin,
     "GET",
     root + "acme/webhooks/" + hook + "/calls/424242/",
     {},
     404,
     ""},
    {"unknown notification",
     as::admin,
     "GET",
     root + "acme/notifications/424242/",
     {},
     404,
     "Not found"},
    // How they ask.
    {"PUT notifications",
     as::admin,
     "PUT",
     root + "acme/notifications/",
     {},
     405,
     "PUT"},
    {"PUT webhooks", as::admin, "PUT", root + "acme/webhooks/", "{}", 405,
     "PUT"},
    {"POST to a webhook", as::admin, "POST",
     root + "acme/webhooks/" + hook + '/', "{}", 405, "POST"},
    {"DELETE the log",
     as::admin,
     "DELETE",
     root + "acme/webhooks/" + hook + "/calls/",
     {},
     405,
     "DELETE"},
    {"unheard-of method",
     as::admin,
     "BREW",
     root + "acme/webhooks/",
     {},
     405,
     "BREW"},
    {"no JSON wanted",
     as::admin,
     "GET",
     root + "acme/webhooks/?format=xml",
     {},
     404,
     ""},
    // Webhooks.
    {"webhook without fields", as::admin, "POST", root + "acme/webhooks/", "{}",
     400, "target_url"},
    {"webhook is a list", as::admin, "POST", root + "acme/webhooks/", "[]", 400,
     "dictionary"},
    {"webhook malformed", as::admin, "POST", root + "acme/webhooks/", "{", 400,
     "JSON"},
    {"webhook deep", as::admin, "POST", root + "acme/webhooks/",
     std::string(100'000, '['), 400, "JSON"},
    {"URL without scheme", as::admin, "PATCH",
     root + "acme/webhooks/" + hook + '/', R"({"target_url":"example.org"})",
     400, "valid URL"},
    {"URL of another scheme", as::admin, "PATCH",
     root + "acme/webhooks/" + hook + '/',
     R"({"target_url":"file:///etc/passwd"})", 400, "valid URL"},
    {"URL a number", as::admin, "PATCH", root + "acme/webhooks/" + hook + '/',
     R"({"target_url":5})", 400, "valid URL"},
    {"enabled a text", as::admin, "PATCH", root + "acme/webhooks/" + hook + '/',
     R"({"enabled":"perhaps"})", 400, "boolean"},
    {"unknown type", as::admin, "PATCH", root + "acme/webhooks/" + hook + '/',
     R"({"action_types":["pretix.nope"]})", 400, "pretix.nope"},
    {"types a number", as::admin, "PATCH", root + "acme/webhooks/" + hook + '/',
     R"({"action_types":5})", 400, "action_types"},
    {"unknown event", as::admin, "PATCH", root + "acme/webhooks/" + hook + '/',
     R"({"all_events":false,"limit_events":["nope"]})", 400, "nope"},
    {"all and some events", as::admin, "PATCH",
     root + "acme/webhooks/" + hook + '/', R"({"limit_events":["x"]})", 400,
     "limit_events"},
    {"unknown delivery key", as::admin, "PATCH",
     root + "acme/webhooks/" + hook + "/delivery/", R"({"speed":9})", 400,
     "speed"},
    {"delivery of a wrong type", as::admin, "PATCH",
     root + "acme/webhooks/" + hook + "/delivery/",
     R"({"max_in_flight":"many"})", 400, "max_in_flight"},
    {"delivery out of range", as::admin, "PATCH",
     root + "acme/webhooks/" + hook + "/delivery/", R"({"max_in_flight":65})",
     400, "max_in_flight"},
    // The registry.
    {"organizer twice", as::admin, "POST", root,
     R"({"slug":"acme","name":"Acme"})", 400, "already exists"},
    {"organizer no slug", as::admin, "POST", root,
     R"({"slug":"a/b","name":"x"})", 400, "slug"},
    {"organizer no name", as::admin, "POST", root, R"({"slug":"new","name":5})",
     400, "name"},
    {"token of unknown permission", as::admin, "POST", root + "acme/tokens/",
     R"({"name":"x","permissions":["fly"]})", 400, "fly"},
    {"token without permission", as::admin, "POST", root + "acme/tokens/",
     R"({"name":"x","permissions":[]})", 400, "permissions"},
    {"action type without an end", as::admin, "POST", "/api/v1/action-types/",
     R"({"name":"x."})", 400, "name"},
    {"action type all of pretix", as::admin, "POST", "/api/v1/action-types/",
     R"({"name":"pretix.*"})", 400, "name"},
    {"action type of odd letters", as::admin, "POST", "/api/v1/action-types/",
     R"({"name":"a.B c"})", 400, "name"},
  };
  std::map<std::string, rest_client> clients;
  for (const auto& [name, who, method, target, body, status, about] : table) {
    SCOPED_TRACE(name);
    auto& client = clients
                     .try_emplace(key_of(who), running().client(key_of(who)))
                     .first->second;
    const auto answer = client.send(method, target, body);
    EXPECT_EQ(answer.status, status) << answer.body;
    expect_reason(answer, about);
    EXPECT_EQ(client.connections(), 1U);
    EXPECT_EQ(answer.header("www-authenticate").value_or("none"),
              answer.status == 401 ? "Token" : "none");
    EXPECT_EQ(answer.header("allow").has_value(), answer.status == 405);
  }
  expect_unharmed();
}

TEST_F(BadInputTest, OddHeadersAreRefused) {
  const std::string body = R"({"action":"pretix.event.order.placed"})";
  const struct {
    const char* name;
    const char* header;
    std::string value;
    unsigned status;
  } table[] = {
    {"another scheme", "Authorization", "Bearer x", 401},
    {"Basic", "Authorization", "Basic YTpi", 401},
    {"no key", "Authorization", "Token", 401},
    {"two keys", "Authorization", "Token a b", 401},
    {"another type", "Content-Type", "text/xml", 415},
    {"no JSON accepted", "Accept", "text/html", 406},
    {"huge header", "X-Huge", std::string(40'000, 'x'), 431},
  };
  for (const auto& [name, header, value, status] : table) {
    SCOPED_TRACE(name);
    auto client = running().client();
    const auto answer = client.send("POST", publish_path("acme"), body,
                                    {{header, value}});
    EXPECT_EQ(answer.status, status) << answer.body;
    expect_reason(answer, "");
  }
  expect_unharmed();
}

TEST_F(BadInputTest, UnknownPathsAreToldFromUnknownThings) {
  auto client = running().client();
  const auto page = client.get("/api/v1/nothing/");
  EXPECT_EQ(page.status, 404U);
  EXPECT_THAT(page.header("content-type").value_or(""), HasSubstr("text/html"));
  const auto other = client.get("/nothing");
  EXPECT_EQ(other.status, 404U);
  expect_reason(other, "Not found");
  const auto slash = client.get("/api/v1/organizers/acme/webhooks?page=1");
  EXPECT_EQ(slash.status, 301U);
  EXPECT_THAT(slash.header("location").value_or(""),
              HasSubstr("/api/v1/organizers/acme/webhooks/?page=1"));
  EXPECT_EQ(client.connections(), 1U);
  expect_unharmed();
}

TEST_F(BadInputTest, ARevokedTokenOpensNothing) {
  const auto answer = api().post(
    organizer_path("acme") + "tokens/",
    {{"name", "short-lived"}, {"permissions", {"webhooks"}}});
  ASSERT_EQ(answer.status, 201U);
  auto client = running().client(text_of(answer.json(), "key"));
  EXPECT_EQ(client.get(webhook_path("acme", hook_)).status, 200U);
  const auto id = std::to_string(number_of(answer.json(), "id"));
  EXPECT_EQ(api().erase(organizer_path("acme") + "tokens/" + id + '/').status,
            204U);
  const auto refused = client.get(webhook_path("acme", hook_));
  EXPECT_EQ(refused.status, 401U);
  expect_reason(refused, "Token inactive or deleted.");
}

} // namespace

} // namespace fanfare::test
