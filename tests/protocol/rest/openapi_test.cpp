// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Whether the description of the API is a sound document and says of each
/// route what the server does. tests/e2e/openapi_test.cpp sends its examples.

#include "tests/support/openapi.hpp"

#include "fanfare/version.hpp"
#include "protocol/rest/description/api_docs.hpp"
#include "protocol/rest/resource_table.hpp"
#include "tests/protocol/rest/rest_test.hpp"
#include "tests/support/json_schema.hpp"

#include <boost/json/value_to.hpp>

#include <openssl/evp.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace fanfare::test {
namespace {

namespace json = boost::json;

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, ',');)
    parts.push_back(part.substr(part.find_first_not_of(' ')));
  return parts;
}

/// Calls `visit` with each object inside of a value.
template <class Visit>
void each_object(const json::value& value, Visit visit) {
  if (const auto* list = value.if_array())
    for (const auto& item : *list)
      each_object(item, visit);
  if (const auto* object = value.if_object()) {
    visit(*object);
    for (const auto& member : *object)
      each_object(member.value(), visit);
  }
}

/// As `x-permission` has it.
std::set<std::string> permission_names(protocol::rest::permissions needed) {
  using namespace protocol::rest;
  switch (needed) {
    case everybody: return {};
    case any_token: return {"any"};
    case server_only: return {"server"};
    default: break;
  }
  std::set<std::string> names;
  if ((needed & permission_webhooks) != 0)
    names.insert("webhooks");
  if ((needed & permission_notifications) != 0)
    names.insert("notifications");
  if ((needed & permission_admin) != 0)
    names.insert("admin");
  if ((needed & permission_metrics) != 0)
    names.insert("metrics");
  if ((needed & permission_register_types) != 0)
    names.insert("register_types");
  return names;
}

class OpenApiTest : public RestTest {
protected:
  // In braces it would become a list of one.
  OpenApiTest() : document(ask("GET", "/api/v1/openapi.json", {}, {}).json()) {}

  /// A page that loads and runs nothing, and tells the browser so.
  void expect_harmless_page(std::string_view target);

  json::value document;
  json_schema schemas{document};
};

TEST_F(OpenApiTest, HasEachRouteWithItsMethodsAndPermissions) {
  using entry = std::pair<std::string, std::string>;
  std::map<entry, std::set<std::string>> routed;
  for (const auto& row : protocol::rest::resource_table())
    for (const auto& method : split_list(std::string{row.methods})) {
      const bool write = method != "GET" && method != "OPTIONS";
      if (method != "HEAD") // is answered like GET
        routed[{std::string{row.path}, method}] = permission_names(
          write ? row.write : row.read);
    }
  std::map<entry, std::set<std::string>> documented;
  for (const auto& operation : operations_of(document)) {
    const auto needed = json::value_to<std::set<std::string>>(
      operation.node->at("x-permission"));
    const auto* security = operation.node->if_contains("security");
    const bool open = security != nullptr && security->as_array().empty();
    EXPECT_EQ(needed.empty(), open) << operation.id();
    documented[{operation.path, operation.method}] = needed;
  }
  for (const auto& [where, permissions] : routed) {
    ASSERT_TRUE(documented.contains(where))
      << where.second << ' ' << where.first << " is not documented";
    EXPECT_EQ(documented[where], permissions)
      << where.second << ' ' << where.first;
  }
  for (const auto& [where, permissions] : documented)
    EXPECT_TRUE(routed.contains(where))
      << where.second << ' ' << where.first << " is no route";
}

TEST_F(OpenApiTest, IsAWellFormedDocument) {
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  std::set<std::string> ids;
  std::set<std::string> tags;
  for (const auto& tag : document.at("tags").as_array())
    tags.insert(json::value_to<std::string>(tag.at("name")));
  for (const auto& operation : operations_of(document)) {
    const auto id = operation.id();
    EXPECT_TRUE(ids.insert(id).second) << id << " comes twice";
    for (const auto* key : {"summary", "description", "responses"})
      EXPECT_TRUE(operation.node->contains(key)) << id << ' ' << key;
    for (const auto& tag : operation.node->at("tags").as_array())
      EXPECT_TRUE(tags.contains(json::value_to<std::string>(tag))) << id;
    std::set<std::string> in_path;
    static const std::regex place{R"(\{([a-z]+)\})"};
    for (std::sregex_iterator i{operation.path.begin(), operation.path.end(),
                                place};
         i != std::sregex_iterator{}; ++i)
      in_path.insert((*i)[1]);
    std::set<std::pair<std::string, std::string>> names;
    std::set<std::string> declared;
    if (const auto* parameters = operation.node->if_contains("parameters"))
      for (const auto& item : parameters->as_array()) {
        const auto& one = schemas.resolve(item);
        const auto name = json::value_to<std::string>(one.at("name"));
        const auto in = json::value_to<std::string>(one.at("in"));
        EXPECT_TRUE(names.emplace(in, name).second) << id << ' ' << name;
        if (in == "path") {
          declared.insert(name);
          EXPECT_EQ(one.at("required"), true) << id << ' ' << name;
        }
        const auto faults = schemas.faults(one.at("schema"), one.at("example"));
        EXPECT_TRUE(faults.empty()) << id << ' ' << name << faults.front();
      }
    EXPECT_EQ(declared, in_path) << id;
  }
}

