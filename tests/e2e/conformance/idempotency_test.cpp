// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// §5.7: requests that carry a key are run once.

#include "tests/e2e/conformance/conformance_test.hpp"

#include <algorithm>
#include <array>
#include <latch>
#include <thread>

namespace fanfare::test {

namespace {

const std::string unseen = detail("Idempotency key not seen before.");
const std::string none_given = detail("No idempotency key given.");
const std::string running_one = detail(
  "Concurrent request with idempotency key.");

std::string query(const std::string& key) {
  return "/api/v1/idempotency_query?key=" + key;
}

class IdempotencyTest : public ConformanceTest {
protected:
  const std::string valid{
    R"({"target_url":"https://a.com","limit_events":[],"action_types":[]})"};

  static rest_client::fields key(const std::string& value) {
    return {{"X-Idempotency-Key", value}};
  }

  std::size_t count() {
    return static_cast<std::size_t>(
      ask({"GET", "webhooks/"}).json().at("count").as_int64());
  }

  /// The first one is run; the others, whatever they ask, get its answer.
  void expect_replays(const row& first, const std::vector<row>& others) {
    static int runs = 0;
    const auto own = "run-" + std::to_string(++runs);
    auto asked = first;
    asked.sent.emplace_back("X-Idempotency-Key", own);
    const auto answer = expect(asked);
    const auto before = ask({"GET", "webhooks/"}).body;
    for (auto other : others) {
      SCOPED_TRACE(other.method + ' ' + other.target);
      other.who = first.who;
      other.sent.emplace_back("X-Idempotency-Key", own);
      const auto again = ask(other);
      EXPECT_EQ(again.status, answer.status);
      EXPECT_EQ(again.body, answer.body);
      for (const auto* name :
           {"Content-Type", "Allow", "Location", "WWW-Authenticate"})
        EXPECT_EQ(again.header(name), answer.header(name)) << name;
    }
    EXPECT_EQ(ask({"GET", "webhooks/"}).body, before);
  }
};

TEST_F(IdempotencyTest, ReplaysWhateverIsAskedNext) {
  const std::vector<row> others{
    {"POST", "webhooks/", valid},
    {"POST", "webhooks/", R"({"target_url":"https://b.com"})"},
    {"POST", "webhooks/", "{"},
    {"PUT", "webhooks/$id/", valid},
    {"PATCH", "webhooks/$id/", R"({"comment":"x"})"},
    {"DELETE", "webhooks/$id/"},
    {"DELETE", "webhooks/999999/"},
  };
  add_webhook();
  const row firsts[] = {
    {"POST", "webhooks/", valid, 201},
    {"PATCH", "webhooks/$id/", R"({"comment":"\u00e9"})", 200},
    {"PUT", "webhooks/$id/", valid, 200},
    {"DELETE", "webhooks/$id/", {}, 204, ""},
    // Refusals as well.
    {"POST", "webhooks/", "{}", 400},
    {"POST", "webhooks.json", "{", 400},
    {"PATCH", "webhooks/999999/", "{}", 404, no_such_webhook},
    {"DELETE", "webhooks/abc/", {}, 404, not_found},
    {"DELETE", "webhooks/", {}, 405},
    {"POST", "webhooks/$id/", {}, 405},
    {"PATCH", "webhooks/", "{}", 405},
    {.method = "POST",
     .target = "webhooks/",
     .body = valid,
     .status = 403,
     .answer = no_permission,
     .who = as::sender},
    {.method = "PUT",
     .target = "webhooks/$id.json",
     .body = "<x/>",
     .status = 415,
     .sent = {{"Content-Type", "text/xml"}}},
    {.method = "DELETE", .target = "webhooks/$id", .status = 301},
  };
  for (const auto& first : firsts) {
    SCOPED_TRACE(first.method + ' ' + first.target);
    expect_replays(first, others);
  }
}

TEST_F(IdempotencyTest, KeysAreOfOneAuthorization) {
  const auto one = expect({.method = "POST",
                           .target = "webhooks/",
                           .body = valid,
                           .status = 201,
                           .sent = key("k")});
  const auto other = expect({.method = "POST",
                             .target = "webhooks/",
                             .body = valid,
                             .status = 201,
                             .sent = key("k"),
                             .who = as::owner});
  EXPECT_NE(one.body, other.body);
  EXPECT_EQ(count(), 2U);
  expect_all({
    {"POST", "webhooks/", valid, 201, one.body, key("k")},
    {"GET", query("k"), {}, 201, one.body},
    {.method = "GET",
     .target = query("k"),
     .status = 201,
     .answer = other.body,
     .who = as::owner},
    {.method = "GET",
     .target = query("k"),
     .status = 404,
     .answer = unseen,
     .who = as::stranger},
  });
  // Keys are compared as they are.
  for (const std::string another : {"K", "kk", "k k"})
    expect({"POST", "webhooks/", valid, 201, {}, key(another)});
  EXPECT_EQ(count(), 5U);
}

TEST_F(IdempotencyTest, NoKeyIsNone) {
  for (int i = 0; i < 2; ++i) {
    expect({"POST", "webhooks/", valid, 201, {}, key("")});
    expect({"POST", "webhooks/", valid, 201, {}, {{"Idempotency-Key", ""}}});
  }
  EXPECT_EQ(count(), 4U);
  expect_all({
    {"GET", "/api/v1/idempotency_query", {}, 404, none_given},
    {"GET", query(""), {}, 404, none_given},
    {"GET", query("nothing"), {}, 404, unseen},
  });
}

TEST_F(IdempotencyTest, ReadsIgnoreIt) {
  const auto made = expect({"POST", "webhooks/", valid, 201, {}, key("k")});
  const auto list = R"({"count":1,"next":null,"previous":null,"results":[)"
                  + made.body + "]}";
  expect_all({
    {"GET", "webhooks/", {}, 200, list, key("k")},
    {"HEAD", "webhooks/", {}, 200, "", key("k")},
    {"OPTIONS", "webhooks/", {}, 200, {}, key("k")},
  });
  for (const std::string method : {"GET", "HEAD", "OPTIONS"})
    expect({method, "webhooks/", {}, 200, {}, key("read")});
  expect_all({
    {"GET", query("read"), {}, 404, unseen},
    {"POST", "webhooks/", valid, 201, {}, key("read")},
  });
  EXPECT_EQ(count(), 2U);
}

TEST_F(IdempotencyTest, HasAnAlias) {
  const auto made = expect(
    {"POST", "webhooks/", valid, 201, {}, {{"Idempotency-Key", "k"}}});
  expect_all({
    {"POST", "webhooks/", valid, 201, made.body, {{"idempotency-key", "k"}}},
    {"POST", "webhooks/", valid, 201, made.body, key("k")},
    {"GET", query("k"), {}, 201, made.body},
  });
  EXPECT_EQ(count(), 1U);
}

// On purpose, so that revocation takes effect at once.
TEST_F(IdempotencyTest, AnswersToNobodyAreNotKept) {
  std::string id;
  const auto revoked = add_token(org_, "short-lived", R"(["webhooks"])", &id);
  const rest_client::fields with_key{{"Authorization", "Token " + revoked},
                                     {"X-Idempotency-Key", "k"}};
  const auto made = expect({"POST", "webhooks/", valid, 201, {}, with_key});
  expect({"POST", "webhooks/", valid, 201, made.body, with_key});
  expect({.method = "DELETE",
          .target = "tokens/" + id + '/',
          .status = 204,
          .who = as::owner});
  const auto inactive = detail("Token inactive or deleted.");
  expect_all({
    {"POST", "webhooks/", valid, 401, inactive, with_key},
    {"GET",
     query("k"),
     {},
     401,
     inactive,
     {{"Authorization", "Token " + revoked}}},
    {"POST",
     "webhooks/",
     valid,
     401,
     detail("Invalid token."),
     {{"Authorization", "Token nonsense"}, {"X-Idempotency-Key", "k"}}},
    {.method = "GET",
     .target = query("k"),
     .status = 401,
     .answer = detail("Authentication credentials were not provided."),
     .who = as::nobody},
  });
  EXPECT_EQ(count(), 1U);
}

TEST_F(IdempotencyTest, PublishesOnce) {
  const std::string notification = R"({"action":"pretix.event.added"})";
  const auto first = expect({.method = "POST",
                             .target = "notifications/",
                             .body = notification,
                             .status = 202,
                             .sent = key("p"),
                             .who = as::sender});
  expect_all({
    {"POST",
     "notifications/",
     notification,
     202,
     first.body,
     key("p"),
     {},
     as::sender},
    {"POST",
     "notifications/",
     "[" + notification + ',' + notification + ']',
     202,
     first.body,
     key("p"),
     {},
     as::sender},
    {"GET", query("p"), {}, 202, first.body, {}, {}, as::sender},
  });
  const auto next = expect({.method = "POST",
                            .target = "notifications/",
                            .body = notification,
                            .status = 202,
                            .who = as::sender});
  EXPECT_EQ(next.json().at("notification_id").as_int64(),
            first.json().at("notification_id").as_int64() + 1);
}

TEST_F(IdempotencyTest, SurvivesRestartsAndKills) {
  const std::string notification = R"({"action":"pretix.event.added"})";
  const auto hook = expect({"POST", "webhooks/", valid, 201, {}, key("h")});
  const auto refused = expect({"POST", "webhooks/", "{}", 400, {}, key("r")});
  const auto published = expect({.method = "POST",
                                 .target = "notifications/",
                                 .body = notification,
                                 .status = 202,
                                 .sent = key("p"),
                                 .who = as::sender});
  for (const bool gracefully : {true, false}) {
    restart(gracefully);
    expect_all({
      {"POST", "webhooks/", valid, 201, hook.body, key("h")},
      {"POST", "webhooks/", valid, 400, refused.body, key("r")},
      {"GET", query("h"), {}, 201, hook.body},
      {"POST",
       "notifications/",
       notification,
       202,
       published.body,
       key("p"),
       {},
       as::sender},
    });
    EXPECT_EQ(count(), 1U);
  }
}

// Both at once: one is run; the other gets its answer, or is told to wait.
TEST_F(IdempotencyTest, IsRunOnceHoweverManyAskAtOnce) {
  constexpr std::size_t rounds = 30;
  constexpr std::size_t clients = 4;
  std::array<std::optional<rest_client>, clients> connections;
  for (auto& c : connections)
    c = running().client(key_of(as::manager));
  const auto target = fill("/api/v1/organizers/$org/webhooks/");
  for (std::size_t round = 0; round < rounds; ++round) {
    std::array<rest_response, clients> answers;
    std::latch start{clients};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < clients; ++i)
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        answers[i] = connections[i]->send("POST", target, valid,
                                          key("round" + std::to_string(round)));
      });
    threads.clear();
    std::string made;
    for (const auto& answer : answers)
      if (answer.status == 201) {
        EXPECT_TRUE(made.empty() || made == answer.body);
        made = answer.body;
      } else {
        EXPECT_EQ(answer.status, 409U) << answer.body;
        EXPECT_EQ(answer.body, running_one);
        EXPECT_EQ(answer.header("Retry-After"), "5");
      }
    EXPECT_FALSE(made.empty());
    // A 409 is not kept.
    expect({"POST", "webhooks/", valid, 201, made,
            key("round" + std::to_string(round))});
  }
  EXPECT_EQ(count(), rounds);
}

} // namespace

} // namespace fanfare::test
