// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the delivery settings of a webhook do to the requests that arrive.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <stdexcept>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::StartsWith;

class DeliverySettingsTest : public E2eTest {
protected:
  void serve(std::vector<std::string> args = {"--schedule", "100ms"}) {
    start(std::move(args));
  }

  hook_id add_hook(const http_sink& sink, const json::object& delivery) {
    return add_webhook("acme", {.url = sink.url("/"), .delivery = delivery});
  }

  /// Their ids, in order.
  std::vector<std::uint64_t> publish_all(std::size_t count) {
    json::array all;
    for (std::size_t i = 0; i < count; ++i)
      all.push_back(json::object{{"action", order_placed},
                                 {"event", "democon"},
                                 {"code", std::to_string(i)}});
    const auto answer = api().post(publish_path("acme"), all);
    if (answer.status != 202)
      throw std::runtime_error{"publishing: " + answer.body};
    std::vector<std::uint64_t> ids;
    const auto list = answer.json();
    for (const auto& one : list.as_array())
      ids.push_back(number_of(one, "notification_id"));
    return ids;
  }

  /// What a notification's explanation says about a webhook.
  json::value explained(std::uint64_t notification, hook_id hook) {
    return api()
      .get(publish_path("acme") + std::to_string(notification)
           + "/?webhook=" + std::to_string(hook))
      .json()
      .at("webhooks")
      .at(0);
  }

  bool wait_held_by(hook_id hook, std::string_view reason) {
    return eventually(patience, [&] {
      const auto by = health("acme", hook).at("held_by");
      return by.is_string() && by.as_string() == reason;
    });
  }
};

std::vector<std::uint64_t> ids_in(const std::vector<request_record>& records) {
  std::vector<std::uint64_t> out;
  for (const auto& r : records)
    out.push_back(id_in(r.body));
  return out;
}

// -- shape --------------------------------------------------------------------

TEST_F(DeliverySettingsTest, RequestsHaveTheShapeThatIsAskedFor) {
  serve();
  add_organizer("acme");
  http_sink sink;
  const auto plain = add_hook(sink, {});
  publish();
  ASSERT_TRUE(sink.wait_for(1, patience));
  const auto usual = sink.records().at(0);
  EXPECT_EQ(usual.method, "POST");
  change_webhook("acme", plain, {{"enabled", false}});

  const auto hook = add_hook(
    sink, {{"method", "PUT"},
           {"headers",
            {{"X-Api-Key", "open sesame"}, {"Authorization", "Bearer t0ken"}}},
           {"user_agent_suffix", "acme-shop/2"},
           {"body", "thin"}});
  const auto id = publish();
  ASSERT_TRUE(sink.wait_for(2, patience));
  const auto got = sink.records().at(1);
  EXPECT_EQ(got.method, "PUT");
  EXPECT_EQ(got.header("X-Api-Key"), "open sesame");
  EXPECT_EQ(got.header("Authorization"), "Bearer t0ken");
  EXPECT_EQ(got.header("User-Agent"),
            usual.header("User-Agent").value() + " acme-shop/2");
  const auto body = json::parse(got.body).as_object();
  EXPECT_EQ(body.size(), 4U) << got.body;
  EXPECT_EQ(number_of(body, "notification_id"), id);
  EXPECT_EQ(text_of(body, "organizer"), "acme");
  EXPECT_EQ(text_of(body, "event"), "democon");
  EXPECT_EQ(text_of(body, "action"), order_placed);
  EXPECT_TRUE(flag_of(wait_for_calls("acme", hook, 1)[0], "success"));

  change_delivery("acme", hook,
                  {{"method", nullptr},
                   {"headers", nullptr},
                   {"user_agent_suffix", nullptr},
                   {"body", nullptr}});
  publish();
  ASSERT_TRUE(sink.wait_for(3, patience));
  const auto again = sink.records().at(2);
  EXPECT_EQ(again.method, "POST");
  EXPECT_FALSE(again.header("X-Api-Key"));
  EXPECT_FALSE(again.header("Authorization"));
  EXPECT_EQ(again.header("User-Agent"), usual.header("User-Agent"));
  EXPECT_EQ(json::parse(again.body).as_object().size(), 5U);
  // The log keeps showing what was sent.
  const auto logged = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(text_of(logged.at(0), "payload"), got.body);
  EXPECT_EQ(text_of(logged.at(1), "payload"), again.body);
}

