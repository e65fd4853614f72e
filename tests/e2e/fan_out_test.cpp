// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// One publish, all subscribers: who is called, who is not, and with what.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/paths.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <memory>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class FanOutTest : public E2eTest {
protected:
  void SetUp() override {
    start();
    add_organizer("acme");
  }

  static std::vector<std::uint64_t> ids_of(const http_sink& sink) {
    std::vector<std::uint64_t> ids;
    for (const auto& record : sink.records())
      ids.push_back(id_in(record.body));
    return ids;
  }
};

TEST_F(FanOutTest, CallsFiftyReceiversOnceEachWithTheSameBytes) {
  std::vector<std::unique_ptr<http_sink>> sinks;
  std::vector<hook_id> hooks;
  for (int i = 0; i < 50; ++i) {
    sinks.push_back(std::make_unique<http_sink>());
    hooks.push_back(add_webhook(
      "acme", {.url = sinks.back()->url("/hook/" + std::to_string(i))}));
  }

  const auto answer = api().post(
    publish_path("acme"),
    json::parse(
      R"({"action":"pretix.event.order.placed","event":"democon",)"
      R"("code":"ABC23","z":[1.50,null,"\u00e9\n"],"a":{"b":true}})"));
  ASSERT_EQ(answer.status, 202U) << answer.body;
  const auto id = number_of(answer.json(), "notification_id");

  for (std::size_t i = 0; i < sinks.size(); ++i) {
    ASSERT_TRUE(sinks[i]->wait_for(1, patience)) << i;
    const auto log = wait_for_calls("acme", hooks[i], 1);
    ASSERT_EQ(log.size(), 1U);
    EXPECT_EQ(number_of(log[0], "notification_id"), id);
    EXPECT_TRUE(flag_of(log[0], "success"));
    EXPECT_EQ(number_of(log[0], "return_code"), 200U);
    EXPECT_EQ(number_of(log[0], "attempt"), 1U);
    EXPECT_FALSE(flag_of(log[0], "is_retry"));
    EXPECT_EQ(text_of(log[0], "action_type"), order_placed);
    EXPECT_EQ(text_of(log[0], "target_url"),
              sinks[i]->url("/hook/" + std::to_string(i)));
    EXPECT_EQ(text_of(log[0], "payload"), sinks[i]->records()[0].body);
  }
  stop(); // nothing is left that could come later
  const auto first = sinks[0]->records()[0];
  const auto parsed = json::parse(first.body);
  const auto& body = parsed.as_object();
  std::vector<std::string> keys;
  for (const auto& item : body)
    keys.emplace_back(item.key());
  EXPECT_THAT(keys, ElementsAre("notification_id", "organizer", "event", "code",
                                "z", "a", "action"));
  EXPECT_EQ(number_of(body, "notification_id"), id);
  EXPECT_EQ(text_of(body, "organizer"), "acme");
  EXPECT_EQ(text_of(body, "event"), "democon");
  EXPECT_EQ(text_of(body, "action"), order_placed);
  EXPECT_EQ(body.at("z").at(2), "\xc3\xa9\n");
  EXPECT_EQ(first.method, "POST");
  EXPECT_EQ(first.target, "/hook/0");
  EXPECT_EQ(first.header("content-type"), "application/json");
  EXPECT_THAT(first.header("user-agent").value_or(""), HasSubstr("Fanfare/"));
  for (const auto& sink : sinks) {
    ASSERT_EQ(sink->size(), 1U);
    EXPECT_EQ(sink->records()[0].body, first.body);
  }
}

TEST_F(FanOutTest, KeepsOrderAndConnectionsPerReceiver) {
  http_sink sink;
  add_webhook("acme",
              {.url = sink.url("/one"), .delivery = {{"max_in_flight", 1}}});
  std::vector<std::uint64_t> published;
  for (int i = 0; i < 100; ++i)
    published.push_back(publish("acme", std::to_string(i)));
  ASSERT_TRUE(sink.wait_for(published.size(), patience));
  EXPECT_THAT(ids_of(sink), ElementsAreArray(published));
  EXPECT_EQ(sink.connections(), 1U);
}

