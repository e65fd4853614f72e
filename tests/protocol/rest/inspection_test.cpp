// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What is shown of deliveries: health, explanations, traces.

#include "tests/protocol/rest/delivery_test.hpp"

namespace fanfare::test {
namespace {

TEST_F(RestDeliveryTest, HealthTellsTheStateOfDelivery) {
  const auto path = hook + "health/";
  const auto idle = get(path).json();
  EXPECT_EQ(
    compact(idle.at("breaker")),
    R"({"state":"closed","failures":0,"failing_since":null,"until":null})");
  EXPECT_EQ(idle.at("held_by"), nullptr);
  EXPECT_EQ(idle.at("in_flight"), 0);
  auto& state = service.states[1];
  state = {.breaker = delivery_state::breaker_state::open,
           .failures = 7,
           .failing_since = timestamp{1s},
           .breaker_until = timestamp{2s},
           .held_by = hold_reason::breaker,
           .held_until = timestamp{2s},
           .in_flight = 3,
           .concurrency = 4,
           .certificate_expires = timestamp{5s}};
  const auto open = get(path).json();
  EXPECT_EQ(compact(open.at("breaker")),
            R"({"state":"open","failures":7,)"
            R"("failing_since":"1970-01-01T00:00:01.000Z",)"
            R"("until":"1970-01-01T00:00:02.000Z"})");
  EXPECT_EQ(open.at("held_until"), "1970-01-01T00:00:02.000Z");
  EXPECT_EQ(open.at("in_flight"), 3);
  EXPECT_EQ(open.at("concurrency"), 4);
  EXPECT_EQ(open.at("certificate_expires"), "1970-01-01T00:00:05.000Z");
  state.breaker = delivery_state::breaker_state::half_open;
  EXPECT_EQ(get(path).json().at("breaker").at("state"), "half_open");
  const std::pair<hold_reason, std::string> names[] = {
    {hold_reason::pause, "pause"},
    {hold_reason::order, "order"},
    {hold_reason::breaker, "breaker"},
    {hold_reason::retry_after, "retry_after"},
    {hold_reason::outage, "outage"},
    {hold_reason::rate, "rate"},
    {hold_reason::batch, "batch"},
    {hold_reason::concurrency, "concurrency"}};
  for (const auto& [why, name] : names) {
    state.held_by = why;
    EXPECT_EQ(text_of(get(path).json().at("held_by")), name);
  }
}

TEST_F(RestDeliveryTest, HealthDoesWithoutTheStateOfDelivery) {
  service.inspection_error = error{ec::stopping, "The server is stopping."};
  const auto found = get(hook + "health/");
  EXPECT_EQ(found.status, 200);
  const auto said = found.json();
  for (const auto* key : {"held_by", "held_until", "in_flight", "concurrency",
                          "certificate_expires"})
    EXPECT_EQ(said.at(key), nullptr) << key;
  EXPECT_EQ(
    compact(said.at("breaker")),
    R"({"state":null,"failures":null,"failing_since":null,"until":null})");
}

TEST_F(RestDeliveryTest, ExplanationsNameTheFilterAndWhatHolds) {
  ask("POST", "/api/v1/organizers/dummy/notifications/",
      R"({"action":"pretix.event.added"})", "publisher");
  const auto explained = [&] {
    return get("/api/v1/organizers/dummy/notifications/1/")
      .json()
      .at("webhooks")
      .at(0);
  };
  service.why.failed = explanation::rule::filter;
  auto said = explained();
  EXPECT_EQ(said.at("rule"), "filter");
  EXPECT_EQ(said.at("matched"), false);
  EXPECT_EQ(said.at("held_by"), nullptr);
  service.why = {};
  service.why.state = explanation::fate::waiting;
  const std::pair<hold_reason, std::string> names[] = {
    {hold_reason::none, "queue"},
    {hold_reason::pause, "pause"},
    {hold_reason::order, "order"},
    {hold_reason::breaker, "breaker"},
    {hold_reason::retry_after, "retry_after"},
    {hold_reason::outage, "outage"},
    {hold_reason::rate, "rate"},
    {hold_reason::batch, "batch"},
    {hold_reason::concurrency, "queue"}};
  for (const auto& [why, name] : names) {
    service.why.held_by = why;
    EXPECT_EQ(text_of(explained().at("held_by")), name);
  }
  service.why.held_by = hold_reason::pause;
  EXPECT_THAT(
    text_of(explained().at("explanation")),
    ::testing::EndsWith("waits until its owner resumes the webhook."));
  service.why.held_by = hold_reason::none;
  EXPECT_THAT(text_of(explained().at("explanation")),
              ::testing::EndsWith("waits for its turn, or is in flight."));
  service.why.state = explanation::fate::retrying;
  service.why.due = std::chrono::floor<std::chrono::milliseconds>(
                      std::chrono::system_clock::now())
                  + 1h;
  EXPECT_EQ(explained().at("held_by"), "backoff");
  service.why.due = timestamp{1s};
  service.why.held_by = hold_reason::pause;
  EXPECT_EQ(explained().at("held_by"), "pause");
}

TEST_F(RestDeliveryTest, CallsHaveTheTraceOfThePublish) {
  const std::string
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto publish = [&](headers more) {
    const auto answer = ask("POST", "/api/v1/organizers/dummy/notifications/",
                            R"({"action":"pretix.event.added"})", "publisher",
                            std::move(more));
    EXPECT_EQ(answer.status, 202) << answer.body;
    return service.journal.back();
  };
  const auto traced = publish(
    {{"traceparent", parent}, {"tracestate", "a=1,b=2"}});
  EXPECT_EQ(traced->trace, parent + "\na=1,b=2");
  service.log.push_back({.id = 1, .hook = 1, .subject = traced->id});
  auto call = get(hook + "calls/1/").json();
  EXPECT_EQ(text_of(call.at("traceparent")), parent);
  EXPECT_EQ(call.at("tracestate"), "a=1,b=2");
  EXPECT_EQ(publish({{"traceparent", parent}})->trace, parent);
  service.log.push_back({.id = 2, .hook = 1, .subject = 2});
  EXPECT_EQ(get(hook + "calls/2/").json().at("tracestate"), nullptr);
  // What is malformed counts as absent, and so does a state by itself.
  for (const std::string& bad :
       {std::string{}, std::string{"x"}, parent + "-x", parent + "0",
        "ff" + parent.substr(2),
        "00-" + std::string(32, '0') + parent.substr(35),
        parent.substr(0, 36) + std::string(16, '0') + "-01",
        std::string{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"}})
    EXPECT_EQ(publish({{"traceparent", bad}, {"tracestate", "a=1"}})->trace, "")
      << bad;
  EXPECT_EQ(publish({{"tracestate", "a=1"}})->trace, "");
  EXPECT_EQ(
    publish({{"traceparent", parent}, {"tracestate", std::string(513, 'x')}})
      ->trace,
    parent);
  service.log.push_back({.id = 3, .hook = 1, .subject = 3});
  call = get(hook + "calls/3/").json();
  EXPECT_EQ(call.at("traceparent"), nullptr);
  EXPECT_EQ(call.at("tracestate"), nullptr);
}

} // namespace
} // namespace fanfare::test
