// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Requests that a client sends in one write, without waiting for answers, are
/// carried out as if it had waited (RFC 9112, 9.3.2).

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/protocol/server/raw_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::test {
namespace {

namespace json = boost::json;
using protocol::server::answer;
using protocol::server::raw_client;

/// What goes wrong by chance has to go right every time.
constexpr int rounds = 40;

std::string number(int n) {
  return std::to_string(n);
}

class PipeliningTest : public E2eTest {
protected:
  void SetUp() override {
    start();
    add_organizer("acme");
  }

  static std::string request(std::string_view method, const std::string& target,
                             std::string_view body = {},
                             std::string_view more = {},
                             std::string_view key = server::admin_key) {
    std::string out{method};
    out += ' ' + target + " HTTP/1.1\r\nHost: x\r\nAuthorization: Token ";
    out += std::string{key} + "\r\n" + std::string{more};
    if (!body.empty())
      out += "Content-Type: application/json\r\nContent-Length: "
           + std::to_string(body.size()) + "\r\n";
    return out + "\r\n" + std::string{body};
  }

  static std::string publication(std::string_view code,
                                 std::string_view more = {}) {
    return request(
      "POST", publish_path("acme"),
      json::serialize(json::object{{"action", order_placed}, {"code", code}}),
      more);
  }

  /// Sends all in one write; the answers in their order.
  std::vector<answer> ask(const std::vector<std::string>& requests) {
    raw_client client{running().port()};
    std::string bytes;
    for (const auto& one : requests)
      bytes += one;
    EXPECT_TRUE(client.send(bytes));
    std::vector<answer> out;
    for (std::size_t i = 0; i < requests.size(); ++i)
      out.push_back(client.read());
    return out;
  }

  static void expect_status(const std::vector<answer>& answers,
                            const std::vector<int>& wanted) {
    ASSERT_EQ(answers.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i)
      EXPECT_EQ(answers[i].status, wanted[i]) << i << ": " << answers[i].body;
  }

  /// Publishes in one write; the ids have to follow each other in this order.
  void expect_in_order(const std::vector<std::string>& requests) {
    std::uint64_t last = 0;
    for (const auto& one : ask(requests)) {
      ASSERT_EQ(one.status, 202) << one.body;
      const auto id = id_in(one.body);
      EXPECT_GT(id, last);
      last = id;
    }
  }
};

TEST_F(PipeliningTest, ShowsAChangeToTheNextRequest) {
  const auto id = add_webhook("acme", {.url = "http://127.0.0.1:1/"});
  const auto path = webhook_path("acme", id);
  for (int i = 0; i < rounds; ++i) {
    const auto got = ask(
      {request("PATCH", path, R"({"comment":"a)" + number(i) + "\"}"),
       request("GET", path)});
    expect_status(got, {200, 200});
    EXPECT_EQ(text_of(json::parse(got[1].body), "comment"), "a" + number(i));
  }
}

TEST_F(PipeliningTest, AppliesChangesInTheirOrder) {
  const auto id = add_webhook("acme", {.url = "http://127.0.0.1:1/"});
  const auto path = webhook_path("acme", id);
  for (int i = 0; i < rounds; ++i) {
    expect_status(ask({request("PATCH", path, R"({"comment":"x"})"),
                       request("PATCH", path, R"({"comment":"y"})")}),
                  {200, 200});
    EXPECT_EQ(text_of(webhook("acme", id), "comment"), "y");
  }
}

TEST_F(PipeliningTest, CallsAWebhookThatWasAddedJustBefore) {
  http_sink sink;
  for (int i = 0; i < rounds; ++i) {
    const auto slug = "e" + number(i);
    add_event("acme", slug);
    const json::object hook{{"target_url", sink.url('/' + slug)},
                            {"all_events", false},
                            {"limit_events", json::array{json::string{slug}}},
                            {"action_types", json::array{order_placed}}};
    const json::object news{{"action", order_placed}, {"event", slug}};
    expect_status(
      ask({request("POST", organizer_path("acme") + "webhooks/",
                   json::serialize(hook)),
           request("POST", publish_path("acme"), json::serialize(news))}),
      {201, 202});
  }
  ASSERT_TRUE(sink.wait_for(rounds, patience)) << sink.size();
  std::set<std::string> called;
  for (const auto& one : sink.records())
    called.insert(one.target);
  EXPECT_EQ(called.size(), std::size_t{rounds});
}

TEST_F(PipeliningTest, LeavesAWebhookAsTheLastRequestWantsIt) {
  const auto id = add_webhook("acme", {.url = "http://127.0.0.1:1/"});
  const auto path = webhook_path("acme", id);
  for (int i = 0; i < rounds; ++i) {
    expect_status(ask({request("PATCH", path, R"({"enabled":false})"),
                       request("PATCH", path, R"({"enabled":true})")}),
                  {200, 200});
    EXPECT_TRUE(flag_of(webhook("acme", id), "enabled"));
  }
}

TEST_F(PipeliningTest, PublishesATypeThatWasAddedJustBefore) {
  for (int i = 0; i < rounds; ++i) {
    const auto type = "shop.case.n" + number(i);
    expect_status(ask({request("POST", "/api/v1/action-types/",
                               R"({"name":")" + type + "\"}"),
                       request("POST", publish_path("acme"),
                               R"({"action":")" + type + "\"}")}),
                  {201, 202});
  }
}

