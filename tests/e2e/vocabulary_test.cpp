// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Action types of one's own: their names, wildcards that webhooks subscribe to,
// and who may register them.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* types_path = "/api/v1/action-types/";

class VocabularyTest : public E2eTest {
protected:
  using ids = std::vector<std::uint64_t>;

  void serve(std::vector<std::string> args = {}) {
    start(std::move(args));
    add_organizer("acme");
  }

  void register_type(const std::string& name) {
    const auto made = api().post(types_path, {{"name", name}});
    ASSERT_EQ(made.status, 201U) << made.body;
  }

  std::uint64_t happens(const std::string& action) {
    return publish("acme", {{"action", action}, {"event", "democon"}});
  }

  hook_id subscribe(const http_sink& to, const std::vector<std::string>& names,
                    const json::object& delivery = {}) {
    return add_webhook("acme",
                       {.url = to.url(), .types = names, .delivery = delivery});
  }

  static ids got(const http_sink& sink) {
    ids out;
    for (const auto& r : sink.records())
      out.push_back(id_in(r.body));
    std::ranges::sort(out);
    return out;
  }

  /// Why, or why not, a webhook was called for a notification.
  json::object reason(std::uint64_t id, hook_id hook) {
    const auto shown = api().get(publish_path("acme") + std::to_string(id)
                                 + '/');
    EXPECT_EQ(shown.status, 200U) << shown.body;
    const auto body = shown.json();
    for (const auto& one : body.at("webhooks").as_array())
      if (number_of(one, "id") == hook)
        return one.as_object();
    ADD_FAILURE() << "no webhook " << hook << " in " << shown.body;
    return {};
  }
};

TEST_F(VocabularyTest, WildcardsReachWhatIsRegisteredLater) {
  serve();
  register_type("order.created");
  http_sink all;
  http_sink orders;
  http_sink shopify;
  http_sink both;
  subscribe(all, {"*"});
  const auto hook = subscribe(orders, {"order.*"});
  subscribe(shopify, {"orders/*"}); // covers nothing as yet
  subscribe(both, {"order.created", "order.*"});
  const auto created = happens("order.created");
  for (const auto* name : {"OrderCreated", "orders/create", "order.line.*"})
    register_type(name);
  const auto camel = happens("OrderCreated");
  const auto slash = happens("orders/create");
  const auto line = happens("order.line.added");
  const auto placed = happens(order_placed);

  ASSERT_TRUE(all.wait_for(5, patience));
  ASSERT_TRUE(orders.wait_for(2, patience));
  ASSERT_TRUE(shopify.wait_for(1, patience));
  ASSERT_TRUE(both.wait_for(2, patience));
  EXPECT_EQ(reason(line, hook).at("matched"), true);
  EXPECT_EQ(reason(camel, hook).at("matched"), false);
  EXPECT_EQ(reason(camel, hook).at("rule"), "action_type");
  EXPECT_EQ(json::serialize(webhook("acme", hook).at("action_types")),
            R"(["order.*"])");
  stop();
  EXPECT_EQ(got(all), (ids{created, camel, slash, line, placed}));
  EXPECT_EQ(got(orders), (ids{created, line}));
  EXPECT_EQ(got(shopify), (ids{slash}));
  EXPECT_EQ(got(both), (ids{created, line})) << "each once";
}