TEST_F(DeliverySettingsTest, ATraceIsForwardedAndShown) {
  serve();
  add_organizer("acme");
  http_sink sink{[](const request_record& r) {
    return response_plan::answer(r.number == 0 ? 500 : 200);
  }};
  const auto hook = add_hook(sink, {});
  const std::string
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const std::string state = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
  const auto body = json::serialize(
    json::object{{"action", order_placed}, {"event", "democon"}});
  ASSERT_EQ(api()
              .send("POST", publish_path("acme"), body,
                    {{"traceparent", parent}, {"tracestate", state}})
              .status,
            202U);
  const auto log = wait_for_calls("acme", hook, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(sink.records().at(i).header("traceparent"), parent);
    EXPECT_EQ(sink.records().at(i).header("tracestate"), state);
    EXPECT_EQ(text_of(log.at(i), "traceparent"), parent);
    EXPECT_EQ(text_of(log.at(i), "tracestate"), state);
  }
  // What is no trace is as good as none.
  ASSERT_EQ(api()
              .send("POST", publish_path("acme"), body,
                    {{"traceparent", "00-abc"}, {"tracestate", state}})
              .status,
            202U);
  EXPECT_TRUE(wait_for_calls("acme", hook, 3)[2].at("traceparent").is_null());
  EXPECT_FALSE(sink.records().at(2).header("traceparent"));
  EXPECT_FALSE(sink.records().at(2).header("tracestate"));
}

TEST_F(DeliverySettingsTest, AFilterLetsPassWhatItSays) {
  serve();
  add_organizer("acme");
  http_sink sink;
  const json::object filter{{"code", {{"$startsWith", "VIP"}}}};
  const auto hook = add_hook(sink, {{"filter", filter}});
  const auto all = add_hook(sink, {});
  const auto first = publish("acme", "ABC23");
  const auto vip = publish("acme", "VIP42");
  const auto last = publish("acme", "XVIP1");
  wait_for_calls("acme", all, 3);
  EXPECT_EQ(number_of(wait_for_calls("acme", hook, 1)[0], "notification_id"),
            vip);
  for (const auto id : {first, last}) {
    const auto why = explained(id, hook);
    EXPECT_EQ(text_of(why, "rule"), "filter");
    EXPECT_FALSE(flag_of(why, "matched"));
    EXPECT_EQ(text_of(why, "state"), "not_matched");
  }
  EXPECT_TRUE(flag_of(explained(vip, hook), "matched"));
  const auto preview = [&](const json::value& of) {
    const auto answer = api().post(
      webhook_path("acme", hook) + "filter/preview/", {{"filter", of}});
    EXPECT_EQ(answer.status, 200U) << answer.body;
    return answer.json();
  };
  EXPECT_EQ(number_of(preview(filter), "looked_at"), 3U);
  EXPECT_EQ(number_of(preview(filter), "count"), 1U);
  EXPECT_EQ(
    number_of(preview(filter).at("notifications").at(0), "notification_id"),
    vip);
  EXPECT_EQ(number_of(preview({{"code", {{"$contains", "VIP"}}}}), "count"),
            2U);
  EXPECT_EQ(number_of(preview(nullptr), "count"), 3U);
  const auto bad = api().post(webhook_path("acme", hook) + "filter/preview/",
                              {{"filter", {{"code", {{"$near", 1}}}}}});
  EXPECT_EQ(bad.status, 400U);
  EXPECT_THAT(bad.body, HasSubstr("$near"));
  // The last one waits behind what was not for it, also after a kill.
  kill();
  serve();
  const auto later = publish("acme", "VIP43");
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(number_of(log.back(), "notification_id"), later);
}

TEST_F(DeliverySettingsTest, TheEnginesOwnNamesAreNotForOthers) {
  serve();
  add_organizer("acme");
  const auto published = api().post(
    publish_path("acme"),
    {{"action", "fanfare.webhook.disabled"}, {"event", "democon"}});
  EXPECT_EQ(published.status, 400U);
  EXPECT_THAT(published.body,
              AllOf(HasSubstr("action"), HasSubstr("fanfare.")));
  const auto registered = api().post("/api/v1/action-types/",
                                     {{"name", "fanfare.x"}});
  EXPECT_EQ(registered.status, 400U);
  EXPECT_THAT(registered.body, AllOf(HasSubstr("name"), HasSubstr("fanfare.")));
}

