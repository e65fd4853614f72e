// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Searching notifications, and the calls of an organizer.

#include "tests/protocol/rest/delivery_test.hpp"

namespace fanfare::test {
namespace {

class RestSearchTest : public RestDeliveryTest {
protected:
  const std::string notifications = "/api/v1/organizers/dummy/notifications/";
  const std::string calls = "/api/v1/organizers/dummy/calls/";
  static constexpr webhook_id mine = 1;

  void publish(const std::string& more) {
    const auto sent = ask("POST", notifications,
                          R"({"action":"pretix.event.added")" + more + "}",
                          "publisher");
    ASSERT_EQ(sent.status, 202) << sent.body;
  }

  /// Ids of the notifications found, or what is wrong.
  std::string found(const std::string& query) {
    const auto answer = ask("GET", notifications + query, {}, "publisher");
    if (answer.status != 200)
      return answer.body;
    std::string out;
    const auto page = answer.json();
    for (const auto& n : page.at("results").as_array())
      out += (out.empty() ? "" : " ") + compact(n.at("notification_id"));
    return out;
  }

  void log_call(call_id id, webhook_id of, outcome result) {
    call c;
    c.id = id;
    c.hook = of;
    c.time = timestamp{1s * static_cast<long>(id)};
    c.result = result;
    service.log.push_back(c);
  }
};

TEST_F(RestSearchTest, FindsNotificationsByKeysOfTheirBodies) {
  publish(R"(,"order":"ABC23","total":10.271304065520191)");
  publish(R"(,"order":"XYZ42","paid":true,"customer":{"id":7})");
  publish(R"(,"order":"7","seat":null)");
  EXPECT_EQ(found(""), "3 2 1");
  EXPECT_EQ(found("?order=ABC23"), "1");
  EXPECT_EQ(found("?order=ABC23&order=XYZ42"), "2 1");
  EXPECT_EQ(found("?order=ABC23&paid=true"), "");
  EXPECT_EQ(found("?total=10.271304065520191"), "1");
  EXPECT_EQ(found("?total=10.27130406552019"), "");
  EXPECT_EQ(found("?order=7"), "3") << "a text that looks like a number";
  EXPECT_EQ(found("?customer.id=7"), "2") << "a number";
  EXPECT_EQ(found("?paid=true"), "2");
  EXPECT_EQ(found("?seat=null"), "3 2 1") << "as filters take what is missing";
  EXPECT_EQ(found("?order=abc23"), "");
  EXPECT_EQ(found("?order=12E456"), "") << "a text that no number can be";
  EXPECT_EQ(found("?order="), "");
  EXPECT_EQ(found(R"(?filter={"total":{"$gt":10}})"), "1");
  EXPECT_EQ(found(R"(?filter={"total":{"$gt":10}}&order=XYZ42)"), "");
}

TEST_F(RestSearchTest, FindsNotificationsByActionAndEvent) {
  publish(R"(,"event":"second")");
  publish("");
  const auto type = service.find_action_type("pretix.event.added")->id;
  EXPECT_EQ(found("?action=pretix.event.added"), "2 1");
  EXPECT_EQ(service.searched.types, (std::vector{type}));
  EXPECT_EQ(found("?action_type=pretix.event.added"), "2 1");
  EXPECT_EQ(found("?action=pretix.event.*"), "2 1");
  EXPECT_GT(service.searched.types->size(), 10U);
  EXPECT_EQ(found("?action=pretix.event.order.paid"), "");
  EXPECT_EQ(found("?event=second"), "1");
  EXPECT_EQ(found("?action=a.b"),
            fault("action", "There is no action type of that name. "
                            "/api/v1/action-types/ lists them."));
  EXPECT_EQ(found("?event=none"),
            fault("event", "There is no event of that slug."));
}

TEST_F(RestSearchTest, PassesOnTimesAndLimits) {
  EXPECT_EQ(found("?since=1970-01-01T00:00:01Z&until=1970-01-01T00:00:02Z"
                  "&page_size=7&cursor=12"),
            "");
  EXPECT_EQ(service.searched.since, timestamp{1s});
  EXPECT_EQ(service.searched.until, timestamp{2s});
  EXPECT_EQ(service.searched.limit, 7U);
  EXPECT_EQ(service.searched.before, 12U);
  EXPECT_FALSE(service.searched.takes) << "nothing to look at in the bodies";
  EXPECT_LT(service.searched.max_scan, 1'000'000U);
  EXPECT_LT(service.searched.max_read, 64U << 20);
}

TEST_F(RestSearchTest, RefusesWhatCannotBeSearched) {
  EXPECT_EQ(found("?cursor=x"),
            fault("cursor", "Must be the number of a notification."));
  EXPECT_THAT(found("?since=yesterday"), HasSubstr("with its zone"));
  EXPECT_THAT(found("?$or=1"), HasSubstr("Operators belong into filter"));
  EXPECT_THAT(found("?filter={"), HasSubstr("filter"));
  EXPECT_THAT(found("?order=" + std::string(20'000, 'x')), HasSubstr("order"));
  EXPECT_THAT(found("?order=" + std::string(9'000, 'x')),
              HasSubstr("too long for the address"));
  std::string many = "?";
  for (int i = 0; i < 300; ++i)
    many += "k" + std::to_string(i) + "=1&";
  EXPECT_THAT(found(many), HasSubstr("All conditions together"))
    << "the limits of a filter hold for all keys";
}

TEST_F(RestSearchTest, LinksToTheNextPageOfNotifications) {
  for (int i = 0; i < 3; ++i)
    publish("");
  const auto page = ask("GET", notifications + "?page_size=2", {}, "publisher")
                      .json();
  EXPECT_THAT(text_of(page.at("next")), HasSubstr("cursor=2&page_size=2"));
  EXPECT_NE(page.at("looked_back_to"), nullptr);
  EXPECT_EQ(page.at("previous"), nullptr);
  const auto last = ask("GET", notifications + "?page_size=2&cursor=2", {},
                        "publisher")
                      .json();
  EXPECT_EQ(last.at("next"), nullptr);
  EXPECT_EQ(last.at("looked_back_to"), nullptr);
  EXPECT_EQ(last.at("results").as_array().size(), 1U);
}

TEST_F(RestSearchTest, ShowsTheCallsOfAllWebhooks) {
  log_call(1, mine, outcome::delivered);
  log_call(2, 99, outcome::delivered); // another organizer's
  log_call(3, mine, outcome::retried);
  const auto page = get(calls).json();
  EXPECT_EQ(page.at("results").as_array().size(), 2U);
  EXPECT_EQ(page.at("results").at(0).at("id"), 3);
  EXPECT_EQ(page.at("results").at(0).at("webhook_id"), mine);
  EXPECT_EQ(page.at("next"), nullptr);
  EXPECT_EQ(page.at("looked_back_to"), nullptr);
  const auto failed = get(calls + "?success=false").json();
  EXPECT_EQ(failed.at("results").as_array().size(), 1U);
  const auto first = get(calls + "?page_size=1").json();
  EXPECT_EQ(first.at("results").as_array().size(), 1U);
  EXPECT_THAT(text_of(first.at("next")), HasSubstr("cursor=3"));
  EXPECT_EQ(first.at("looked_back_to"), "1970-01-01T00:00:03.000Z");
  EXPECT_TRUE(get(calls + "?webhook=98&webhook=97")
                .json()
                .at("results")
                .as_array()
                .empty());
  EXPECT_EQ(get(calls + "?webhook=x").body,
            fault("webhook", "Must be the number of a webhook."));
}

TEST_F(RestSearchTest, ReadsABoundedNumberOfBytes) {
  for (position i = 1; i <= 40; ++i) {
    notification n;
    n.id = i;
    n.owner = owner;
    n.action = "pretix.event.added";
    n.body = std::string(1'000'000, 'b');
    service.journal.push_back(std::make_shared<const notification>(n));
    log_call(i, mine, outcome::delivered);
    service.log.back().subject = i;
  }
  for (const auto& log : {calls, hook + "calls/"}) {
    const auto page = get(log + "?action_type=a.b").json();
    EXPECT_TRUE(page.at("results").as_array().empty());
    EXPECT_THAT(text_of(page.at("next")), HasSubstr("cursor=24"));
  }
}

TEST_F(RestSearchTest, SaysHowFarItLookedPastTheCallsOfOthers) {
  log_call(1, mine, outcome::delivered);
  for (call_id i = 2; i <= 60'001; ++i)
    log_call(i, 99, outcome::delivered);
  const auto page = get(calls).json();
  EXPECT_TRUE(page.at("results").as_array().empty());
  ASSERT_NE(page.at("next"), nullptr);
  EXPECT_EQ(page.at("looked_back_to"), "1970-01-01T00:00:02.000Z");
  const auto rest = get(calls + "?cursor=2").json();
  EXPECT_EQ(rest.at("results").as_array().size(), 1U);
  const auto recent = get(calls + "?since=1970-01-01T17:00:00Z").json();
  EXPECT_EQ(recent.at("next"), nullptr) << "what is older is not looked at";
}

} // namespace
} // namespace fanfare::test
