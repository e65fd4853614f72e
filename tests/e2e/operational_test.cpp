// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the engine itself publishes about the webhooks of an organizer.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <atomic>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class OperationalTest : public E2eTest {
protected:
  void serve(std::vector<std::string> args = {}) {
    start(std::move(args));
    add_organizer("acme");
  }

  hook_id subscribe(const http_sink& to, const std::string& organizer = "acme",
                    const json::object& delivery = {}) {
    return add_webhook(organizer, {.url = to.url("/notices"),
                                   .types = {"fanfare.webhook.disabled",
                                             "fanfare.webhook.recovered",
                                             "fanfare.webhook.secret_rotated",
                                             "fanfare.notification.given_up"},
                                   .delivery = delivery});
  }

  /// The first notice of that name that a sink got.
  static json::object notice(const http_sink& sink, std::string_view name) {
    json::object found;
    EXPECT_TRUE(eventually(patience,
                           [&] {
                             for (const auto& r : sink.records()) {
                               auto body = json::parse(r.body).as_object();
                               if (body.at("action").as_string() == name) {
                                 found = std::move(body);
                                 return true;
                               }
                             }
                             return false;
                           }))
      << "no " << name;
    return found;
  }

  void expect_about(const json::object& notice, hook_id hook,
                    const http_sink& sink) {
    ASSERT_TRUE(notice.contains("webhook"));
    EXPECT_EQ(number_of(notice, "webhook"), hook);
    EXPECT_EQ(text_of(notice, "organizer"), "acme");
    EXPECT_EQ(text_of(notice, "target_url"), sink.url("/"));
    EXPECT_GT(number_of(notice, "notification_id"), 0U);
  }
};

TEST_F(OperationalTest, SubscribersHearOfDisablingRecoveryGivingUpAndRotation) {
  serve({"--breaker-failures", "2", "--breaker-pause", "300ms"});
  add_organizer("bmce");
  http_sink notices;
  http_sink elsewhere;
  subscribe(notices);
  subscribe(elsewhere, "bmce");
  std::atomic<unsigned> status{500};
  http_sink sink{[&status](const request_record&) {
    return response_plan::answer(status.load());
  }};
  const auto hook = add_webhook(
    "acme", {.url = sink.url("/"), .delivery = {{"schedule", {0.1}}}});
  const auto given_up = publish();
  const auto told = notice(notices, "fanfare.notification.given_up");
  expect_about(told, hook, sink);
  EXPECT_EQ(number_of(told, "count"), 1U);
  EXPECT_EQ(number_of(told, "first_notification_id"), given_up);
  EXPECT_EQ(number_of(told, "last_notification_id"), given_up);

  status = 200;
  publish();
  const auto recovered = notice(notices, "fanfare.webhook.recovered");
  expect_about(recovered, hook, sink);
  EXPECT_FALSE(text_of(recovered, "failing_since").empty());

  ASSERT_EQ(
    api()
      .post(webhook_path("acme", hook) + "secret/rotate/", json::object{})
      .status,
    200U);
  const auto rotated = notice(notices, "fanfare.webhook.secret_rotated");
  expect_about(rotated, hook, sink);
  EXPECT_FALSE(text_of(rotated, "previous_until").empty());
  for (const auto& r : notices.records())
    EXPECT_EQ(r.body.find("whsec_"), std::string::npos);

  status = 410;
  publish();
  const auto disabled = notice(notices, "fanfare.webhook.disabled");
  expect_about(disabled, hook, sink);
  EXPECT_THAT(text_of(disabled, "reason"), HasSubstr("gone"));
  EXPECT_FALSE(flag_of(webhook("acme", hook), "enabled"));
  // They are signed and logged like any other.
  for (const auto& r : notices.records())
    EXPECT_TRUE(r.header("webhook-signature"));
  EXPECT_EQ(elsewhere.size(), 0U);
}

TEST_F(OperationalTest, DisablingAfterOnlyFailuresIsTold) {
  serve({"--disable-after", "500ms", "--breaker-failures", "0"});
  http_sink notices;
  subscribe(notices);
  http_sink sink{
    [](const request_record&) { return response_plan::answer(500); }};
  json::array schedule;
  for (int i = 0; i < 100; ++i)
    schedule.emplace_back(0.1);
  const auto hook = add_webhook(
    "acme", {.url = sink.url("/"), .delivery = {{"schedule", schedule}}});
  publish();
  const auto told = notice(notices, "fanfare.webhook.disabled");
  expect_about(told, hook, sink);
  EXPECT_THAT(text_of(told, "reason"), HasSubstr("only failed"));
  EXPECT_FALSE(flag_of(webhook("acme", hook), "enabled"));
}