// -- when ---------------------------------------------------------------------

TEST_F(DeliverySettingsTest, OrderIsKeptBehindAFailureAndOverAKill) {
  serve();
  add_organizer("acme");
  std::atomic<unsigned> status{500};
  http_sink sink{[&status](const request_record&) {
    return response_plan::answer(status.load());
  }};
  json::array schedule;
  for (int i = 0; i < 100; ++i)
    schedule.emplace_back(0.2);
  const auto hook = add_hook(sink, {{"ordered", true}, {"schedule", schedule}});
  const auto ids = publish_all(20);
  wait_for_calls("acme", hook, 3);
  EXPECT_TRUE(wait_held_by(hook, "order"));
  EXPECT_EQ(text_of(explained(ids[1], hook), "held_by"), "order");
  kill();
  // All that came before was about the first one.
  for (const auto id : ids_in(sink.records()))
    EXPECT_EQ(id, ids[0]);
  sink.clear();
  status = 200;
  serve();
  ASSERT_TRUE(sink.wait_for(ids.size() / 2, patience));
  kill();
  serve();
  ASSERT_TRUE(eventually(patience, [&] {
    const auto got = ids_in(sink.records());
    return std::ranges::find(got, ids.back()) != got.end();
  }));
  // Some may have come twice, at the kill; none came before its time.
  std::vector<std::uint64_t> first_time;
  for (const auto id : ids_in(sink.records()))
    if (std::ranges::find(first_time, id) == first_time.end())
      first_time.push_back(id);
  EXPECT_EQ(first_time, ids);
}

TEST_F(DeliverySettingsTest, APauseLosesNothingOverAKill) {
  serve();
  add_organizer("acme");
  http_sink sink;
  http_sink others;
  const auto hook = add_hook(sink, {{"paused", true}});
  add_hook(others, {});
  auto ids = publish_all(20);
  // The others get it all meanwhile, and what comes behind it.
  ASSERT_TRUE(others.wait_for(20, patience));
  EXPECT_TRUE(wait_held_by(hook, "pause"));
  EXPECT_EQ(text_of(explained(ids[0], hook), "held_by"), "pause");
  kill();
  serve();
  ids.push_back(publish());
  ASSERT_TRUE(eventually(patience, [&] {
    const auto got = ids_in(others.records());
    return std::ranges::find(got, ids.back()) != got.end();
  }));
  EXPECT_EQ(sink.size(), 0U);
  change_delivery("acme", hook, {{"paused", false}});
  ASSERT_TRUE(sink.wait_for(ids.size(), patience));
  auto got = ids_in(sink.records());
  std::ranges::sort(got);
  EXPECT_EQ(got, ids);
  // Paused while it runs.
  change_delivery("acme", hook, {{"paused", true}});
  publish();
  EXPECT_TRUE(wait_held_by(hook, "pause"));
  EXPECT_EQ(sink.size(), ids.size());
}

TEST_F(DeliverySettingsTest, ARateIsNotExceeded) {
  serve();
  add_organizer("acme");
  http_sink sink;
  const auto hook = add_hook(sink,
                             {{"rate_limit", {{"count", 5}, {"seconds", 1}}}});
  publish_all(15);
  EXPECT_TRUE(wait_held_by(hook, "rate"));
  ASSERT_TRUE(sink.wait_for(15, patience));
  const auto records = sink.records();
  // Five at once, then one every 200 ms.
  EXPECT_GE(records[14].time - records[0].time, 1900ms);
  for (std::size_t i = 0; i + 10 < records.size(); ++i)
    EXPECT_GE(records[i + 10].time - records[i].time, 900ms) << i;
}

TEST_F(DeliverySettingsTest, AResumeRateAppliesToWhatWasHeld) {
  serve();
  add_organizer("acme");
  http_sink sink;
  const auto hook = add_hook(
    sink,
    {{"paused", true}, {"resume_rate", {{"count", 2}, {"seconds", 0.4}}}});
  publish_all(8);
  change_delivery("acme", hook, {{"paused", false}});
  ASSERT_TRUE(sink.wait_for(8, patience));
  const auto records = sink.records();
  EXPECT_GE(records[7].time - records[0].time, 1100ms);
}