TEST_F(VocabularyTest, WildcardsHoldForABacklogOverACrash) {
  serve({"--window", "2"});
  register_type("order.created");
  register_type("stock.empty");
  http_sink sink;
  const auto before = happens("order.created");
  const auto hook = subscribe(sink, {"order.*"}, {{"paused", true}});
  ids expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(happens("order.created"));
    happens("stock.empty");
  }
  register_type("order.*"); // actions without a type of their own
  register_type("order.paid");
  for (int i = 0; i < 20; ++i) {
    expected.push_back(happens(i % 2 == 0 ? "order.paid" : "order.unheard.of"));
    happens(order_placed);
  }
  kill();
  start({"--window", "2"});
  register_type("order.sent");
  expected.push_back(happens("order.sent"));
  EXPECT_EQ(sink.size(), 0U);
  EXPECT_EQ(number_of(health("acme", hook), "backlog"), expected.size());
  change_delivery("acme", hook, {{"paused", false}});
  ASSERT_TRUE(sink.wait_for(expected.size(), patience));

  // An edit holds from the next notification on.
  change_webhook("acme", hook, {{"action_types", json::array{"stock.*"}}});
  const auto after = happens("order.sent");
  const auto empty = happens("stock.empty");
  ASSERT_TRUE(sink.wait_for(expected.size() + 1, patience));
  EXPECT_EQ(reason(after, hook).at("matched"), false);
  EXPECT_EQ(reason(empty, hook).at("matched"), true);
  EXPECT_EQ(reason(before, hook).at("rule"), "created_later");
  EXPECT_EQ(reason(expected[0], hook).at("matched"), true);
  kill();
  start({"--window", "2"});
  expected.push_back(empty);
  expected.push_back(happens("stock.empty"));
  ASSERT_TRUE(eventually(patience, [&] {
    auto seen = got(sink);
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    return seen == expected;
  }));
}

TEST_F(VocabularyTest, ReplaysSelectByWildcards) {
  serve();
  for (const auto* name : {"order.created", "stock.empty"})
    register_type(name);
  http_sink sink;
  ids expected;
  for (int i = 0; i < 5; ++i) {
    expected.push_back(happens("order.created"));
    happens("stock.empty");
  }
  const auto hook = subscribe(sink, {"order.*"});
  const auto asked = api().post(webhook_path("acme", hook) + "replay/",
                                {{"since", "2020-01-01T00:00:00Z"}});
  ASSERT_EQ(asked.status, 202U) << asked.body;
  EXPECT_EQ(number_of(asked.json(), "count"), expected.size());
  ASSERT_TRUE(sink.wait_for(expected.size(), patience));
  stop();
  EXPECT_EQ(got(sink), expected);
}

TEST_F(VocabularyTest, AllOfThemAreNotTheNoticesOfTheServerItself) {
  serve();
  register_type("order.created");
  http_sink gone{
    [](const request_record&) { return response_plan::answer(410); }};
  http_sink all;
  http_sink notices;
  subscribe(gone, {"order.*"});
  const auto hook = subscribe(all, {"*"});
  subscribe(notices, {"fanfare.*"});
  const auto created = happens("order.created");
  ASSERT_TRUE(notices.wait_for(1, patience));
  const auto disabled = json::parse(notices.records()[0].body);
  EXPECT_EQ(text_of(disabled, "action"), "fanfare.webhook.disabled");
  // A test call is for its webhook alone.
  const auto tested = api().post(webhook_path("acme", hook) + "test/",
                                 json::object{});
  ASSERT_EQ(tested.status, 200U) << tested.body;
  const auto last = happens("order.created");
  ASSERT_TRUE(all.wait_for(3, patience));
  stop();
  EXPECT_THAT(got(all), AllOf(Contains(created), Contains(last),
                              Not(Contains(id_in(notices.records()[0].body)))));
  EXPECT_EQ(all.size(), 3U);
  EXPECT_EQ(notices.size(), 1U);
}

TEST_F(VocabularyTest, NamesAreGoodWhereverTheyAreNeeded) {
  serve();
  http_sink sink;
  for (const auto* name : {"OrderCreated", "orders/create"})
    register_type(name);
  const auto hook = subscribe(sink, {"OrderCreated", "orders/create"});
  const auto camel = happens("OrderCreated");
  const auto slash = happens("orders/create");
  ASSERT_TRUE(sink.wait_for(2, patience));
  wait_for_calls("acme", hook, 2);
  const auto ids_at = [&](const std::string& path) {
    const auto found = api().get(path);
    EXPECT_EQ(found.status, 200U) << found.body;
    ids out;
    const auto body = found.json();
    for (const auto& one : body.at("results").as_array())
      out.push_back(number_of(one, "notification_id"));
    return out;
  };
  const auto calls = webhook_path("acme", hook) + "calls/?action_type=";
  EXPECT_THAT(ids_at(calls + "OrderCreated"), ElementsAre(camel));
  EXPECT_THAT(ids_at(calls + "orders/create"), ElementsAre(slash));
  EXPECT_THAT(ids_at(calls + "orders/*"), ElementsAre(slash));
  EXPECT_THAT(ids_at(publish_path("acme") + "?action=orders%2F*"),
              ElementsAre(slash));
  EXPECT_THAT(ids_at(publish_path("acme") + "?action=OrderCreated"),
              ElementsAre(camel));
}

