// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// One idempotency key, two requests: none of them is lost without a word.

#include "tests/e2e/support/e2e_test.hpp"

#include <boost/json/serialize.hpp>

namespace fanfare::test {
namespace {

class KeysTest : public E2eTest {
protected:
  void SetUp() override {
    start();
    add_organizer("acme");
  }

  rest_response publish_under(const std::string& key, const std::string& code,
                              const char* header = "Idempotency-Key") {
    return api().send("POST", publish_path("acme"),
                      boost::json::serialize(boost::json::object{
                        {"action", order_placed}, {"code", code}}),
                      {{header, key}});
  }
};

TEST_F(KeysTest, OfAPublishIsRefusedForAnotherOne) {
  const auto first = publish_under("k", "A");
  ASSERT_EQ(first.status, 202U) << first.body;
  EXPECT_EQ(first.header("Idempotency-Replayed"), std::nullopt);
  const auto other = publish_under("k", "B");
  EXPECT_EQ(other.status, 422U) << other.body;
  const auto again = publish_under("k", "A");
  EXPECT_EQ(again.status, 202U);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
  // Nothing was published in between.
  EXPECT_EQ(publish("acme", "next"),
            number_of(first.json(), "notification_id") + 1);
}

TEST_F(KeysTest, IsComparedAfterARestart) {
  const auto first = publish_under("k", "A");
  ASSERT_EQ(first.status, 202U) << first.body;
  const auto hooks = organizer_path("acme") + "webhooks/";
  const std::string hook =
    R"({"target_url":"http://127.0.0.1:1/","limit_events":[],"action_types":[]})";
  const rest_client::fields key{{"Idempotency-Key", "h"}};
  ASSERT_EQ(api().send("POST", hooks, hook, key).status, 201U);
  kill();
  start();
  EXPECT_EQ(publish_under("k", "B").status, 422U);
  EXPECT_EQ(publish_under("k", "A").body, first.body);
  EXPECT_EQ(api().send("POST", hooks, hook, key).status, 201U);
  EXPECT_EQ(api().send("POST", hooks, hook + ' ', key).status, 422U);
  EXPECT_EQ(number_of(api().get(hooks).json(), "count"), 1U);
}

TEST_F(KeysTest, IsFreeAgainAfterARefusal) {
  EXPECT_EQ(api()
              .send("POST", publish_path("acme"), R"({"action":"no.such"})",
                    {{"Idempotency-Key", "k"}})
              .status,
            400U);
  EXPECT_EQ(publish_under("k", "A").status, 202U);
}

TEST_F(KeysTest, UnderTheCompatibleHeaderGetsTheFirstAnswer) {
  const auto first = publish_under("k", "A", "X-Idempotency-Key");
  const auto other = publish_under("k", "B", "X-Idempotency-Key");
  EXPECT_EQ(other.status, 202U);
  EXPECT_EQ(other.body, first.body);
  EXPECT_EQ(other.header("Idempotency-Replayed"), "true");
}

} // namespace
} // namespace fanfare::test
