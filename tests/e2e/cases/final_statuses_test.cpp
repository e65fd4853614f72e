// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Answers after which a webhook wants no further attempt.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <atomic>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using ::testing::IsEmpty;

class FinalStatusesTest : public E2eTest {};

TEST_F(FinalStatusesTest, EndANotificationAndSurviveARestart) {
  std::atomic<unsigned> status{422};
  http_sink sink{[&](const request_record&) {
    response_plan plan;
    plan.status = status;
    return plan;
  }};
  start({"--schedule", "1h", "--breaker-failures", "2"});
  add_organizer("acme");
  const auto hook = add_webhook(
    "acme", {.url = sink.url(), .delivery = {{"final_statuses", {422, 404}}}});
  for (std::size_t i = 1; i <= 3; ++i) {
    publish();
    const auto entry = wait_for_calls("acme", hook, i).back();
    EXPECT_EQ(number_of(entry, "return_code"), 422U);
    EXPECT_FALSE(flag_of(entry, "success"));
    EXPECT_EQ(text_of(entry, "reason"), "answered 422; final by its settings");
  }
  EXPECT_THAT(retries("acme", hook), IsEmpty());
  const auto shows_nothing = health("acme", hook).as_object();
  EXPECT_EQ(shows_nothing.at("held_by"), nullptr) << "no breaker";
  EXPECT_EQ(text_of(shows_nothing, "status"), "idle");
  EXPECT_EQ(shows_nothing.at("success_rate"), nullptr);
  EXPECT_EQ(shows_nothing.at("last_error"), nullptr);
  EXPECT_EQ(number_of(shows_nothing.at("return_codes").as_object(), "422"), 3U);
  kill();
  start({"--schedule", "1h", "--breaker-failures", "2"});
  const auto shown = api().get(webhook_path("acme", hook) + "delivery/").json();
  EXPECT_EQ(shown.at("final_statuses"), (json::array{404, 422}));
  publish();
  wait_for_calls("acme", hook, 4);
  EXPECT_THAT(retries("acme", hook), IsEmpty());
  // Another failure is retried, and so is this one once it is not listed.
  status = 500;
  publish();
  wait_for_calls("acme", hook, 5);
  EXPECT_EQ(retries("acme", hook).size(), 1U);
  change_delivery("acme", hook, {{"final_statuses", nullptr}});
  status = 422;
  publish();
  const auto last = wait_for_calls("acme", hook, 6).back();
  EXPECT_EQ(text_of(last, "reason"), "answered 422");
  EXPECT_EQ(retries("acme", hook).size(), 2U);
}

TEST_F(FinalStatusesTest, LeaveTheHealthAsTheOtherAnswersMadeIt) {
  std::atomic<unsigned> status{200};
  http_sink sink{[&](const request_record&) {
    response_plan plan;
    plan.status = status;
    return plan;
  }};
  start({"--schedule", "1h"});
  add_organizer("acme");
  const auto hook = add_webhook(
    "acme", {.url = sink.url(), .delivery = {{"final_statuses", {422}}}});
  std::size_t calls = 0;
  const auto after = [&](unsigned answered) {
    status = answered;
    publish();
    wait_for_calls("acme", hook, ++calls);
    return health("acme", hook).as_object();
  };
  EXPECT_EQ(text_of(after(200), "status"), "healthy");
  const auto refused = after(422);
  EXPECT_EQ(text_of(refused, "status"), "healthy");
  EXPECT_EQ(refused.at("success_rate").to_number<double>(), 1.0);
  EXPECT_EQ(text_of(after(500), "status"), "failing");
  const auto last = after(422);
  EXPECT_EQ(text_of(last, "status"), "failing");
  EXPECT_EQ(last.at("success_rate").to_number<double>(), 0.5);
  EXPECT_EQ(number_of(last.at("last_error").as_object(), "return_code"), 500U);
}

TEST_F(FinalStatusesTest, A410CannotBeListed) {
  http_sink sink;
  start();
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink.url()});
  const auto answer = api().patch(webhook_path("acme", hook) + "delivery/",
                                  {{"final_statuses", {422, 410}}});
  EXPECT_EQ(answer.status, 400U);
  EXPECT_THAT(answer.body, ::testing::HasSubstr("410 cannot be listed"));
}

} // namespace

} // namespace fanfare::test
