// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/import_sources.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

namespace fanfare::cli {

namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ImportSources, ReadsAWebhookOfPretix) {
  const auto hook = read_pretix_webhook(
    json::parse(R"({"id": 7, "enabled": false, "target_url": "https://a.com/",
      "all_events": false, "limit_events": ["democon"],
      "action_types": ["pretix.event.order.placed"], "comment": null})")
      .as_object());
  ASSERT_TRUE(hook);
  EXPECT_EQ(hook->name, "webhook 7");
  EXPECT_EQ(hook->target_url, "https://a.com/");
  EXPECT_EQ(hook->comment, "");
  EXPECT_FALSE(hook->enabled);
  EXPECT_FALSE(hook->all_events);
  EXPECT_THAT(hook->events, ElementsAre("democon"));
  EXPECT_THAT(hook->action_types, ElementsAre("pretix.event.order.placed"));
  EXPECT_THAT(hook->lost, IsEmpty());
  EXPECT_FALSE(read_pretix_webhook({{"slug", "acme"}, {"name", "Acme"}}));
}

TEST(ImportSources, AWebhookOfPretixWithAllEventsNamesNone) {
  const auto hook = read_pretix_webhook(
    json::parse(R"({"id": 7, "target_url": "https://a.com/",
      "all_events": true, "limit_events": ["democon"], "action_types": []})")
      .as_object());
  ASSERT_TRUE(hook);
  EXPECT_TRUE(hook->all_events);
  EXPECT_THAT(hook->events, IsEmpty());
  EXPECT_THAT(hook->lost, SizeIs(1));
}

TEST(ImportSources, ReadsEndpointsOfSvixWithTheirSecrets) {
  const auto list = json::parse(R"({"done": false, "iterator": "i", "data": [
    {"id": "ep_1", "url": "https://a.com/", "description": "Billing",
     "disabled": true, "filterTypes": ["invoice.paid"], "rateLimit": 50},
    {"id": "ep_2", "url": "https://b.com/", "filterTypes": null,
     "rateLimit": null, "channels": ["c"], "metadata": {}},
    {"id": "ep_3", "url": "https://c.com/"}]})");
  const auto hooks = read_svix_endpoints(
    list, {{"ep_1", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
           {"ep_2", {{"key", "whsec_AAAQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}},
           {"ep_3", "whsk_x"}});
  ASSERT_TRUE(hooks);
  ASSERT_THAT(*hooks, SizeIs(3));
  const auto& first = hooks->front();
  EXPECT_EQ(first.name, "ep_1");
  EXPECT_EQ(first.comment, "Billing");
  EXPECT_FALSE(first.enabled);
  EXPECT_TRUE(first.all_events);
  EXPECT_THAT(first.action_types, ElementsAre("invoice.paid"));
  EXPECT_EQ(json::serialize(first.delivery),
            R"({"rate_limit":{"count":50,"seconds":1}})");
  EXPECT_EQ(first.secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_THAT(first.lost, IsEmpty());
  const auto& second = (*hooks)[1];
  EXPECT_TRUE(second.enabled);
  EXPECT_THAT(second.action_types, ElementsAre("*"));
  EXPECT_EQ(second.secret, "whsec_AAAQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_THAT(second.lost, ElementsAre("its channels"));
  EXPECT_EQ((*hooks)[2].secret, "");
  EXPECT_THAT((*hooks)[2].lost,
              ElementsAre(HasSubstr("does not begin with whsec_"),
                          HasSubstr("the list goes on")));

  const auto bare = read_svix_endpoints(list.at("data"));
  ASSERT_TRUE(bare);
  EXPECT_THAT(bare->front().lost, ElementsAre(HasSubstr("--secrets")));
}

TEST(ImportSources, SubscriptionsOfConvoyToOneEndpointAreOneWebhook) {
  const auto hooks = read_convoy_subscriptions(json::parse(R"({"status": true,
    "data": {"content": [
      {"uid": "sub_1", "name": "stock", "filter_config":
        {"event_types": ["stock.low", "stock.out"],
         "filter": {"headers": {}, "body": {}}},
       "endpoint_metadata": {"uid": "end_1", "name": "Warehouse",
         "url": "https://a.com/", "status": "active"}},
      {"uid": "sub_2", "filter_config": {"event_types": ["stock.out", "order.*"],
         "filter": {"headers": {}, "body": {"a": 1}}},
       "retry_config": {"type": "linear"},
       "endpoint_metadata": {"uid": "end_1", "url": "https://a.com/"}},
      {"uid": "sub_3", "filter_config": null,
       "endpoint_metadata": {"uid": "end_2", "url": "https://b.com/",
         "status": "paused"}}]}})"));
  ASSERT_TRUE(hooks);
  ASSERT_THAT(*hooks, SizeIs(2));
  const auto& first = hooks->front();
  EXPECT_EQ(first.name, "end_1");
  EXPECT_EQ(first.comment, "Warehouse");
  EXPECT_TRUE(first.enabled);
  EXPECT_THAT(first.action_types,
              ElementsAre("stock.low", "stock.out", "order.*"));
  EXPECT_THAT(first.lost, ElementsAre(HasSubstr("secret"), HasSubstr("filter"),
                                      "its retries"));
  EXPECT_FALSE((*hooks)[1].enabled);
  EXPECT_THAT((*hooks)[1].action_types, ElementsAre("*"));
}

TEST(ImportSources, RefuseWhatIsSomethingElse) {
  for (const auto* text :
       {"{}", "[1]", "5", R"({"data": [{"id": "ep_1"}]})", R"({"data": {}})",
        R"({"data": {"content": [{"uid": "sub_1"}]}})"}) {
    const auto value = json::parse(text);
    EXPECT_FALSE(read_svix_endpoints(value)) << text;
    EXPECT_FALSE(read_convoy_subscriptions(value)) << text;
  }
}

} // namespace

} // namespace fanfare::cli
