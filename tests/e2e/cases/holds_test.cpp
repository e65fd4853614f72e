// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Receivers that ask to wait: what is held, for how long, and what ends it.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <functional>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

class HoldsTest : public E2eTest {
protected:
  hook_id add_hook(const std::string& url, const json::object& delivery = {}) {
    start();
    add_organizer("acme");
    return add_webhook("acme", {.url = url, .delivery = delivery});
  }

  bool wait_held_by(hook_id hook, const json::value& by) {
    return eventually(patience,
                      [&] { return health("acme", hook).at("held_by") == by; });
  }

  static response_plan busy(unsigned status, const std::string& seconds) {
    auto plan = response_plan::answer(status);
    plan.headers.emplace_back("Retry-After", seconds);
    return plan;
  }
};

TEST_F(HoldsTest, OnlyABusyReceiverIsWaitedFor) {
  http_sink sink{[](const request_record& request) {
    return request.number == 0 ? busy(400, "3600") : response_plan{};
  }};
  const auto hook = add_hook(sink.url());
  publish();
  publish();
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(number_of(log[0], "return_code"), 400U);
  EXPECT_TRUE(flag_of(log[1], "success")) << "the next one does not wait";
}

TEST_F(HoldsTest, AHoldEndsWithWhateverShowsOrWantsThatItDoes) {
  std::atomic<bool> is_busy{true};
  http_sink sink{[&](const request_record&) {
    return is_busy ? busy(503, "600") : response_plan{};
  }};
  const auto hook = add_hook(sink.url());
  const auto path = webhook_path("acme", hook);
  const std::vector<std::pair<const char*, std::function<void()>>> ends{
    {"expedite",
     [&] {
       EXPECT_EQ(api().post(path + "retries/expedite/", json::object{}).status,
                 200U);
     }},
    {"resend",
     [&] {
       const auto last = calls("acme", hook).back();
       EXPECT_EQ(api()
                   .post(path + "calls/" + std::to_string(number_of(last, "id"))
                           + "/resend/",
                         json::object{})
                   .status,
                 202U);
     }},
    {"disable and enable",
     [&] {
       change_webhook("acme", hook, {{"enabled", false}});
       change_webhook("acme", hook, {{"enabled", true}});
       publish();
     }},
    {"another URL", [&] {
       change_webhook("acme", hook, {{"target_url", sink.url("/new")}});
       publish();
     }}};
  for (const auto& [what, end] : ends) {
    is_busy = true;
    publish();
    ASSERT_TRUE(wait_held_by(hook, "retry_after")) << what;
    is_busy = false;
    end();
    EXPECT_TRUE(wait_held_by(hook, nullptr)) << what;
    EXPECT_TRUE(eventually(
      patience, [&] { return flag_of(calls("acme", hook).back(), "success"); }))
      << what;
  }
}

TEST_F(HoldsTest, AHoldSurvivesARestart) {
  http_sink sink{[](const request_record&) { return busy(503, "600"); }};
  const auto hook = add_hook(sink.url());
  publish();
  ASSERT_TRUE(wait_held_by(hook, "retry_after"));
  for (const bool gracefully : {true, false}) {
    if (gracefully)
      stop();
    else
      kill();
    start();
    publish();
    ASSERT_TRUE(wait_held_by(hook, "retry_after"));
    EXPECT_EQ(sink.size(), 1U);
  }
}

TEST_F(HoldsTest, WaitingAsTheReceiverAskedUsesUpNoAttempt) {
  const auto ready = std::chrono::steady_clock::now() + 7s;
  http_sink sink{[&](const request_record&) {
    return std::chrono::steady_clock::now() < ready ? busy(429, "1")
                                                    : response_plan{};
  }};
  const auto hook = add_hook(sink.url(), {{"schedule", json::array{0.5, 0.5}}});
  publish();
  ASSERT_TRUE(eventually(patience, [&] {
    const auto log = calls("acme", hook);
    return !log.empty() && flag_of(log.back(), "success");
  }));
  const auto log = calls("acme", hook);
  EXPECT_GT(log.size(), 3U) << "more than the schedule has";
  for (const auto& call : log)
    EXPECT_EQ(number_of(call, "attempt"), 1U);
}

TEST_F(HoldsTest, ATestTellsOfARateThatIsUsedUp) {
  const http_sink sink;
  const auto hook = add_hook(
    sink.url(), {{"rate_limit", {{"count", 2}, {"seconds", 600}}}});
  const auto held_by = [&] {
    const auto made = api().post(webhook_path("acme", hook) + "test/",
                                 json::object{});
    EXPECT_EQ(made.status, 200U) << made.body;
    return made.json().at("held_by");
  };
  EXPECT_EQ(held_by(), nullptr); // and takes one
  publish();
  wait_for_calls("acme", hook, 2);
  EXPECT_EQ(held_by(), "rate");
  EXPECT_EQ(sink.size(), 3U) << "the test itself does not wait";
}

TEST_F(HoldsTest, ARateLimitIsNotRefilledByARestart) {
  http_sink sink;
  const auto hook = add_hook(
    sink.url(), {{"rate_limit", {{"count", 10}, {"seconds", 3600}}}});
  json::array many(
    40, json::object{{"action", order_placed}, {"event", "democon"}});
  ASSERT_EQ(api().post(publish_path("acme"), many).status, 202U);
  ASSERT_TRUE(sink.wait_for(10, patience));
  ASSERT_TRUE(wait_held_by(hook, "rate"));
  stop();
  start();
  ASSERT_TRUE(wait_held_by(hook, "rate"));
  EXPECT_EQ(sink.size(), 10U);
}

} // namespace

} // namespace fanfare::test