TEST_F(FanOutTest, CallsOnlyThoseWhoSubscribed) {
  add_organizer("other");
  add_event("acme", "democon");
  add_event("acme", "another");
  const std::vector<std::string> none;
  struct row {
    const char* name;
    std::string organizer;
    hook_spec spec;
    bool called;
  };
  std::vector<std::unique_ptr<http_sink>> sinks;
  const std::vector<row> table{
    {"all events", "acme", {}, true},
    {"this event", "acme", {.events = {"democon"}}, true},
    {"this and another event",
     "acme",
     {.events = {"another", "democon"}},
     true},
    {"another event", "acme", {.events = {"another"}}, false},
    {"another action", "acme", {.types = {order_paid}}, false},
    {"several actions", "acme", {.types = {order_paid, order_placed}}, true},
    {"a wildcard", "acme", {.types = {order_changed}}, false},
    {"no action", "acme", {.types = none}, false},
    {"disabled", "acme", {.enabled = false}, false},
    {"another organizer", "other", {}, false},
  };
  std::vector<hook_id> hooks;
  for (const auto& [name, organizer, spec, called] : table) {
    auto mine = spec;
    sinks.push_back(std::make_unique<http_sink>());
    mine.url = sinks.back()->url();
    hooks.push_back(add_webhook(organizer, mine));
  }

  publish("acme");

  for (std::size_t i = 0; i < table.size(); ++i)
    EXPECT_TRUE(sinks[i]->wait_for(table[i].called ? 1 : 0, patience))
      << table[i].name;
  for (std::size_t i = 0; i < table.size(); ++i)
    EXPECT_EQ(
      wait_for_calls(table[i].organizer, hooks[i], table[i].called ? 1 : 0)
        .size(),
      table[i].called ? 1U : 0U)
      << table[i].name;
  stop();
  for (std::size_t i = 0; i < table.size(); ++i)
    EXPECT_EQ(sinks[i]->size(), table[i].called ? 1U : 0U) << table[i].name;
}

TEST_F(FanOutTest, MatchesWildcardsByTheLongestRegisteredName) {
  http_sink changes;
  http_sink placed;
  add_webhook("acme", {.url = changes.url(), .types = {order_changed}});
  add_webhook("acme", {.url = placed.url()});
  publish("acme", {{"action", "pretix.event.order.changed.secret"},
                   {"event", "democon"}});
  ASSERT_TRUE(changes.wait_for(1, patience));
  EXPECT_EQ(text_of(json::parse(changes.records()[0].body), "action"),
            "pretix.event.order.changed.secret");
  publish("acme");
  ASSERT_TRUE(placed.wait_for(1, patience));
  stop();
  EXPECT_EQ(changes.size(), 1U);
  EXPECT_EQ(placed.size(), 1U);
}

TEST_F(FanOutTest, ToldOfTheOrganizerItselfIgnoresEventFilters) {
  add_event("acme", "democon");
  http_sink all;
  http_sink some;
  add_webhook("acme", {.url = all.url(), .types = {"pretix.event.deleted"}});
  add_webhook("acme", {.url = some.url(),
                       .types = {"pretix.event.deleted"},
                       .events = {"democon"}});
  publish("acme", {{"action", "pretix.event.deleted"}, {"slug", "gone"}});
  ASSERT_TRUE(all.wait_for(1, patience));
  ASSERT_TRUE(some.wait_for(1, patience));
  EXPECT_FALSE(
    json::parse(some.records()[0].body).as_object().contains("event"));
}

TEST_F(FanOutTest, RegistersAnEventThatIsPublishedForTheFirstTime) {
  const auto path = organizer_path("acme") + "events/";
  EXPECT_EQ(api().get(path).json().at("count"), 0);
  publish("acme", {{"action", order_placed}, {"event", "newcon"}});
  const auto events = api().get(path).json();
  ASSERT_EQ(events.at("count"), 1);
  EXPECT_EQ(text_of(events.at("results").at(0), "slug"), "newcon");
  http_sink sink;
  add_webhook("acme", {.url = sink.url(), .events = {"newcon"}});
  publish("acme", {{"action", order_placed}, {"event", "newcon"}});
  EXPECT_TRUE(sink.wait_for(1, patience));
}