TEST_F(OperationalTest, ACertificateThatSoonExpiresIsTold) {
  certificate_authority ca;
  serve({"--ca-file", dir_.write("ca.pem", ca.pem()).string()});
  http_sink notices;
  add_webhook("acme", {.url = notices.url("/"),
                       .types = {"fanfare.webhook.certificate_expiring"}});
  const auto end = std::chrono::hours{24 * 3};
  http_sink sink{{},
                 {.tls = server_context(
                    ca.issue({.names = {"127.0.0.1"}, .not_after = end}))}};
  http_sink fine{
    {},
    {.tls = server_context(ca.issue(
       {.names = {"127.0.0.1"}, .not_after = std::chrono::hours{24 * 30}}))}};
  const auto hook = add_webhook("acme", {.url = sink.url("/")});
  const auto other = add_webhook("acme", {.url = fine.url("/")});
  publish();
  const auto told = notice(notices, "fanfare.webhook.certificate_expiring");
  expect_about(told, hook, sink);
  EXPECT_EQ(health("acme", hook).at("certificate_expires"), told.at("expires"));
  EXPECT_TRUE(health("acme", hook).at("certificate_expires").is_string());
  EXPECT_TRUE(eventually(patience, [&] {
    return health("acme", other).at("certificate_expires").is_string();
  }));
  // Once a day.
  publish();
  wait_for_calls("acme", hook, 2);
  wait_for_calls("acme", other, 2);
  EXPECT_EQ(notices.size(), 1U);
}

TEST_F(OperationalTest, ASubscriberWhoseReceiverComesAndGoesIsNotTalkedTo) {
  serve({"--breaker-failures", "1", "--breaker-pause", "50ms", "--schedule",
         "50ms,50ms,50ms,50ms,50ms,50ms"});
  // Each second request fails, so that each notice would cause another.
  http_sink notices{[](const request_record& r) {
    return response_plan::answer(r.number % 2 == 0 ? 500 : 200);
  }};
  const auto subscriber = subscribe(notices);
  ASSERT_EQ(
    api()
      .post(webhook_path("acme", subscriber) + "secret/rotate/", json::object{})
      .status,
    200U);
  // The rotation, the recovery that its repetition is, and the repetition of
  // the notice about that.
  ASSERT_TRUE(notices.wait_for(4, patience));
  EXPECT_FALSE(notices.wait_for(5, 2s)) << "a notice about a notice";
}

TEST_F(OperationalTest, ASubscriberThatFailsCausesNoFurtherNotice) {
  serve();
  http_sink notices{
    [](const request_record&) { return response_plan::answer(500); }};
  const json::object at_once{{"schedule", json::array{}}};
  const auto subscriber = subscribe(notices, "acme", at_once);
  http_sink sink{
    [](const request_record&) { return response_plan::answer(500); }};
  const auto hook = add_webhook("acme",
                                {.url = sink.url("/"), .delivery = at_once});
  const auto first = publish();
  const auto log = wait_for_calls("acme", subscriber, 1);
  EXPECT_EQ(text_of(log[0], "action_type"), "fanfare.notification.given_up");
  EXPECT_THAT(text_of(log[0], "reason"), HasSubstr("given up"));
  // What is published next is the one behind the notice, and the one after that
  // right behind it: there was no other. The notice about it is not due yet.
  const auto second = publish();
  EXPECT_EQ(second, first + 2);
  wait_for_calls("acme", hook, 2);
  EXPECT_EQ(publish(), first + 3);
  wait_for_calls("acme", hook, 3);
  EXPECT_THAT(calls("acme", subscriber), SizeIs(1));
  // A rotation is told; that its notice was given up is not.
  ASSERT_EQ(
    api()
      .post(webhook_path("acme", hook) + "secret/rotate/", json::object{})
      .status,
    200U);
  wait_for_calls("acme", subscriber, 2);
  EXPECT_EQ(publish(), first + 5);
  EXPECT_THAT(calls("acme", subscriber), SizeIs(2));
}

TEST_F(OperationalTest, NothingIsWrittenWhenNobodyListens) {
  serve({"--breaker-failures", "1", "--breaker-pause", "200ms"});
  std::atomic<unsigned> status{500};
  http_sink sink{[&status](const request_record&) {
    return response_plan::answer(status.load());
  }};
  const auto hook = add_webhook(
    "acme", {.url = sink.url("/"), .delivery = {{"schedule", json::array{}}}});
  const auto first = publish();
  wait_for_calls("acme", hook, 1); // given up
  status = 200;
  EXPECT_EQ(publish(), first + 1);
  wait_for_calls("acme", hook, 2); // recovered
  ASSERT_EQ(
    api()
      .post(webhook_path("acme", hook) + "secret/rotate/", json::object{})
      .status,
    200U);
  status = 410;
  EXPECT_EQ(publish(), first + 2);
  ASSERT_TRUE(eventually(
    patience, [&] { return !flag_of(webhook("acme", hook), "enabled"); }));
  EXPECT_EQ(publish(), first + 3);
  EXPECT_EQ(publish(), first + 4);
}

} // namespace

} // namespace fanfare::test
