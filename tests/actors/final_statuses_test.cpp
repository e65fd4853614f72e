// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What answers that a webhook calls final mean for what comes after them.

#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FinalStatusesTest : public NodeTest {
protected:
  using configure = std::function<void(webhook_record&)>;

  webhook_id add(const configure& settings = {}) {
    webhook_record w;
    w.owner = 1;
    w.target_url = "https://a.example/x";
    w.versions.push_back({.from = 0, .value = {.types = {1}}});
    w.delivery.signing = signing_algorithm::none;
    w.delivery.max_in_flight = 1;
    w.delivery.final_statuses = {422, 429};
    if (settings)
      settings(w);
    return node_->add_webhook(std::move(w));
  }
};

TEST_F(FinalStatusesTest, EndANotificationAtOnceAndNoOtherStatusDoes) {
  code_ = 422;
  const auto hook = add();
  node_->publish(1);
  ASSERT_THAT(node_->calls(hook), SizeIs(1));
  const auto first = node_->calls(hook)[0];
  EXPECT_EQ(first.result, outcome::given_up);
  EXPECT_EQ(first.shows, evidence::unclear);
  EXPECT_EQ(first.reason, "answered 422; final by its settings");
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  code_ = 423;
  node_->publish(1);
  EXPECT_THAT(node_->retries(hook), SizeIs(1));
  code_ = 422;
  node_->advance(6s);
  EXPECT_THAT(node_->retries(hook), IsEmpty()) << "of a retry, too";
  EXPECT_EQ(node_->calls(hook).back().attempt, 2);
  EXPECT_THAT(sent(), SizeIs(3));
}

TEST_F(FinalStatusesTest, AreNeitherFailuresNorSuccesses) {
  node_options options;
  options.pace.breaker_failures = 3;
  options.pace.breaker_pause = 10s;
  start(options);
  code_ = 422;
  const auto hook = add(
    [](webhook_record& w) { w.delivery.schedule = std::vector(50, 1'000ms); });
  node_->publish(20);
  EXPECT_THAT(sent(), SizeIs(20));
  EXPECT_EQ(inspect(hook).failures, 0U);
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::closed);
  code_ = 500;
  node_->publish(2);
  EXPECT_EQ(inspect(hook).failures, 2U);
  code_ = 422;
  node_->publish(1);
  EXPECT_EQ(inspect(hook).failures, 2U) << "it was no success either";
  code_ = 500;
  node_->publish(1);
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::open);
}

TEST_F(FinalStatusesTest, OfAProbeLetTheNextOneProbe) {
  node_options options;
  options.pace.breaker_failures = 2;
  options.pace.breaker_pause = 10s;
  start(options);
  code_ = 500;
  const auto hook = add(
    [](webhook_record& w) { w.delivery.schedule = std::vector(50, 1'000ms); });
  node_->publish(2);
  ASSERT_EQ(inspect(hook).breaker, delivery_state::breaker_state::open);
  code_ = 422;
  node_->advance(10s);
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::half_open);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  code_ = 200;
  node_->publish(1);
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::closed);
}

TEST_F(FinalStatusesTest, HoldWhatComesNextAfterARestartToo) {
  auto r = status(429);
  r.retry_after = "600";
  node_->wire.script = [r](const fake_wire::exchange&) {
    return std::optional{r};
  };
  const auto hook = add();
  node_->publish(1);
  ASSERT_EQ(node_->calls(hook).at(0).result, outcome::given_up);
  const auto began = clock_.now();
  for (const bool saved : {false, true}) {
    if (saved)
      node_->checkpoint();
    restart();
    node_->publish(1);
    EXPECT_THAT(sent(), IsEmpty());
    EXPECT_EQ(inspect(hook).held_until, began + 600s);
  }
}

TEST_F(FinalStatusesTest, LetTheNextOneGoInOrder) {
  code_ = 422;
  const auto hook = add([](webhook_record& w) { w.delivery.ordered = true; });
  node_->publish(3);
  EXPECT_THAT(sent(), SizeIs(3));
  EXPECT_THAT(node_->calls(hook),
              Each(Field(&call::result, outcome::given_up)));
}

TEST_F(FinalStatusesTest, OfABatchEndOnlyTheOneThatIsRefused) {
  node_->wire.script = [](const fake_wire::exchange& e) {
    const bool bad = e.what->body.find("\"notification_id\": 7}")
                  != std::string::npos;
    return std::optional{status(bad ? 503 : 200)};
  };
  const auto hook = add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 20, .max_wait = 0ms};
    w.delivery.final_statuses = {503};
  });
  node_->publish(20);
  node_->advance(1s);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  std::set<position> delivered;
  std::set<position> ended;
  for (const auto& c : node_->calls(hook))
    if (c.result == outcome::delivered)
      delivered.insert(c.subject);
    else if (c.result == outcome::given_up)
      ended.insert(c.subject);
  EXPECT_THAT(delivered, SizeIs(19));
  EXPECT_EQ(ended, std::set<position>{7});
  EXPECT_EQ(inspect(hook).failures, 0U);
}

TEST_F(FinalStatusesTest, AreNoFailureAfterARestartEither) {
  code_ = 422;
  const auto hook = add();
  node_->publish(3);
  ASSERT_THAT(sent(), SizeIs(3));
  restart();
  node_->advance(24h);
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(inspect(hook).failures, 0U);
}

} // namespace

} // namespace fanfare::test
