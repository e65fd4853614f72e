// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What becomes of a notification that a receiver does not take at once.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <cstdint>
#include <set>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RetryTest : public E2eTest {
protected:
  void serve(std::vector<std::string> args) {
    start(std::move(args));
    add_organizer("acme");
  }

  /// Waits until the webhook has a failed call and its retry is known.
  void wait_for_retry(hook_id hook) {
    ASSERT_TRUE(
      eventually(patience, [&] { return !retries("acme", hook).empty(); }));
  }
};

TEST_F(RetryTest, TriesAgainAfterEachDelayUntilItWorks) {
  serve({"--schedule", "200ms,200ms,200ms"});
  http_sink sink{[](const request_record& r) {
    return response_plan::answer(r.number < 2 ? 500 : 200,
                                 "nr " + std::to_string(r.number));
  }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  const auto id = publish();

  const auto log = wait_for_calls("acme", hook, 3);
  const auto records = sink.records();
  ASSERT_EQ(log.size(), 3U);
  ASSERT_EQ(records.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(number_of(log[i], "notification_id"), id);
    EXPECT_EQ(number_of(log[i], "attempt"), i + 1);
    EXPECT_EQ(flag_of(log[i], "is_retry"), i > 0);
    EXPECT_EQ(flag_of(log[i], "success"), i == 2);
    EXPECT_EQ(number_of(log[i], "return_code"), i == 2 ? 200U : 500U);
    EXPECT_EQ(text_of(log[i], "response_body"), "nr " + std::to_string(i));
    EXPECT_EQ(records[i].body, records[0].body);
    if (i > 0) {
      // The delay counts from the end of the attempt before.
      EXPECT_GE(records[i].time - records[i - 1].time, 199ms);
    }
  }
  EXPECT_THAT(retries("acme", hook), IsEmpty());
}

TEST_F(RetryTest, ListsWhatIsDueAgain) {
  serve({"--schedule", "1h"});
  http_sink sink{
    [](const request_record&) { return response_plan::answer(503); }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  const auto id = publish();
  wait_for_retry(hook);
  const auto list = retries("acme", hook);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(number_of(list[0], "notification_id"), id);
  EXPECT_EQ(number_of(list[0], "attempt"), 2U);
  const auto failed = milliseconds_of(
    text_of(calls("acme", hook).at(0), "datetime"));
  const auto delay = milliseconds_of(text_of(list[0], "due")) - failed;
  EXPECT_GE(delay, 3'600'000);
  EXPECT_LE(delay, 3'960'000 + 60'000); // 10 % at random, and the attempt
}

TEST_F(RetryTest, GivesUpWithALastEntryThatSaysSo) {
  serve({"--schedule", "100ms,100ms"});
  http_sink sink{
    [](const request_record&) { return response_plan::answer(500); }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  publish();
  const auto log = wait_for_calls("acme", hook, 3);
  EXPECT_THAT(text_of(log[2], "reason"), HasSubstr("given up"));
  EXPECT_FALSE(flag_of(log[2], "success"));
  EXPECT_THAT(text_of(log[1], "reason"), ::testing::Not(HasSubstr("given up")));
  EXPECT_THAT(retries("acme", hook), IsEmpty());
  stop();
  EXPECT_EQ(sink.size(), 3U);
}

TEST_F(RetryTest, GivesUpWhenTheNotificationIsTooOld) {
  serve({"--schedule", "100ms,1h", "--max-age", "60s"});
  http_sink sink{
    [](const request_record&) { return response_plan::answer(500); }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  publish();
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_THAT(text_of(log[1], "reason"), HasSubstr("given up"));
  EXPECT_THAT(retries("acme", hook), IsEmpty());
}

TEST_F(RetryTest, StopsForGoodWhenTheReceiverIsGone) {
  serve({"--schedule", "1s,1s"});
  http_sink sink{[](const request_record& r) {
    return response_plan::answer(r.number == 0 ? 500 : 410);
  }};
  const auto hook = add_webhook(
    "acme", {.url = sink.url(), .delivery = {{"schedule", {3600}}}});
  publish();
  wait_for_retry(hook);
  publish();

  ASSERT_TRUE(eventually(
    patience, [&] { return !flag_of(webhook("acme", hook), "enabled"); }));
  EXPECT_THAT(retries("acme", hook), IsEmpty());
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(number_of(log[1], "return_code"), 410U);
  EXPECT_FALSE(flag_of(log[1], "success"));
  EXPECT_THAT(text_of(log[1], "reason"), HasSubstr("410"));
  publish();
  stop();
  EXPECT_EQ(sink.size(), 2U);
}

TEST_F(RetryTest, EndsRetriesWhenTheWebhookIsDisabled) {
  serve({"--schedule", "1h"});
  http_sink sink{
    [](const request_record&) { return response_plan::answer(500); }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  publish();
  wait_for_retry(hook);

  change_webhook("acme", hook, {{"enabled", false}});
  ASSERT_TRUE(
    eventually(patience, [&] { return retries("acme", hook).empty(); }));
  sink.set_handler({});
  change_webhook("acme", hook, {{"enabled", true}});
  EXPECT_THAT(retries("acme", hook), IsEmpty());
  const auto later = publish();
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(number_of(log[1], "notification_id"), later);
  stop();
  EXPECT_EQ(sink.size(), 2U);
}

TEST_F(RetryTest, SendsRetriesToAChangedAddress) {
  serve({"--schedule", "2s"});
  http_sink before{
    [](const request_record&) { return response_plan::answer(500); }};
  http_sink after;
  const auto hook = add_webhook("acme", {.url = before.url("/old")});
  const auto id = publish();
  wait_for_retry(hook);
  change_webhook("acme", hook, {{"target_url", after.url("/new")}});

  ASSERT_TRUE(after.wait_for(1, patience));
  EXPECT_EQ(id_in(after.records()[0].body), id);
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(text_of(log[0], "target_url"), before.url("/old"));
  EXPECT_EQ(text_of(log[1], "target_url"), after.url("/new"));
  EXPECT_TRUE(flag_of(log[1], "success"));
  EXPECT_EQ(before.size(), 1U);
}

TEST_F(RetryTest, CatchesUpWithMoreThanTheWindowHolds) {
  serve({"--window", "16", "--schedule", "200ms,200ms,200ms,200ms"});
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  std::set<std::uint64_t> published;
  for (int i = 0; i < 10; ++i) {
    json::array batch;
    for (int k = 0; k < 20; ++k)
      batch.push_back({{"action", order_placed}, {"code", i * 20 + k}});
    const auto ids = api().post(publish_path("acme"), batch).json();
    for (const auto& item : ids.as_array())
      published.insert(number_of(item, "notification_id"));
  }
  ASSERT_EQ(published.size(), 200U);
  ASSERT_TRUE(sink.wait_for(8, patience));
  sink.set_handler({});
  sink.release();
  ASSERT_TRUE(sink.wait_for(200, patience));
  wait_for_calls("acme", hook, 200);
  stop();
  std::multiset<std::uint64_t> arrived;
  for (const auto& record : sink.records())
    arrived.insert(id_in(record.body));
  EXPECT_THAT(arrived, ::testing::ElementsAreArray(published));
}

} // namespace

} // namespace fanfare::test