TEST_F(VocabularyTest, AMistypedNameIsRefusedWithWhatWasMeant) {
  serve();
  register_type("order.created");
  const auto published = api().post(publish_path("acme"),
                                    {{"action", "ordr.created"}});
  EXPECT_EQ(published.status, 400U);
  const auto subscribed = api().post(
    organizer_path("acme") + "webhooks/",
    {{"target_url", "http://127.0.0.1:1/"},
     {"all_events", true},
     {"limit_events", json::array{}},
     {"action_types", json::array{"order.*", "ordr.created"}}});
  EXPECT_EQ(subscribed.status, 400U);
  for (const auto& answer : {published.body, subscribed.body})
    EXPECT_THAT(answer,
                AllOf(HasSubstr(R"(Did you mean \"order.created\"?)"),
                      HasSubstr("POST /api/v1/action-types/"),
                      HasSubstr("fanfare action-types create ordr.created")));
}

TEST_F(VocabularyTest, CanBeWithoutTheBuiltInTypes) {
  serve({"--without-builtin-types"});
  const auto names = [this] {
    std::vector<std::string> out;
    for (std::string path = types_path; !path.empty();) {
      const auto page = api().get(path).json();
      for (const auto& one : page.at("results").as_array())
        out.push_back(text_of(one, "name"));
      const auto* next = page.at("next").if_string();
      path = next != nullptr ? std::string{next->subview(next->find("/api/"))}
                             : std::string{};
    }
    return out;
  };
  EXPECT_THAT(names(), AllOf(Contains("fanfare.webhook.disabled"),
                             Not(Contains(order_placed))));
  EXPECT_EQ(api().post(publish_path("acme"), {{"action", order_placed}}).status,
            400U);
  http_sink sink;
  subscribe(sink, {"*"});
  register_type("OrderCreated");
  const auto created = happens("OrderCreated");
  ASSERT_TRUE(sink.wait_for(1, patience));
  stop();

  // With them, and without again: what a webhook may use stays.
  start();
  EXPECT_THAT(names(), Contains(order_placed));
  http_sink placed;
  subscribe(placed, {order_placed});
  stop();
  start({"--without-builtin-types"});
  EXPECT_THAT(names(), Contains(order_placed));
  const auto id = happens(order_placed);
  ASSERT_TRUE(placed.wait_for(1, patience));
  ASSERT_TRUE(sink.wait_for(2, patience));
  EXPECT_EQ(got(sink), (ids{created, id}));
}

TEST_F(VocabularyTest, ATokenMayRegisterTypesAndNothingElse) {
  serve();
  const auto key = add_token("acme", {"register_types"});
  auto registrar = running().client(key);
  EXPECT_EQ(registrar.post(types_path, {{"name", "order.created"}}).status,
            201U);
  EXPECT_EQ(registrar.get(types_path).status, 200U);
  EXPECT_EQ(registrar.get(organizer_path("acme") + "webhooks/").status, 403U);
  EXPECT_EQ(
    registrar.post(publish_path("acme"), {{"action", "order.created"}}).status,
    403U);
  EXPECT_EQ(registrar.post("/api/v1/organizers/", {{"slug", "x"}}).status,
            403U);
  // Nobody gives it but the server's administrator, and no other has it.
  for (const auto& permissions :
       {std::vector<std::string>{"admin"}, {"webhooks", "notifications"}})
    EXPECT_EQ(running()
                .client(add_token("acme", permissions))
                .post(types_path, {{"name", "order.paid"}})
                .status,
              403U);
  EXPECT_EQ(
    running()
      .client(add_token("acme", {"admin"}))
      .post(organizer_path("acme") + "tokens/",
            {{"name", "x"}, {"permissions", json::array{"register_types"}}})
      .status,
    403U);
  EXPECT_THAT(
    json::serialize(api().get(organizer_path("acme") + "tokens/").json()),
    HasSubstr(R"("permissions":["register_types"])"));
}

} // namespace

} // namespace fanfare::test
