// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Two organizers and every route of the API: neither sees or changes anything
// of the other. The routes are those of the router itself, so that none can be
// forgotten.

#include "protocol/rest/resource_table.hpp"
#include "tests/e2e/conformance/conformance_test.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_sink.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <regex>
#include <set>

namespace fanfare::test {

namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Who may do it: any of them.
constexpr unsigned hooks = 1;
constexpr unsigned publish = 2;
constexpr unsigned admin = 0; ///< of the organizer, who may do all of it
constexpr unsigned anybody = 4;
constexpr unsigned server_admin = 8;
constexpr unsigned everyone = 16; ///< without a token, too

struct access {
  std::string method;
  unsigned needs;
  std::string body = {};
};

/// All data of `$org` has this word in it, where there is room for one.
const std::string mark = "victim";

struct tenant_row {
  std::string pattern;
  std::vector<access> methods; ///< but HEAD and OPTIONS
  /// In the answer to a GET of who may.
  std::string shows = mark;
};

const std::string whole_webhook =
  R"({"target_url":"https://a.com","limit_events":[],"action_types":[]})";

const std::string since_ever = R"({"since":"2020-01-01T00:00:00Z"})";

/// Add a row here for each new route.
const std::vector<tenant_row>& table() {
  static const std::vector<tenant_row> rows{
    {"/", {{"GET", everyone}}},
    {"/healthz", {{"GET", everyone}}},
    {"/readyz", {{"GET", everyone}}},
    {"/metrics", {{"GET", server_admin}}, "fanfare_build_info{"},
    {"/api/v1/idempotency_query", {{"GET", anybody}}},
    {"/api/v1/openapi.json", {{"GET", everyone}}},
    {"/api/docs/", {{"GET", everyone}}},
    {"/api/v1/organizers/",
     {{"GET", server_admin},
      {"POST", server_admin, R"({"slug":"x","name":"x"})"}}},
    {"/api/v1/action-types/",
     {{"GET", anybody}, {"POST", server_admin, R"({"name":"x.y"})"}}},
    // To delete it takes a confirmation, which is not given here.
    {"/api/v1/organizers/{organizer}/",
     {{"GET", hooks | publish},
      {"PATCH", server_admin, R"({"name":"victim"})"},
      {"DELETE", server_admin}},
     "\"slug\":"},
    {"/api/v1/organizers/{organizer}/networks/",
     {{"GET", server_admin},
      {"PATCH", server_admin, R"({"deny":["192.0.2.0/24"]})"}},
     R"("deny":[)"},
    {"/api/v1/organizers/{organizer}/events/",
     {{"GET", admin}, {"POST", admin, R"({"slug":"new","name":"new"})"}}},
    {"/api/v1/organizers/{organizer}/events/{event}/",
     {{"GET", admin},
      {"PATCH", admin, R"({"name":"victim"})"},
      {"DELETE", admin}}},
    {"/api/v1/organizers/{organizer}/tokens/",
     {{"GET", admin},
      {"POST", admin, R"({"name":"new","permissions":["webhooks"]})"}}},
    {"/api/v1/organizers/{organizer}/tokens/{id}/", {{"DELETE", admin}}},
    {"/api/v1/organizers/{organizer}/webhooks/",
     {{"GET", hooks}, {"POST", hooks, whole_webhook}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/",
     {{"GET", hooks},
      {"PUT", hooks, whole_webhook},
      {"PATCH", hooks, R"({"comment":"changed"})"},
      {"DELETE", hooks}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/delivery/",
     {{"GET", hooks}, {"PATCH", hooks, R"({"max_age":77})"}},
     R"("schedule":[3600])"},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/filter/preview/",
     {{"POST", hooks, R"({"filter":null})"}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/secret/",
     {{"GET", hooks}},
     R"("secret":"whsec_)"},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/secret/rotate/",
     {{"POST", hooks, R"({"overlap":60})"}}},
    {"/api/v1/organizers/{organizer}/calls/", {{"GET", hooks}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/calls/", {{"GET", hooks}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/calls/{call}/",
     {{"GET", hooks}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/retries/",
     {{"GET", hooks}},
     R"("attempt":2)"},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/calls/{call}/resend/",
     {{"POST", hooks}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/retries/expedite/",
     {{"POST", hooks}}},
    {"/api/v1/organizers/{organizer}/retries/expedite/", {{"POST", hooks}}},
    {"/api/v1/retries/expedite/", {{"POST", server_admin}}},
    {"/api/v1/backup/", {{"POST", server_admin}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/retries/drop/",
     {{"POST", hooks}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/test/", {{"POST", hooks}}},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/replay/",
     {{"GET", hooks}, {"POST", hooks, since_ever}, {"DELETE", hooks}},
     R"("state":"done")"},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/health/",
     {{"GET", hooks}},
     R"("calls":1,)"},
    {"/api/v1/organizers/{organizer}/webhooks/{id}/statistics/",
     {{"GET", hooks}},
     R"("total":{"calls":1,)"},
    {"/api/v1/organizers/{organizer}/statistics/",
     {{"GET", hooks}},
     R"("total":{"calls":1,)"},
    {"/api/v1/status/", {{"GET", server_admin}}},
    {"/api/v1/organizers/{organizer}/status/",
     {{"GET", hooks}},
     R"("trouble":"failing")"},
    {"/api/v1/organizers/{organizer}/stream/",
     {{"GET", hooks | publish}},
     "retry: "},
    {"/api/v1/organizers/{organizer}/notifications/",
     {{"GET", hooks | publish},
      {"POST", publish, R"({"action":"pretix.event.added"})"}}},
    {"/api/v1/organizers/{organizer}/notifications/{id}/",
     {{"GET", hooks | publish}}},
  };
  return rows;
}

/// Whether that token of `$org` is one of those.
bool may(as who, unsigned needs) {
  if (who == as::admin || needs == anybody || needs == everyone)
    return true;
  if (needs == server_admin)
    return false;
  return who == as::owner || (who == as::manager && (needs & hooks) != 0)
      || (who == as::sender && (needs & publish) != 0);
}

bool is_open(const tenant_row& r) {
  return r.methods.front().needs == everyone;
}

/// It is compatible with one that has no metadata.
bool is_query(const std::string& path) {
  return path.ends_with("/idempotency_query");
}

/// It counts who reads it.
bool is_metrics(const std::string& path) {
  return path == "/metrics";
}

bool has_options(const tenant_row& r) {
  return !is_open(r) && !is_query(r.pattern) && !is_metrics(r.pattern);
}

bool is_owned(const std::string& pattern) {
  return pattern.find("{organizer}") != std::string::npos;
}

class TenantsTest : public ConformanceTest {
protected:
  void SetUp() override {
    ConformanceTest::SetUp();
    // Something of each kind.
    sink_.set_handler([](const request_record&) {
      return response_plan::answer(500, "answer to the victim");
    });
    add_event(org_, "victim-event", "The victim's event");
    revoked_ = add_token(org_, "victim's revoked", R"(["admin"])",
                         &revoked_id_);
    add_token(org_, "victim's", R"(["admin"])", &token_id_);
    expect({.method = "DELETE",
            .target = "tokens/" + revoked_id_ + '/',
            .status = 204,
            .who = as::owner});
    hook_id_ = add_webhook(R"("comment":"a victim","target_url":)"
                           + as_json(sink_.url("/victim"))
                           + R"(,"limit_events":["victim-event"],)"
                           + R"("action_types":["pretix.event.order.placed"],)"
                           + R"("delivery":{"schedule":[3600]},)");
    const auto published = expect(
      {.method = "POST",
       .target = "notifications/",
       .body = R"({"action":"pretix.event.order.placed",)"
               R"("event":"victim-event","code":"VICTIM","x":"a victim"})",
       .status = 202,
       .who = as::owner});
    notification_id_ = boost::json::serialize(
      published.json().at("notification_id"));
    ASSERT_TRUE(eventually(patience, [&] {
      const auto calls = ask({"GET", "webhooks/" + hook_id_ + "/calls/"})
                           .json();
      if (calls.at("results").as_array().empty())
        return false;
      call_id_ = boost::json::serialize(calls.at("results").at(0).at("id"));
      return ask({"GET", "webhooks/" + hook_id_ + "/retries/"})
               .json()
               .at("count")
          == 1;
    }));
    // It passes over the one that waits, and so is done at once.
    expect({"POST", "webhooks/" + hook_id_ + "/replay/", since_ever, 202});
    ASSERT_TRUE(eventually(patience, [&] {
      return ask({"GET", "webhooks/" + hook_id_ + "/replay/"})
               .json()
               .at("state")
          == "done";
    }));
    // The intruder has a webhook, and each permission by itself and all.
    const auto made = ask({.method = "POST",
                           .target = "/api/v1/organizers/$other/webhooks/",
                           .body = whole_webhook,
                           .who = as::stranger});
    own_hook_id_ = boost::json::serialize(made.json().at("id"));
    for (const std::string permission : {"webhooks", "notifications", "admin"})
      intruders_.push_back(
        add_token(other_, permission, "[\"" + permission + "\"]"));
    intruders_.push_back(key_of(as::stranger));
  }

  /// The path of a pattern, with what exists in `$org` for the ids.
  std::string path_of(const std::string& pattern, const std::string& organizer,
                      const std::string& hook) const {
    const auto id = pattern.find("/tokens/") != std::string::npos ? token_id_
                  : pattern.find("/notifications/") != std::string::npos
                    ? notification_id_
                    : hook;
    auto out = pattern;
    const std::pair<std::string_view, std::string> parameters[] = {
      {"{organizer}", organizer},
      {"{event}", "victim-event"},
      {"{id}", id},
      {"{call}", call_id_}};
    for (const auto& [name, value] : parameters)
      if (const auto at = out.find(name); at != std::string::npos)
        out.replace(at, name.size(), value);
    return out;
  }

  rest_response send(const access& what, const std::string& path,
                     const std::string& key) {
    auto& client = by_key_.try_emplace(key, running().client(key))
                     .first->second;
    return client.send(what.method, path,
                       what.body.empty() ? std::nullopt
                                         : std::optional{what.body});
  }

  static void expect_no_leak(const rest_response& answer) {
    auto all = answer.body;
    for (const auto& [name, value] : answer.headers)
      all += '\n' + name + ": " + value;
    std::ranges::transform(all, all.begin(), [](unsigned char c) {
      return static_cast<char>(std::tolower(c));
    });
    EXPECT_THAT(all, Not(HasSubstr(mark)));
  }

  /// The methods of a row, and those that all routes have.
  static std::vector<access> all_methods(const tenant_row& r) {
    auto out = r.methods;
    for (const auto& m : r.methods)
      if (m.method == "GET")
        out.push_back({"HEAD", m.needs});
    if (has_options(r))
      out.push_back({"OPTIONS", r.methods.front().needs});
    return out;
  }

  /// Everything that `$org`'s owner and the server's admin can read.
  std::string state() {
    std::string out;
    for (const auto& r : table())
      for (const auto& m : r.methods)
        // The server's status counts what the intruder may do to its own.
        if (m.method == "GET" && !is_metrics(r.pattern)
            && r.pattern != "/api/v1/status/")
          out += send(m, path_of(r.pattern, org_, hook_id_), server::admin_key)
                   .body
               + '\n';
    // These say who asked and when, not what changed.
    const std::regex passing{
      R"x("(last_used|age|calls_per_minute)":("[^"]*"|[^,}]*))x"
      R"x(|"datetime":"[^"]*",(?="webhooks"))x"
      R"x(|id: [0-9a-f.]+)x"}; // of a stream: whatever happens moves it
    return std::regex_replace(out, passing, "");
  }

  http_sink sink_;
  std::string token_id_;
  std::string revoked_id_;
  std::string revoked_;
  std::string hook_id_;
  std::string own_hook_id_;
  std::string call_id_;
  std::string notification_id_;
  std::vector<std::string> intruders_;
  std::map<std::string, rest_client> by_key_;
};

TEST_F(TenantsTest, EachRouteAndMethodIsInTheTable) {
  std::set<std::string> known;
  for (const auto& r : table())
    known.insert(r.pattern);
  std::set<std::string> routed;
  for (const auto& row : protocol::rest::resource_table())
    routed.emplace(row.path);
  EXPECT_EQ(known, routed);
  for (const auto& r : table()) {
    SCOPED_TRACE(r.pattern);
    // Which ones work is what the refusal of one that does not says.
    const auto refused = send(
      {"BREW", admin}, path_of(r.pattern, org_, hook_id_), server::admin_key);
    EXPECT_EQ(refused.status, 405U);
    std::set<std::string> methods;
    if (has_options(r))
      methods.insert("OPTIONS");
    for (const auto& m : r.methods) {
      methods.insert(m.method);
      if (m.method == "GET")
        methods.insert("HEAD");
    }
    std::set<std::string> allowed;
    std::string rest = refused.header("Allow").value_or("") + ", ";
    for (std::size_t at = 0; at < rest.size();) {
      const auto end = rest.find(", ", at);
      allowed.insert(rest.substr(at, end - at));
      at = end + 2;
    }
    EXPECT_EQ(methods, allowed);
  }
}

TEST_F(TenantsTest, NothingWithoutAValidToken) {
  const auto before = state();
  for (const auto& r : table())
    for (const auto& m : all_methods(r)) {
      const auto path = path_of(r.pattern, org_, hook_id_);
      SCOPED_TRACE(m.method + ' ' + path);
      const std::pair<std::string, std::string> cases[] = {
        {"", detail("Authentication credentials were not provided.")},
        {revoked_, detail("Token inactive or deleted.")},
        {std::string(64, 'x'), detail("Invalid token.")}};
      for (const auto& [key, sentence] : cases) {
        const auto answer = send(m, path, key);
        if (m.needs == everyone) {
          EXPECT_EQ(answer.status, 200U);
          expect_no_leak(answer);
          continue;
        }
        EXPECT_EQ(answer.status, 401U);
        EXPECT_EQ(answer.body, m.method == "HEAD" ? "" : sentence);
        EXPECT_EQ(answer.header("WWW-Authenticate"), "Token");
      }
    }
  EXPECT_EQ(state(), before);
}

TEST_F(TenantsTest, NothingWithoutThePermission) {
  const auto before = state();
  std::size_t refused = 0;
  for (const auto& r : table())
    for (const auto& m : all_methods(r)) {
      if (m.needs == anybody || m.needs == everyone)
        continue;
      const auto path = path_of(r.pattern, org_, hook_id_);
      SCOPED_TRACE(m.method + ' ' + path);
      for (const auto who : {as::manager, as::sender, as::owner}) {
        if (may(who, m.needs))
          continue;
        ++refused;
        const auto answer = send(m, path, key_of(who));
        EXPECT_EQ(answer.status, 403U);
        EXPECT_EQ(answer.body, m.method == "HEAD" ? "" : no_permission);
      }
    }
  EXPECT_GT(refused, 30U);
  EXPECT_EQ(state(), before);
}

TEST_F(TenantsTest, NothingWithATokenOfAnother) {
  const auto before = state();
  const auto received = sink_.size();
  for (const auto& r : table())
    for (const auto& m : all_methods(r)) {
      const auto path = path_of(r.pattern, org_, hook_id_);
      SCOPED_TRACE(m.method + ' ' + path);
      for (const auto& key : intruders_) {
        const auto answer = send(m, path, key);
        expect_no_leak(answer);
        if (m.needs == anybody || m.needs == everyone) {
          // Without a key there is no answer to show.
          EXPECT_EQ(answer.status, is_query(path) ? 404U : 200U);
          continue;
        }
        EXPECT_EQ(answer.status, 403U);
        EXPECT_EQ(answer.body, m.method == "HEAD" ? "" : no_permission);
      }
    }
  EXPECT_EQ(state(), before);
  EXPECT_EQ(sink_.size(), received);
}

TEST_F(TenantsTest, NothingOfAnotherByWayOfOnesOwnOrganizer) {
  const auto before = state();
  const auto received = sink_.size();
  for (const auto& r : table()) {
    if (!is_owned(r.pattern))
      continue;
    const bool by_id = r.pattern.find("{id}") != std::string::npos
                    || r.pattern.find("{event}") != std::string::npos;
    for (const auto& m : all_methods(r)) {
      std::set<std::string> paths{path_of(r.pattern, other_, hook_id_)};
      if (r.pattern.find("{call}")
          != std::string::npos) // one's own webhook, another's call
        paths.insert(path_of(r.pattern, other_, own_hook_id_));
      for (const auto& path : paths) {
        SCOPED_TRACE(m.method + ' ' + path);
        const auto answer = send(m, path, key_of(as::stranger));
        expect_no_leak(answer);
        if (!may(as::owner, m.needs)) {
          EXPECT_EQ(answer.status, 403U) << answer.body;
        } else if (by_id && m.method != "OPTIONS") {
          EXPECT_EQ(answer.status, 404U) << answer.body;
        } else {
          EXPECT_LT(answer.status, 300U) << answer.body;
        }
      }
    }
  }
  EXPECT_EQ(state(), before);
  EXPECT_EQ(sink_.size(), received);
}

// The table above would prove nothing if these requests were refused for
// another reason.
TEST_F(TenantsTest, EverythingToWhoMay) {
  for (const bool reads : {true, false})
    for (const auto& r : table())
      for (const auto& m : all_methods(r)) {
        if (reads != (m.method == "GET"))
          continue;
        const auto path = path_of(r.pattern, org_, hook_id_);
        SCOPED_TRACE(m.method + ' ' + path);
        for (const auto who : {as::manager, as::sender, as::owner, as::admin}) {
          if (!may(who, m.needs))
            continue;
          const auto answer = send(m, path, key_of(who));
          for (const auto status : {401U, 403U, 405U, 500U})
            EXPECT_NE(answer.status, status) << answer.body;
          if (answer.status == 404
              && !is_query(path)) { // it was found, only there is no more
            EXPECT_THAT(answer.body,
                        AnyOf(detail("No replay of this webhook is running."),
                              detail("There is no such event."),
                              m.method == "HEAD" ? "" : "no other"));
          }
          if (reads && is_owned(r.pattern)) {
            EXPECT_THAT(answer.body, HasSubstr(r.shows));
          }
        }
      }
}

} // namespace

} // namespace fanfare::test
