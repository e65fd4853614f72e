// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Answers of a receiver that is no longer called, because its webhook has got
/// another URL while they were on their way.

#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

/// What the store would restore is what the webhook knows.
void expect_same(const storage::progress& stored, const delivery_state& live) {
  EXPECT_EQ(stored.failures, live.failures);
  EXPECT_EQ(stored.failing_since, live.failing_since.value_or(timestamp{}));
}

class OldReceiverTest : public NodeTest {
protected:
  OldReceiverTest() {
    options_.max_in_flight = 64;
    options_.pace.breaker_failures = 50;
    options_.pace.breaker_pause = 10s;
    start(options_);
    hook_ = node_->add_webhook("http://old.example/");
    hang();
  }

  void redirect() {
    node_->edit(
      hook_, [](webhook_record& w) { w.target_url = "http://new.example/"; });
  }

  void answer_all(const protocol::exchange_result& how) {
    for (auto i : std::vector<std::size_t>{node_->wire.open.begin(),
                                           node_->wire.open.end()})
      node_->wire.answer(i, how);
    node_->run();
  }

  node_options options_;
  webhook_id hook_ = 0;
};

TEST_F(OldReceiverTest, ItsFailuresAreNotTheNewOnes) {
  node_->publish(64);
  ASSERT_THAT(sent(), SizeIs(64));
  redirect();
  answer_all(status(0));
  EXPECT_THAT(node_->retries(hook_), SizeIs(64));
  for (const auto& r : node_->retries(hook_))
    EXPECT_EQ(r.attempt, 2) << "an attempt is used up nevertheless";
  EXPECT_EQ(node_->store.progress_of(hook_).failures, 0U);
  expect_same(node_->store.progress_of(hook_), inspect(hook_));
  restart(options_);
  EXPECT_EQ(inspect(hook_).breaker, delivery_state::breaker_state::closed);
}

TEST_F(OldReceiverTest, ItsSuccessDoesNotEndTheHoldOfTheNewOne) {
  node_->publish(1);
  redirect();
  node_->publish(1);
  ASSERT_THAT(node_->wire.open, ElementsAre(0, 1));
  auto busy = status(503);
  busy.retry_after = "60";
  const auto until = clock_.now() + 60s;
  node_->wire.answer(1, busy);
  node_->run();
  ASSERT_EQ(node_->store.progress_of(hook_).held_until, until);
  node_->wire.answer(0, status(200));
  node_->run();
  EXPECT_EQ(node_->store.progress_of(hook_).held_until, until);
  EXPECT_EQ(node_->store.progress_of(hook_).failures, 1U);
  EXPECT_EQ(inspect(hook_).failures, 1U);
}

TEST_F(OldReceiverTest, ItsFailuresBetweenTheEditAndItsNewsAreForgotten) {
  node_->publish(2);
  // They come while the edit is on disk and the actor has not heard of it.
  node_->edit_later(
    hook_, [](webhook_record& w) { w.target_url = "http://new.example/"; });
  answer_all(status(500));
  EXPECT_EQ(node_->store.progress_of(hook_).failures, 0U);
  expect_same(node_->store.progress_of(hook_), inspect(hook_));
}

TEST_F(OldReceiverTest, ItsRefusalOfABatchSaysNothingAboutTheContent) {
  node_->edit(hook_, [](webhook_record& w) {
    w.delivery.batch = {.max_count = 2, .max_wait = 0ms};
  });
  node_->publish_later();
  node_->publish(1);
  redirect();
  answer_all(status(400));
  for (const auto& r : node_->retries(hook_))
    EXPECT_EQ(r.attempt, 2);
  EXPECT_EQ(node_->store.progress_of(hook_).failures, 0U);
}

} // namespace

} // namespace fanfare::test