TEST_F(PipeliningTest, KnowsNoTokenThatWasRevokedJustBefore) {
  for (int i = 0; i < rounds; ++i) {
    const auto made = api().post(
      organizer_path("acme") + "tokens/",
      {{"name", "short-lived"}, {"permissions", json::array{"webhooks"}}});
    ASSERT_EQ(made.status, 201U) << made.body;
    const auto key = text_of(made.json(), "key");
    const auto hooks = organizer_path("acme") + "webhooks/";
    expect_status(
      ask({request("GET", hooks, {}, {}, key),
           request("DELETE", organizer_path("acme") + "tokens/"
                               + std::to_string(number_of(made.json(), "id"))
                               + '/'),
           request("GET", hooks, {}, {}, key)}),
      {200, 204, 401});
  }
}

TEST_F(PipeliningTest, ShowsANotificationThatWasPublishedJustBefore) {
  auto next = publish("acme", "first") + 1;
  for (int i = 0; i < rounds; ++i, ++next) {
    const auto got = ask(
      {publication("code-" + number(i)),
       request("GET", publish_path("acme") + std::to_string(next) + '/')});
    expect_status(got, {202, 200});
    EXPECT_NE(got[1].body.find("code-" + number(i)), std::string::npos);
  }
}

TEST_F(PipeliningTest, PublishesInTheOrderOfTheRequests) {
  const std::string large(70'000, 'x');
  for (int i = 0; i < rounds; ++i) {
    std::vector<std::string> eight;
    for (int j = 0; j < 8; ++j)
      eight.push_back(publication(number(j)));
    expect_in_order(eight);
    expect_in_order({publication(large), publication("small")});
    expect_in_order(
      {publication("keyed", "Idempotency-Key: k" + number(i) + "\r\n"),
       publication("plain")});
  }
}

TEST_F(PipeliningTest, AnswersARepetitionAsItAnsweredTheFirst) {
  for (const std::string header : {"Idempotency-Key", "X-Idempotency-Key"})
    for (int i = 0; i < rounds; ++i) {
      const auto key = header + ": same" + number(i) + header.front() + "\r\n";
      const auto other = header + ": other" + number(i) + header.front()
                       + "\r\n";
      const auto got = ask({publication("a", key), publication("a", key),
                            publication("b", other), publication("a", key)});
      expect_status(got, {202, 202, 202, 202});
      EXPECT_EQ(got[1].body, got[0].body);
      EXPECT_EQ(got[3].body, got[0].body);
      EXPECT_FALSE(got[0].headers.contains("idempotency-replayed"));
      EXPECT_TRUE(got[1].headers.contains("idempotency-replayed"));
      EXPECT_GT(id_in(got[2].body), id_in(got[0].body));
    }
  // Another request under the key is refused as it would have been later.
  const std::string key = "Idempotency-Key: changed\r\n";
  expect_status(ask({publication("a", key), publication("b", key)}),
                {202, 422});
}

} // namespace
} // namespace fanfare::test
