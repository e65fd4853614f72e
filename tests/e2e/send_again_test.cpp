// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Sending again, ending, trying out and looking into it, with the real server.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <map>

namespace fanfare::test {
namespace {

using ::testing::HasSubstr;

class SendAgainTest : public E2eTest {
protected:
  void SetUp() override {
    start();
    add_organizer("acme");
    hook_ = add_webhook("acme", {.url = sink_.url("/")});
  }

  rest_response post(const std::string& below,
                     const boost::json::object& body = {}) {
    return api().post(webhook_path("acme", hook_) + below, body);
  }
  boost::json::value get(const std::string& below) {
    return api().get(webhook_path("acme", hook_) + below).json();
  }

  /// Waits until a replay has ended.
  boost::json::value ended_replay() {
    boost::json::value last;
    EXPECT_TRUE(eventually(patience, [&] {
      last = get("replay/");
      return text_of(last, "state") != "running"
          && number_of(last, "waiting") == 0;
    }));
    return last;
  }

  std::map<std::uint64_t, std::size_t> received() {
    std::map<std::uint64_t, std::size_t> times;
    for (const auto& r : sink_.records())
      ++times[id_in(r.body)];
    return times;
  }

  std::atomic<unsigned> status_{200};
  http_sink sink_{[this](const request_record&) {
    return response_plan::answer(status_.load());
  }};
  hook_id hook_ = 0;
};

TEST_F(SendAgainTest, AReplayGoesOnAfterAKillWhereItWas) {
  constexpr std::size_t many = 300;
  for (std::size_t i = 0; i < many; ++i)
    publish();
  wait_for_calls("acme", hook_, many);
  const auto preview = post(
    "replay/", {{"since", "2020-01-01T00:00:00Z"}, {"dry_run", true}});
  ASSERT_EQ(preview.status, 200U) << preview.body;
  EXPECT_EQ(number_of(preview.json(), "count"), many);
  EXPECT_EQ(preview.json().at("first").as_array().size(), 10U);
  const auto begun = post("replay/",
                          {{"since", "2020-01-01T00:00:00Z"}, {"rate", 300}});
  ASSERT_EQ(begun.status, 202U) << begun.body;
  ASSERT_TRUE(eventually(patience, [&] { return sink_.size() > many + 200; }));
  kill();
  start();
  const auto end = ended_replay();
  EXPECT_EQ(text_of(end, "state"), "done");
  EXPECT_EQ(number_of(end, "queued"), many);
  EXPECT_EQ(number_of(end, "finished"), many);
  std::size_t replayed = 0;
  for (const auto& c : calls("acme", hook_))
    replayed += c.at("is_replay").as_bool() ? 1U : 0U;
  // Each was sent again. The kill may have repeated those that were in flight
  // or not committed, but the replay did not begin anew.
  EXPECT_GE(replayed, many);
  EXPECT_LT(sink_.size(), 2 * many + 150);
  for (const auto& [id, times] : received())
    EXPECT_GE(times, 2U) << id;
  EXPECT_EQ(received().size(), many);
}

TEST_F(SendAgainTest, RetriesAreBroughtForwardOrEnded) {
  status_ = 500;
  publish();
  publish();
  ASSERT_TRUE(
    eventually(patience, [&] { return retries("acme", hook_).size() == 2; }));
  const auto expedited = post("retries/expedite/");
  EXPECT_EQ(expedited.status, 200U);
  EXPECT_EQ(expedited.body, R"({"expedited":2,"held_by":null,)"
                            R"("held_until":null,"advice":null,)"
                            R"("command":null})");
  wait_for_calls("acme", hook_, 4);
  ASSERT_TRUE(
    eventually(patience, [&] { return retries("acme", hook_).size() == 2; }));
  EXPECT_EQ(post("retries/drop/", {{"action_type", order_paid}}).body,
            R"({"dropped":0})");
  const auto dropped = post("retries/drop/");
  EXPECT_EQ(dropped.body, R"({"dropped":2})");
  EXPECT_TRUE(retries("acme", hook_).empty());
  EXPECT_EQ(text_of(calls("acme", hook_).back(), "reason"),
            "given up: its retries were dropped");
}

TEST_F(SendAgainTest, ACallIsResentAndATestIsAnsweredWithItsCall) {
  const auto id = publish();
  const auto first = wait_for_calls("acme", hook_, 1).front();
  const auto resent = post("calls/" + std::to_string(number_of(first, "id"))
                           + "/resend/");
  ASSERT_EQ(resent.status, 202U) << resent.body;
  EXPECT_EQ(number_of(resent.json(), "notification_id"), id);
  const auto both = wait_for_calls("acme", hook_, 2);
  EXPECT_TRUE(flag_of(both[1], "is_replay"));
  EXPECT_EQ(text_of(both[0], "payload"), text_of(both[1], "payload"));
  status_ = 503;
  const auto tried = post("test/");
  ASSERT_EQ(tried.status, 200U) << tried.body;
  EXPECT_EQ(number_of(tried.json(), "return_code"), 503U);
  EXPECT_EQ(text_of(tried.json(), "action_type"), "fanfare.test");
  EXPECT_EQ(calls("acme", hook_).size(), 3U);
  EXPECT_EQ(
    post("calls/" + std::to_string(number_of(tried.json(), "id")) + "/resend/")
      .status,
    409U);
  EXPECT_TRUE(retries("acme", hook_).empty());
}

TEST_F(SendAgainTest, ANotificationTellsWhoGotItAndWhyOthersDidNot) {
  add_event("acme", "other");
  const auto paid = add_webhook("acme",
                                {.url = sink_.url("/"), .types = {order_paid}});
  const auto limited = add_webhook(
    "acme", {.url = sink_.url("/"), .events = {"other"}});
  const auto disabled = add_webhook("acme",
                                    {.url = sink_.url("/"), .enabled = false});
  const auto id = publish();
  const auto later = add_webhook("acme", {.url = sink_.url("/")});
  wait_for_calls("acme", hook_, 1);
  const auto path = organizer_path("acme") + "notifications/"
                  + std::to_string(id) + '/';
  const auto found = api().get(path).json();
  const auto& list = found.at("webhooks").as_array();
  ASSERT_EQ(list.size(), 5U);
  const std::pair<hook_id, std::string> expected[] = {{paid, "action_type"},
                                                      {limited, "event"},
                                                      {disabled, "disabled"},
                                                      {later, "created_later"}};
  EXPECT_TRUE(flag_of(list[0], "matched"));
  EXPECT_EQ(text_of(list[0], "state"), "delivered");
  EXPECT_EQ(list[0].at("calls").as_array().size(), 1U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(number_of(list[i + 1], "id"), expected[i].first);
    EXPECT_EQ(text_of(list[i + 1], "rule"), expected[i].second);
    EXPECT_EQ(text_of(list[i + 1], "state"), "not_matched");
  }
  EXPECT_FALSE(list[3].at("disabled_since").is_null());
  // An edit does not change what was.
  change_webhook("acme", paid,
                 {{"action_types", boost::json::array{order_placed}}});
  const auto one = api()
                     .get(path + "?webhook=" + std::to_string(paid))
                     .json()
                     .at("webhooks")
                     .as_array();
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(text_of(one[0], "rule"), "action_type");
}

TEST_F(SendAgainTest, HealthFollowsTheCalls) {
  EXPECT_EQ(text_of(get("health/"), "status"), "idle");
  publish();
  wait_for_calls("acme", hook_, 1);
  EXPECT_EQ(text_of(get("health/"), "status"), "healthy");
  status_ = 500;
  const auto id = publish();
  wait_for_calls("acme", hook_, 2);
  const auto failing = get("health/");
  EXPECT_EQ(text_of(failing, "status"), "failing");
  EXPECT_EQ(failing.at("success_rate").to_number<double>(), 0.5);
  EXPECT_EQ(number_of(failing.at("return_codes"), "500"), 1U);
  EXPECT_EQ(number_of(failing, "retries"), 1U);
  EXPECT_EQ(number_of(failing.at("oldest_waiting"), "notification_id"), id);
  EXPECT_THAT(text_of(failing.at("last_error"), "reason"),
              HasSubstr("answered 500"));
}

} // namespace
} // namespace fanfare::test