TEST_F(DeliverySettingsTest, BatchesArriveAndAreRetriedButLoggedOneByOne) {
  serve();
  add_organizer("acme");
  http_sink sink{[](const request_record& r) {
    return response_plan::answer(r.number == 0 ? 500 : 200);
  }};
  const auto hook = add_hook(
    sink, {{"batch", {{"max_count", 5}, {"max_wait_ms", 300}}},
           {"max_in_flight", 1}});
  const auto ids = publish_all(12);
  ASSERT_TRUE(eventually(patience, [&] {
    return calls("acme", hook).size() >= 17 && retries("acme", hook).empty();
  }));
  std::map<std::uint64_t, std::size_t> times;
  std::set<std::string> names;
  for (const auto& r : sink.records()) {
    const auto all = json::parse(r.body);
    ASSERT_TRUE(all.is_array()) << r.body;
    EXPECT_LE(all.as_array().size(), 5U);
    for (const auto& one : all.as_array())
      ++times[number_of(one, "notification_id")];
    names.insert(r.header("webhook-id").value());
  }
  ASSERT_EQ(times.size(), 12U);
  for (const auto id : ids)
    EXPECT_EQ(times[id], id < ids[5] ? 2U : 1U) << id;
  EXPECT_EQ(sink.size(), 4U);
  // The same notifications, the same id.
  EXPECT_EQ(names.size(), 3U);
  std::map<std::uint64_t, std::vector<json::object>> log;
  for (const auto& entry : calls("acme", hook))
    log[number_of(entry, "notification_id")].push_back(entry);
  ASSERT_EQ(log.size(), 12U);
  for (const auto id : ids) {
    SCOPED_TRACE(id);
    ASSERT_EQ(log[id].size(), times[id]);
    EXPECT_TRUE(flag_of(log[id].back(), "success"));
    EXPECT_EQ(number_of(log[id].front(), "return_code"),
              id < ids[5] ? 500U : 200U);
    EXPECT_EQ(id_in(text_of(log[id].front(), "payload")), id);
  }
  // One that is alone waits no longer than it must, and comes in an array.
  publish();
  ASSERT_TRUE(sink.wait_for(5, patience));
  EXPECT_EQ(json::parse(sink.records()[4].body).as_array().size(), 1U);
}

TEST_F(DeliverySettingsTest, BatchesLoseNothingOverAKill) {
  serve();
  add_organizer("acme");
  std::atomic<unsigned> status{500};
  http_sink sink{[&status](const request_record&) {
    return response_plan::answer(status.load());
  }};
  const auto hook = add_hook(
    sink, {{"batch", {{"max_count", 10}, {"max_wait_ms", 100}}},
           {"schedule", {0.2, 0.2, 0.2, 0.2, 3600}}});
  const auto ids = publish_all(95);
  ASSERT_TRUE(sink.wait_for(5, patience));
  kill();
  sink.clear();
  status = 200;
  serve();
  std::set<std::uint64_t> arrived;
  ASSERT_TRUE(eventually(patience, [&] {
    for (const auto& r : sink.records()) {
      const auto all = json::parse(r.body);
      for (const auto& one : all.as_array())
        arrived.insert(number_of(one, "notification_id"));
    }
    return arrived.size() >= ids.size();
  }));
  EXPECT_EQ(std::vector(arrived.begin(), arrived.end()), ids);
  EXPECT_TRUE(eventually(patience, [&] {
    std::set<std::uint64_t> delivered;
    for (const auto& entry : calls("acme", hook))
      if (flag_of(entry, "success"))
        delivered.insert(number_of(entry, "notification_id"));
    return delivered.size() == ids.size();
  }));
}

