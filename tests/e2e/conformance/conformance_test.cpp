// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/conformance/conformance_test.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace fanfare::test {

namespace {

/// That of the suite that runs.
struct shared_server {
  temp_dir dir;
  std::optional<server> process;

  void start() {
    // Wrong keys are asked with more often than a server bears otherwise.
    // The compatible API knows no names without a dot, which are accepted once
    // a network is allowed.
    process.emplace(server_options{.data = dir / "data",
                                   .args = {"--failed-logins", "0"},
                                   .allow_loopback = false});
  }
};

std::optional<shared_server> shared;
int organizers = 0;

/// What must be the same in the answers to GET and HEAD.
rest_client::fields lasting_headers(const rest_response& answer) {
  auto headers = answer.headers;
  std::erase_if(headers, [](const auto& h) {
    return h.first == "Date" || h.first == "X-Request-Id";
  });
  return headers;
}

void replace_all(std::string& text, std::string_view what,
                 std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

std::string shortened(const std::string& text) {
  constexpr std::size_t most = 300;
  return text.size() <= most ? text : text.substr(0, most) + "…";
}

} // namespace

std::string as_json(std::string_view value) {
  return boost::json::serialize(
    boost::json::string_view{value.data(), value.size()});
}

std::string detail(std::string_view sentence) {
  return "{\"detail\":" + as_json(sentence) + '}';
}

void ConformanceTest::SetUpTestSuite() {
  shared.emplace();
  shared->start();
}

void ConformanceTest::TearDownTestSuite() {
  if (shared && shared->process && shared->process->process().running()) {
    const auto status = shared->process->stop();
    EXPECT_EQ(status.code, 0) << to_string(status);
  }
  shared.reset();
}

void ConformanceTest::restart(bool gracefully) {
  clients_.clear(); // it will listen elsewhere
  if (gracefully)
    running().stop();
  else
    running().kill();
  shared->process.reset();
  shared->start();
}

server& ConformanceTest::running() {
  if (!shared || !shared->process)
    throw std::logic_error{"no server was started"};
  return *shared->process;
}

void ConformanceTest::SetUp() {
  org_ = "org" + std::to_string(++organizers);
  other_ = "other" + std::to_string(organizers);
  for (const auto& slug : {org_, other_})
    expect({.method = "POST",
            .target = "/api/v1/organizers/",
            .body = "{\"slug\":" + as_json(slug) + '}',
            .status = 201,
            .who = as::admin});
  add_event(org_, "dummy", "Zulu");
  add_event(org_, "second", "Alpha");
  add_event(other_, "foreign", "Foreign");
  keys_[as::manager] = add_token(org_, "manager", R"(["webhooks"])");
  keys_[as::sender] = add_token(org_, "sender", R"(["notifications"])");
  keys_[as::owner] = add_token(org_, "owner", R"(["admin"])");
  keys_[as::stranger] = add_token(other_, "stranger",
                                  R"(["webhooks","notifications","admin"])");
}

std::string ConformanceTest::key_of(as who) const {
  if (who == as::nobody)
    return {};
  return who == as::admin ? server::admin_key : keys_.at(who);
}

rest_client& ConformanceTest::client(as who) {
  return clients_.try_emplace(who, running().client(key_of(who))).first->second;
}

std::string ConformanceTest::fill(std::string text) const {
  replace_all(text, "$org", org_);
  replace_all(text, "$other", other_);
  replace_all(text, "$id", id_);
  replace_all(text, "$host", "127.0.0.1:" + std::to_string(running().port()));
  return text;
}

rest_response ConformanceTest::ask(const row& r) {
  const auto target = fill(r.target.starts_with('/')
                             ? r.target
                             : "/api/v1/organizers/$org/" + r.target);
  auto sent = r.sent;
  for (auto& [name, value] : sent)
    value = fill(value);
  auto body = r.body;
  if (body)
    body = fill(*body);
  return client(r.who).send(r.method, target, body, sent);
}

rest_response ConformanceTest::expect(const row& r) {
  SCOPED_TRACE(r.method + ' ' + shortened(fill(r.target)) + ' '
               + shortened(r.body.value_or("")));
  auto answer = ask(r);
  EXPECT_EQ(answer.status, r.status) << shortened(answer.body);
  if (r.answer) {
    EXPECT_EQ(answer.body, fill(*r.answer));
  }
  for (const auto& [name, value] : r.expected)
    EXPECT_EQ(answer.header(name), fill(value)) << name;
  const bool json = answer.body.starts_with('{')
                 || answer.body.starts_with('[');
  if (json || (r.method == "HEAD" && answer.status < 300)) {
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
  }
  if (answer.status == 204) {
    EXPECT_FALSE(answer.header("Content-Type"));
  }
  EXPECT_EQ(answer.header("WWW-Authenticate").value_or("none"),
            answer.status == 401 ? "Token" : "none");
  EXPECT_EQ(answer.header("Allow").has_value(),
            answer.status == 405
              || (r.method == "OPTIONS" && answer.status == 200));
  if (r.method == "GET") {
    auto again = r;
    again.method = "HEAD";
    const auto head = ask(again);
    EXPECT_EQ(head.status, answer.status);
    EXPECT_EQ(head.body, "");
    if (answer.status != 405) { // whose body names the method
      EXPECT_EQ(lasting_headers(head), lasting_headers(answer));
    }
  }
  return answer;
}

void ConformanceTest::expect_all(const std::vector<row>& rows) {
  for (const auto& r : rows)
    expect(r);
}

std::string ConformanceTest::body_with(std::string_view field,
                                       std::string_view value) {
  std::string out = "{";
  const std::pair<std::string_view, std::string_view> valid[] = {
    {"target_url", "\"https://google.com\""},
    {"limit_events", "[]"},
    {"action_types", "[]"}};
  for (const auto& [name, text] : valid)
    if (name != field)
      out += as_json(name) + ':' + std::string{text} + ',';
  return out + as_json(field) + ':' + std::string{value} + '}';
}

void ConformanceTest::expect_taken(std::string_view field,
                                   std::string_view value,
                                   std::string_view rendered) {
  const auto made = expect({.method = "POST",
                            .target = "webhooks/",
                            .body = body_with(field, value),
                            .status = 201});
  const auto member = as_json(field) + ':' + std::string{rendered};
  const auto end = field == "comment" ? "}" : ",";
  EXPECT_THAT(made.body, ::testing::HasSubstr(member + end))
    << shortened(std::string{value});
  if (made.status != 201)
    return;
  id_ = boost::json::serialize(made.json().at("id"));
  // By the other two ways in, and as stored.
  expect_all({
    {"PUT", "webhooks/$id/", body_with(field, value), 200, made.body},
    {"PATCH", "webhooks/$id/",
     '{' + as_json(field) + ':' + std::string{value} + '}', 200, made.body},
    {"GET", "webhooks/$id/", {}, 200, made.body},
  });
}

void ConformanceTest::expect_refused(std::string_view field,
                                     std::string_view value,
                                     std::string_view sentences) {
  const auto answer = '{' + as_json(field) + ":[" + std::string{sentences}
                    + "]}";
  add_webhook();
  const auto before = ask({"GET", "webhooks/"}).body;
  expect_all({
    {"POST", "webhooks/", body_with(field, value), 400, answer},
    {"PUT", "webhooks/$id/", body_with(field, value), 400, answer},
    {"PATCH", "webhooks/$id/",
     '{' + as_json(field) + ':' + std::string{value} + '}', 400, answer},
  });
  EXPECT_EQ(ask({"GET", "webhooks/"}).body, before)
    << shortened(std::string{value});
}

std::string ConformanceTest::add_webhook(std::string_view fields) {
  std::string body = "{" + std::string{fields};
  const std::pair<std::string_view, std::string_view> valid[] = {
    {"target_url", "\"https://google.com\""},
    {"limit_events", "[]"},
    {"action_types", "[]"}};
  for (const auto& [name, text] : valid)
    if (fields.find(as_json(name)) == std::string_view::npos)
      body += as_json(name) + ':' + std::string{text} + ',';
  body.back() = '}';
  const auto made = ask({"POST", "webhooks/", body});
  if (made.status != 201)
    throw std::runtime_error{"adding a webhook: " + made.body};
  id_ = boost::json::serialize(made.json().at("id"));
  return id_;
}

void ConformanceTest::add_event(const std::string& organizer,
                                const std::string& slug,
                                const std::string& name) {
  expect(
    {.method = "POST",
     .target = "/api/v1/organizers/" + organizer + "/events/",
     .body = "{\"slug\":" + as_json(slug) + ",\"name\":" + as_json(name) + '}',
     .status = 201,
     .who = as::admin});
}

std::string
ConformanceTest::add_token(const std::string& organizer, std::string_view name,
                           std::string_view permissions, std::string* id) {
  const auto made = expect(
    {.method = "POST",
     .target = "/api/v1/organizers/" + organizer + "/tokens/",
     .body = "{\"name\":" + as_json(name)
           + ",\"permissions\":" + std::string{permissions} + '}',
     .status = 201,
     .who = as::admin});
  const auto json = made.json();
  if (id)
    *id = boost::json::serialize(json.at("id"));
  return std::string{json.at("key").as_string()};
}

} // namespace fanfare::test