TEST_F(FanOutTest, AnswersABatchWithIdsInOrder) {
  http_sink sink;
  const auto hook = add_webhook(
    "acme", {.url = sink.url(), .delivery = {{"max_in_flight", 1}}});
  json::array batch;
  for (int i = 0; i < 1000; ++i)
    batch.push_back(
      {{"action", order_placed}, {"event", "democon"}, {"code", i}});
  const auto answer = api().post(publish_path("acme"), batch);
  ASSERT_EQ(answer.status, 202U) << answer.body;
  const auto ids = answer.json();
  const auto& list = ids.as_array();
  ASSERT_EQ(list.size(), batch.size());
  ASSERT_TRUE(sink.wait_for(batch.size(), patience));
  const auto records = sink.records();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto body = json::parse(records[i].body);
    EXPECT_EQ(body.at("notification_id"), list[i].at("notification_id"));
    EXPECT_EQ(number_of(body, "code"), i);
    if (i > 0) {
      EXPECT_LT(number_of(list[i - 1], "notification_id"),
                number_of(list[i], "notification_id"));
    }
  }
  EXPECT_EQ(wait_for_calls("acme", hook, batch.size()).size(), batch.size());
}

TEST_F(FanOutTest, TakesABatchAllOrNothing) {
  http_sink sink;
  add_webhook("acme", {.url = sink.url()});
  const auto refused = api().post(
    publish_path("acme"), json::array{{{"action", order_placed}},
                                      {{"action", "pretix.no.such.thing"}},
                                      {{"action", order_placed}}});
  EXPECT_EQ(refused.status, 400U);
  EXPECT_THAT(refused.body, HasSubstr("pretix.no.such.thing"));
  const auto id = publish("acme");
  ASSERT_TRUE(sink.wait_for(1, patience));
  stop();
  EXPECT_THAT(ids_of(sink), ElementsAre(id));
}

TEST_F(FanOutTest, ShowsTheNotificationAsItWasSent) {
  http_sink sink;
  add_webhook("acme", {.url = sink.url()});
  const auto id = publish("acme");
  ASSERT_TRUE(sink.wait_for(1, patience));
  const auto
    shown = api().get(publish_path("acme") + std::to_string(id) + '/').json();
  EXPECT_EQ(text_of(shown, "payload"), sink.records()[0].body);
}

TEST_F(FanOutTest, SendsAPayloadAsItIs) {
  http_sink sink;
  add_webhook("acme", {.url = sink.url()});
  const auto id = publish(
    "acme", {{"action", order_placed}, {"payload", {{"x", 1}, {"y", {2, 3}}}}});
  ASSERT_TRUE(sink.wait_for(1, patience));
  EXPECT_EQ(json::parse(sink.records()[0].body),
            json::value({{"notification_id", id},
                         {"x", 1},
                         {"y", {2, 3}},
                         {"action", order_placed}}));
}

TEST_F(FanOutTest, ReachesTheSinkProgram) {
  child_process sink{{.program = fanfare_program(),
                      .args = {"sink", "--listen", "127.0.0.1:0"}}};
  const auto line = sink.wait_for_line("listening on ", patience);
  ASSERT_TRUE(line);
  const auto url = line->substr(std::string{"listening on "}.size()) + "/hook";
  const auto hook = add_webhook("acme", {.url = url});
  const auto id = publish("acme");
  const auto printed = sink.wait_for_line("notification_id", patience);
  ASSERT_TRUE(printed);
  const auto seen = json::parse(*printed);
  EXPECT_EQ(number_of(seen, "notification_id"), id);
  EXPECT_EQ(text_of(seen, "path"), "/hook");
  EXPECT_TRUE(flag_of(wait_for_calls("acme", hook, 1)[0], "success"));
}

} // namespace

} // namespace fanfare::test