TEST_F(DeliverySettingsTest, RetryAfterHoldsTheWholeWebhook) {
  serve();
  add_organizer("acme");
  http_sink sink{[](const request_record& r) {
    auto plan = response_plan::answer(r.number == 0 ? 503 : 200);
    if (r.number == 0)
      plan.headers.emplace_back("Retry-After", "2");
    return plan;
  }};
  const auto hook = add_hook(sink, {{"max_in_flight", 1}});
  const auto first = publish();
  wait_for_calls("acme", hook, 1);
  const auto second = publish();
  EXPECT_TRUE(wait_held_by(hook, "retry_after"));
  EXPECT_EQ(text_of(explained(second, hook), "held_by"), "retry_after");
  ASSERT_TRUE(sink.wait_for(3, patience));
  const auto records = sink.records();
  for (const auto i : {1U, 2U})
    EXPECT_GE(records[i].time - records[0].time, 1900ms) << i;
  EXPECT_EQ(number_of(wait_for_calls("acme", hook, 3)[0], "notification_id"),
            first);
}

TEST_F(DeliverySettingsTest, TheBreakerOpensIsVisibleAndCloses) {
  const std::vector<std::string> args{
    "--schedule",         "100ms,100ms,100ms,100ms,1h",
    "--breaker-failures", "3",
    "--breaker-pause",    "2s"};
  serve(args);
  add_organizer("acme");
  std::atomic<unsigned> status{500};
  http_sink sink{[&status](const request_record&) {
    return response_plan::answer(status.load());
  }};
  const auto hook = add_hook(sink, {{"max_in_flight", 1}});
  const auto ids = publish_all(10);
  ASSERT_TRUE(wait_held_by(hook, "breaker"));
  const auto open = health("acme", hook);
  EXPECT_EQ(text_of(open.at("breaker"), "state"), "open");
  EXPECT_EQ(number_of(open.at("breaker"), "failures"), 3U);
  EXPECT_FALSE(open.at("breaker").at("until").is_null());
  EXPECT_FALSE(open.at("breaker").at("failing_since").is_null());
  EXPECT_EQ(text_of(explained(ids.back(), hook), "held_by"), "breaker");
  EXPECT_EQ(sink.size(), 3U);
  status = 200;
  ASSERT_TRUE(sink.wait_for(13, patience));
  const auto records = sink.records();
  EXPECT_GE(records[3].time - records[2].time, 1900ms);
  ASSERT_TRUE(eventually(patience, [&] {
    return text_of(health("acme", hook).at("breaker"), "state") == "closed";
  }));
  const auto closed = health("acme", hook);
  EXPECT_EQ(number_of(closed.at("breaker"), "failures"), 0U);
  EXPECT_TRUE(closed.at("held_by").is_null());

  // What its calls say outlives a kill.
  status = 500;
  publish_all(4);
  wait_for_calls("acme", hook, 16);
  kill();
  serve(args);
  const auto known = health("acme", hook).at("breaker");
  EXPECT_GE(number_of(known, "failures"), 3U);
  EXPECT_THAT(text_of(known, "state"), AnyOf("open", "half_open"));
}

// -- bounds -------------------------------------------------------------------

class DeliveryBoundsTest : public DeliverySettingsTest {
protected:
  void SetUp() override {
    dns_.set("silent.test", dns_answer::hanging());
    serve({"--schedule", "1h", "--dns-server", dns_.address()});
    add_organizer("acme");
  }

  /// The call of a webhook that was patched to have these settings.
  json::object call_with(const std::string& url, const json::object& delivery) {
    const auto hook = add_webhook("acme", {.url = url});
    change_delivery("acme", hook, delivery);
    const auto before = steady_clock::now();
    publish();
    auto entry = wait_for_calls("acme", hook, 1)[0];
    EXPECT_LT(steady_clock::now() - before, patience / 3);
    change_webhook("acme", hook, {{"enabled", false}});
    return entry;
  }

  std::string reason_of(response_plan plan, const json::object& delivery) {
    http_sink sink{[plan](const request_record&) { return plan; }};
    const auto entry = call_with(sink.url(), delivery);
    EXPECT_FALSE(flag_of(entry, "success"));
    EXPECT_EQ(number_of(entry, "return_code"), 0U);
    return text_of(entry, "reason");
  }

  static response_plan dripping(std::string raw) {
    auto plan = response_plan::bytes(std::move(raw));
    plan.drip_size = 1;
    plan.drip_pause = 50ms;
    return plan;
  }

  dns_server dns_;
};