TEST_F(OpenApiTest, HasNoReferenceToNothingAndNothingUnused) {
  std::set<std::string> used;
  each_object(document, [&](const json::object& object) {
    if (const auto* target = object.if_contains("$ref")) {
      EXPECT_NO_THROW((void)schemas.resolve(object));
      used.insert(json::value_to<std::string>(*target));
    }
  });
  for (const auto* kind : {"schemas", "responses", "parameters"})
    for (const auto& item : document.at("components").at(kind).as_object()) {
      const auto name = std::string{"#/components/"} + kind + '/'
                      + std::string{item.key()};
      EXPECT_TRUE(used.contains(name)) << name << " is not used";
    }
}

TEST_F(OpenApiTest, HasExamplesThatAreAsTheirSchemasSay) {
  std::size_t seen = 0;
  const auto check = [&](const std::string& where, const json::object& body,
                         json_schema::extras unknown) {
    for (const auto& example : examples_of(body)) {
      ++seen;
      const auto faults = schemas.faults(*example.schema, example.value(),
                                         unknown);
      EXPECT_TRUE(faults.empty())
        << where << ' ' << example.name << ' ' << faults.front();
    }
  };
  for (const auto& operation : operations_of(document)) {
    const auto id = operation.id();
    if (const auto* body = operation.node->if_contains("requestBody"))
      check(id, body->as_object(), json_schema::extras::allowed);
    for (const auto& item : operation.node->at("responses").as_object()) {
      const auto& answer = schemas.resolve(item.value());
      check(id + ' ' + std::string{item.key()}, answer,
            json_schema::extras::refused);
      const auto* content = answer.if_contains("content");
      // Pages, and the description itself, have no examples.
      static const std::set<std::string_view> pages{
        "readOpenapi", "readDocs", "readStartPage", "readMetrics"};
      if (content != nullptr && !pages.contains(id)) {
        EXPECT_FALSE(examples_of(answer).empty()) << id << ' ' << item.key();
      }
    }
  }
  for (const auto& item : document.at("x-every-path").as_object())
    check(std::string{item.key()}, schemas.resolve(item.value()),
          json_schema::extras::refused);
  EXPECT_GT(seen, 300U);
}

TEST_F(OpenApiTest, IsAnsweredToEverybodyOnceUntilItChanges) {
  for (const std::string target : {"/api/v1/openapi.json", "/api/docs/", "/"}) {
    const auto first = ask("GET", target, {}, {});
    EXPECT_EQ(first.status, 200) << target;
    EXPECT_EQ(first.header("Cache-Control"), "no-cache");
    const auto tag = first.header("ETag");
    ASSERT_FALSE(tag.empty());
    for (const auto& known :
         {tag, "W/" + tag, "\"x\", " + tag, std::string{"*"}}) {
      const auto again = ask("GET", target, {}, {}, {{"if-none-match", known}});
      EXPECT_EQ(again.status, 304) << target << ' ' << known;
      EXPECT_EQ(again.header("ETag"), tag);
      EXPECT_EQ(again.body, "");
    }
    EXPECT_EQ(ask("GET", target, {}, {}, {{"if-none-match", "\"x\""}}).body,
              first.body);
    EXPECT_EQ(ask("HEAD", target, {}, {}).status, 200);
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
      const auto refused = ask(method, target, {}, {});
      EXPECT_EQ(refused.status, 405) << target << ' ' << method;
      EXPECT_EQ(refused.header("Allow"), "GET, HEAD");
    }
    EXPECT_EQ(ask("GET", target, {}, {}, {{"accept", "image/png"}}).status,
              406);
  }
}

TEST_F(OpenApiTest, IsIndentedOnRequestAndHasTheVersion) {
  const auto indented = ask("GET", "/api/v1/openapi.json", {}, {},
                            {{"accept", "application/json; indent=2"}});
  EXPECT_EQ(indented.body.substr(0, 5), "{\n  \"");
  EXPECT_EQ(indented.json(), document);
  EXPECT_NE(document.at("info").at("version"), "0.0.0");
}

