// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The end of organizers and events.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"

#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

#include <thread>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// Of a path of an organizer that does not exist.
constexpr unsigned unknown = 403;

} // namespace

class RemovalTest : public E2eTest {
protected:
  rest_response remove(const std::string& organizer) {
    return api().erase(organizer_path(organizer) + "?confirm=" + organizer);
  }

  std::size_t count(const std::string& list) {
    return number_of(api().get(organizer_path("acme") + list).json(), "count");
  }
};

TEST_F(RemovalTest, AnOrganizerIsReadAndRenamed) {
  start();
  add_organizer("acme");
  const auto path = organizer_path("acme");
  const auto renamed = api().send("PATCH", path, R"({"name": "Acme Inc."})");
  EXPECT_EQ(renamed.status, 200U) << renamed.body;
  EXPECT_EQ(api().get(path).body, R"({"slug":"acme","name":"Acme Inc."})");
  EXPECT_EQ(api().send("PATCH", path, R"({"slug": "other"})").status, 400U);
  stop();
  start();
  EXPECT_EQ(api().get(path).body, R"({"slug":"acme","name":"Acme Inc."})");
}

TEST_F(RemovalTest, WithoutAConfirmationTheAnswerSaysWhatWouldGo) {
  start();
  add_organizer("acme");
  add_event("acme", "democon");
  add_token("acme", {"admin"});
  add_webhook("acme", {.url = "https://example.com/"});
  for (const auto* query : {"", "?confirm=", "?confirm=other"}) {
    const auto refused = api().erase(organizer_path("acme") + query);
    EXPECT_EQ(refused.status, 400U);
    EXPECT_THAT(refused.body,
                AllOf(HasSubstr("1 webhook and"), HasSubstr("1 event and"),
                      HasSubstr("1 token."), HasSubstr("?confirm=acme")));
  }
  EXPECT_EQ(count("webhooks/"), 1U);
}

TEST_F(RemovalTest, NothingIsLeftOfADeletedOrganizerForTheNextOfItsSlug) {
  http_sink sink;
  sink.set_handler(
    [](const request_record&) { return response_plan::answer(500, "later"); });
  start({"--schedule", "1s,1s,1s,1s,1s,1s,1s"});
  add_organizer("acme");
  add_organizer("other");
  const auto key = add_token("acme", {"admin"});
  const auto others = add_token("other", {"admin"});
  const auto hook = add_webhook("acme", {.url = sink.url("/acme")});
  const auto id = publish("acme");
  wait_for_calls("acme", hook, 1);

  EXPECT_EQ(remove("acme").status, 204U);
  EXPECT_TRUE(eventually(patience, [&] {
    return api().get("/metrics").body.find("fanfare_webhooks 0\n")
        != std::string::npos;
  }));
  const auto called = sink.size();
  EXPECT_EQ(api().get(organizer_path("acme")).status, unknown);
  EXPECT_EQ(running().client(key).get(organizer_path("acme")).status, 401U);
  EXPECT_EQ(running().client(others).get(organizer_path("other")).status, 200U);
  EXPECT_EQ(api()
              .send("POST", publish_path("acme"),
                    R"({"action": "pretix.event.order.placed"})")
              .status,
            unknown);
  EXPECT_EQ(remove("acme").status, unknown);

  const auto check_next = [&] {
    for (const auto* list :
         {"webhooks/", "events/", "tokens/", "calls/", "notifications/"})
      EXPECT_EQ(
        json::serialize(
          api().get(organizer_path("acme") + list).json().at("results")),
        "[]")
        << list;
    EXPECT_EQ(api().get(webhook_path("acme", hook)).status, 404U);
    EXPECT_EQ(api()
                .get(organizer_path("acme") + "notifications/"
                     + std::to_string(id) + "/")
                .status,
              404U);
    EXPECT_EQ(running().client(key).get(organizer_path("acme")).status, 401U);
  };
  add_organizer("acme");
  check_next();
  // A subscriber of the next one gets what is published then, and only he. Once
  // he has been called again, the retries of the first would have been due.
  http_sink next;
  next.set_handler(
    [](const request_record&) { return response_plan::answer(500, "later"); });
  const auto fresh = add_webhook("acme", {.url = next.url("/next")});
  EXPECT_GT(fresh, hook);
  publish("acme");
  wait_for_calls("acme", fresh, 2);
  EXPECT_EQ(sink.size(), called);
  stop();
  start({"--schedule", "1s,1s,1s,1s,1s,1s,1s"});
  wait_for_calls("acme", fresh, 4);
  EXPECT_EQ(sink.size(), called);
  EXPECT_EQ(api().get("/api/v1/status/").json().at("webhooks").at("registered"),
            1);
  EXPECT_EQ(running().client(key).get(organizer_path("acme")).status, 401U);
}

TEST_F(RemovalTest, ADeletionThatACrashInterruptsIsCompleteAtTheNextStart) {
  http_sink sink;
  start({"--schedule", "1s,1s,1s,1s,1s,1s,1s"});
  add_organizer("acme");
  constexpr std::size_t webhooks = 1'000;
  for (std::size_t i = 0; i < webhooks; ++i)
    add_webhook("acme", {.url = sink.url("/" + std::to_string(i)),
                         .delivery = {{"paused", true}}});
  publish("acme");
  auto deleting = running().client();
  std::thread request{[&] {
    try {
      (void)deleting.send("DELETE", organizer_path("acme") + "?confirm=acme");
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
      // The server was killed.
    }
  }};
  EXPECT_TRUE(eventually(patience, [&] {
    return api().get(organizer_path("acme")).status == unknown;
  }));
  kill();
  request.join();
  start();
  EXPECT_EQ(api().get(organizer_path("acme")).status, unknown);
  const auto status = api().get("/api/v1/status/").json();
  EXPECT_EQ(status.at("webhooks").at("registered"), 0);
  EXPECT_EQ(status.at("queue").at("active_webhooks"), 0);
  stop();
  EXPECT_EQ(sink.size(), 0U);
  child_process check{{.program = fanfare_program(),
                       .args = {"check", (dir_ / "data").string()}}};
  EXPECT_EQ(check.wait(patience)->code, 0)
    << ::testing::PrintToString(check.lines());
}

TEST_F(RemovalTest, AnEventThatIsDeletedIsNoLongerSubscribedTo) {
  http_sink sink;
  start();
  add_organizer("acme");
  add_event("acme", "democon");
  const auto limited = add_webhook(
    "acme", {.url = sink.url("/limited"), .events = {"democon"}});
  const auto all = add_webhook("acme", {.url = sink.url("/all")});
  const auto path = organizer_path("acme") + "events/democon/";
  EXPECT_EQ(api().send("PATCH", path, R"({"name": "Demo 2"})").status, 200U);
  EXPECT_EQ(api().get(path).body, R"({"slug":"democon","name":"Demo 2"})");
  EXPECT_EQ(api().erase(path).status, 204U);
  EXPECT_EQ(api().get(path).status, 404U);
  EXPECT_EQ(api().erase(path).status, 404U);
  EXPECT_EQ(json::serialize(webhook("acme", limited).at("limit_events")), "[]");
  // It adds another event of this slug.
  publish("acme");
  wait_for_calls("acme", all, 1);
  EXPECT_EQ(api().get(path).status, 200U);
  EXPECT_TRUE(calls("acme", limited).empty());
  stop();
  start();
  EXPECT_EQ(count("events/"), 1U);
}

} // namespace fanfare::test