TEST_F(DeliveryBoundsTest, EachTimeoutIsNamed) {
  EXPECT_THAT(
    reason_of(response_plan::hanging(), {{"timeouts", {{"first_byte", 0.3}}}}),
    HasSubstr("(first_byte)"));
  const std::string head = "HTTP/1.1 200 OK\r\nX-Long: " + std::string(500, 'x')
                         + "\r\n\r\n";
  EXPECT_THAT(reason_of(dripping(head), {{"timeouts", {{"total", 0.5}}}}),
              HasSubstr("(total)"));
  http_sink deaf{{}, {.on_connect = [](std::size_t) {
                   return sink_options::greeting::ignore;
                 }}};
  EXPECT_THAT(
    text_of(call_with("https://127.0.0.1:" + std::to_string(deaf.port()) + '/',
                      {{"timeouts", {{"tls", 0.3}}}}),
            "reason"),
    HasSubstr("(tls)"));
  EXPECT_THAT(
    text_of(call_with("http://silent.test:" + std::to_string(deaf.port()) + '/',
                      {{"timeouts", {{"dns", 0.3}}}}),
            "reason"),
    HasSubstr("(dns)"));
}

TEST_F(DeliveryBoundsTest, SlowAnswersEndAtTheirLeastRate) {
  const json::object limits{{"limits", {{"min_rate", 1000}}}};
  // Before its status line there is no answer, whatever drips.
  auto short_total = limits;
  short_total["timeouts"] = {{"total", 0.5}};
  EXPECT_THAT(
    reason_of(dripping("HTTP/1.1 200 " + std::string(5000, 'x')), short_total),
    HasSubstr("(total)"));
  http_sink sink{[](const request_record&) {
    auto plan = response_plan::answer(200, std::string(5000, 'x'));
    plan.drip_size = 1;
    plan.drip_pause = 50ms;
    return plan;
  }};
  const auto entry = call_with(sink.url(), limits);
  EXPECT_TRUE(flag_of(entry, "success")); // the status line came
  EXPECT_THAT(text_of(entry, "reason"),
              AllOf(StartsWith("answered 200; "), HasSubstr("(min_rate)")));
}

TEST_F(DeliveryBoundsTest, AnEndlessHeadEndsAtItsLimit) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 100'000; ++i)
    head += "X-Filler: some bytes\r\n";
  http_sink sink{
    [&](const request_record&) { return response_plan::bytes(head); }};
  const auto entry = call_with(sink.url(),
                               {{"limits", {{"header_bytes", 1024}}}});
  EXPECT_TRUE(flag_of(entry, "success"));
  EXPECT_EQ(text_of(entry, "reason"),
            "answered 200; too large: head cut at 1024 bytes");
}

TEST_F(DeliveryBoundsTest, AnEndlessBodyIsCutAndASuccess) {
  http_sink sink{[](const request_record&) {
    return response_plan::answer(200, std::string(8 << 20, 'x'));
  }};
  const auto entry = call_with(sink.url(), {{"limits", {{"body_bytes", 100}}}});
  EXPECT_TRUE(flag_of(entry, "success"));
  EXPECT_THAT(text_of(entry, "reason"),
              AllOf(HasSubstr("too large"), HasSubstr("100")));
  EXPECT_EQ(text_of(entry, "response_body"), std::string(100, 'x'));
}

TEST_F(DeliveryBoundsTest, ABrokenConnectionIsNoAnswer) {
  EXPECT_THAT(reason_of(response_plan::resetting(), {}), HasSubstr("reset"));
  EXPECT_THAT(reason_of(response_plan::closing(), {}), HasSubstr("closed"));
  EXPECT_THAT(reason_of(response_plan::bytes("HTTP/1.1 20"), {}),
              HasSubstr("closed within the status line"));
}

TEST_F(DeliveryBoundsTest,
       AConnectionThatBreaksBehindTheStatusLineHasAnswered) {
  http_sink sink{[](const request_record&) {
    return response_plan::bytes(
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok");
  }};
  const auto entry = call_with(sink.url(), {});
  EXPECT_TRUE(flag_of(entry, "success"));
  EXPECT_EQ(number_of(entry, "return_code"), 200U);
  EXPECT_EQ(text_of(entry, "reason"),
            "answered 200; body ended after 2 of 3 bytes");
  EXPECT_EQ(text_of(entry, "response_body"), "ok");
}

} // namespace

} // namespace fanfare::test