void OpenApiTest::expect_harmless_page(std::string_view target) {
  const auto page = ask("GET", target, {}, {}, {{"accept", "text/html"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page.header("Referrer-Policy"), "no-referrer");
  for (const auto* forbidden :
       {"<script", "<img", "<link", "<iframe", "@import", "url(",
        " style=", " src=", "href=\"http", "onload", "onclick"})
    EXPECT_EQ(page.body.find(forbidden), std::string::npos) << forbidden;
  // The policy allows just the style that is there.
  const auto begin = page.body.find("<style>") + 7;
  const auto style = page.body.substr(begin,
                                      page.body.find("</style>") - begin);
  const auto hash = protocol::hash_token_key(style); // SHA-256
  std::array<unsigned char, 64> encoded{};
  EVP_EncodeBlock(encoded.data(),
                  reinterpret_cast<const unsigned char*>(hash.data()),
                  static_cast<int>(hash.size()));
  const auto policy = page.header("Content-Security-Policy");
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos) << policy;
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_NE(policy.find("'sha256-"
                        + std::string{reinterpret_cast<char*>(encoded.data())}
                        + '\''),
            std::string::npos)
    << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
}

TEST_F(OpenApiTest, IsAPageThatLoadsAndRunsNothing) {
  expect_harmless_page("/api/docs/");
}

TEST_F(OpenApiTest, IsLinkedFromAPageForPeople) {
  expect_harmless_page("/");
  const auto page = ask("GET", "/", {}, {}).body;
  EXPECT_NE(page.find(fanfare::version), std::string::npos);
  for (const auto* target : {"api/docs/", "api/v1/openapi.json", "readyz"}) {
    EXPECT_NE(page.find("href=\"" + std::string{target} + '"'),
              std::string::npos)
      << target;
    EXPECT_NE(ask("GET", '/' + std::string{target}, {}, {}).status, 404);
  }
}

TEST_F(OpenApiTest, IsAPageOfAllOperationsWithAnchorsThatExist) {
  const auto& page = protocol::rest::api_docs_page();
  for (const auto& operation : operations_of(document))
    EXPECT_NE(page.find(" id=\"" + operation.id() + "\""), std::string::npos)
      << operation.id();
  static const std::regex anchor{R"re(href="#([^"]*)")re"};
  std::size_t links = 0;
  for (std::sregex_iterator i{page.begin(), page.end(), anchor};
       i != std::sregex_iterator{}; ++i, ++links)
    EXPECT_NE(page.find(" id=\"" + (*i)[1].str() + "\""), std::string::npos)
      << (*i)[1];
  EXPECT_GT(links, 100U);
  // An example of the document with characters that HTML would read.
  EXPECT_NE(page.find("&lt;a/&gt;"), std::string::npos);
  EXPECT_EQ(page.find("<a/>"), std::string::npos);
}

TEST_F(OpenApiTest, IsAPageThatNeedsItsSlash) {
  const auto answer = ask("GET", "/api/docs?x=1", {}, {});
  EXPECT_EQ(answer.status, 301);
  EXPECT_EQ(answer.header("Location"), "/api/docs/?x=1");
  EXPECT_EQ(ask("GET", "/api/v1/openapi.json/", {}, {}).status, 404);
}

TEST_F(OpenApiTest, DocumentsWhatAnEngineThatIsNotReadyAnswers) {
  service.is_ready = false;
  const auto got = ask("GET", "/readyz", {}, {});
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.json(), examples_of(document.at("paths")
                                      .at("/readyz")
                                      .at("get")
                                      .at("responses")
                                      .at("503")
                                      .as_object())
                          .front()
                          .value());
}

TEST_F(OpenApiTest, DocumentsWhatAStoreInTroubleAnswers) {
  const std::pair<ec, const char*> cases[] = {
    {ec::stopping, "503"}, {ec::overloaded, "503"}, {ec::store_full, "507"}};
  for (const auto& [code, status] : cases) {
    service.publish_error = error{code, "A sentence."};
    const auto got = ask("POST", "/api/v1/organizers/dummy/notifications/",
                         R"({"action":"pretix.event.order.paid"})",
                         "publisher");
    EXPECT_EQ(std::to_string(got.status), status);
    const auto& answer = schemas.resolve(
      document.at("paths")
        .at("/api/v1/organizers/{organizer}/notifications/")
        .at("post")
        .at("responses")
        .at(status));
    for (const auto& example : examples_of(answer))
      EXPECT_TRUE(schemas.faults(*example.schema, got.json()).empty());
    EXPECT_EQ(got.header("Retry-After").empty(), code != ec::overloaded);
  }
}

} // namespace
} // namespace fanfare::test
