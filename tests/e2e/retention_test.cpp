// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What is old goes, what is needed stays.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

using RetentionTest = E2eTest;

TEST_F(RetentionTest, RemovesOldEntriesButNotWhatARetryNeeds) {
  start({"--retention", "2s", "--retention-interval", "200ms", "--schedule",
         "6s", "--checkpoint-interval", "200ms"});
  add_organizer("acme");
  http_sink good;
  http_sink failing{[](const request_record& r) {
    return response_plan::answer(r.number == 0 ? 500 : 200);
  }};
  const auto delivered = add_webhook("acme", {.url = good.url()});
  const auto retried = add_webhook(
    "acme", {.url = failing.url(), .types = {order_paid}});
  const auto old = publish();
  const auto needed = publish("acme",
                              {{"action", order_paid}, {"event", "democon"}});
  wait_for_calls("acme", delivered, 1);
  ASSERT_TRUE(failing.wait_for(1, patience));
  const auto failed_at = failing.records()[0].time;
  const auto status_of = [&](std::uint64_t id) {
    return api().get(publish_path("acme") + std::to_string(id) + '/').status;
  };
  EXPECT_EQ(status_of(old), 200U);

  EXPECT_TRUE(eventually(patience, [&] { return status_of(old) == 404; }));
  EXPECT_TRUE(
    eventually(patience, [&] { return calls("acme", delivered).empty(); }));
  if (steady_clock::now() - failed_at < 6s) {
    EXPECT_EQ(status_of(needed), 200U);
  }
  ASSERT_TRUE(failing.wait_for(2, patience));
  EXPECT_EQ(failing.records()[1].body, failing.records()[0].body);
  EXPECT_TRUE(eventually(patience, [&] { return status_of(needed) == 404; }));
  EXPECT_TRUE(
    eventually(patience, [&] { return calls("acme", retried).empty(); }));
  EXPECT_GT(publish(), needed); // ids are not used again
}

TEST_F(RetentionTest, KeepsWhatIsYoungEnough) {
  start({"--retention", "1h", "--retention-interval", "50ms",
         "--checkpoint-interval", "50ms"});
  add_organizer("acme");
  http_sink sink;
  const auto hook = add_webhook("acme", {.url = sink.url()});
  const auto id = publish();
  wait_for_calls("acme", hook, 1);
  // Many looks of the janitor later.
  for (int i = 0; i < 50; ++i)
    publish();
  wait_for_calls("acme", hook, 51);
  EXPECT_EQ(api().get(publish_path("acme") + std::to_string(id) + '/').status,
            200U);
}

TEST_F(RetentionTest, AFullStoreRefusesPublishesUntilRetentionMadeRoom) {
  start({"--max-store-size", "12M", "--retention", "3s", "--retention-interval",
         "200ms", "--checkpoint-interval", "200ms"});
  add_organizer("acme");
  http_sink sink;
  const auto hook = add_webhook("acme", {.url = sink.url()});
  const std::string filler(100'000, 'x');
  std::vector<std::uint64_t> accepted;
  const auto try_publish = [&] {
    const auto answer = api().post(
      publish_path("acme"), {{"action", order_placed}, {"filler", filler}});
    if (answer.status == 202)
      accepted.push_back(number_of(answer.json(), "notification_id"));
    else
      EXPECT_TRUE(text_of(answer.json(), "detail").size() > 10) << answer.body;
    return answer.status;
  };
  unsigned status = 202;
  for (int i = 0; i < 1000 && status == 202; ++i)
    status = try_publish();
  ASSERT_EQ(status, 507U);
  EXPECT_GT(accepted.size(), 20U);

  EXPECT_TRUE(eventually(patience, [&] { return try_publish() == 202; }));
  ASSERT_TRUE(sink.wait_for(accepted.size(), patience));
  EXPECT_TRUE(
    eventually(patience, [&] { return calls("acme", hook).empty(); }));
  stop();
  std::vector<std::uint64_t> arrived;
  for (const auto& record : sink.records())
    arrived.push_back(id_in(record.body));
  EXPECT_THAT(arrived, ::testing::UnorderedElementsAreArray(accepted));
}

} // namespace

} // namespace fanfare::test
