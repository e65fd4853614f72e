// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What the log says of batches: what a restart makes of it is what was known
/// before.

#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

#include <set>
#include <utility>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class BatchLogTest : public NodeTest {
protected:
  /// Batches of up to `most`.
  webhook_id add(std::uint16_t most) {
    webhook_record w;
    w.owner = 1;
    w.target_url = "https://a.example/x";
    w.versions.push_back({.from = 0, .value = {.types = {1}}});
    w.delivery.signing = signing_algorithm::none;
    w.delivery.batch = {.max_count = most, .max_wait = 30'000ms};
    return node_->add_webhook(std::move(w));
  }

  /// What a crash leaves if only so many calls were written.
  [[nodiscard]] disk cut_after(std::size_t calls) const {
    auto left = node_->store.contents();
    left.calls.resize(calls);
    left.last_call = calls;
    return left;
  }

  [[nodiscard]] std::set<position> delivered(webhook_id hook) const {
    std::set<position> found;
    for (const auto& c : node_->calls(hook))
      if (c.result == outcome::delivered)
        found.insert(c.subject);
    return found;
  }
};

// -- crashes ------------------------------------------------------------------

// Nothing keeps the calls of a batch in one commit, so a crash may leave any
// part of them from the first on.

TEST_F(BatchLogTest, ACrashBetweenTheCallsOfABatchLosesNone) {
  for (std::size_t written = 0; written <= 3; ++written) {
    SCOPED_TRACE(written);
    start({});
    code_ = 500;
    const auto hook = add(3);
    node_->publish(3);
    ASSERT_THAT(node_->calls(hook), SizeIs(3));
    code_ = 200;
    restart(cut_after(written), {});
    node_->advance(1h);
    EXPECT_THAT(delivered(hook), ElementsAre(1, 2, 3));
  }
}

TEST_F(BatchLogTest, TheCursorPassesNoneThatIsNotLogged) {
  for (const int code : {200, 500, 400}) {
    SCOPED_TRACE(code);
    start({});
    code_ = static_cast<std::uint16_t>(code);
    const auto hook = add(4);
    node_->publish(4);
    const auto calls = node_->calls(hook);
    ASSERT_GE(calls.size(), 4U);
    storage::progress upto;
    retry_map retries;
    for (position logged = 1; logged <= 4; ++logged) {
      upto.apply({calls[logged - 1]}, retries);
      for (position p = 1; p <= 4; ++p)
        EXPECT_EQ(upto.settled(p), p <= logged) << p << " of " << logged;
    }
    EXPECT_EQ(upto.cursor, 4U);
  }
}

// -- how often it counts ------------------------------------------------------

/// What the store would restore is what the webhook knows.
void expect_same(const storage::progress& stored, const delivery_state& live) {
  EXPECT_EQ(stored.failures, live.failures);
  EXPECT_EQ(stored.failing_since, live.failing_since.value_or(timestamp{}));
}

TEST_F(BatchLogTest, OneThatFailsCountsOnce) {
  node_options options;
  options.pace.breaker_failures = 3;
  options.pace.breaker_pause = 10s;
  start(options);
  code_ = 500;
  const auto hook = add(10);
  node_->publish(20);
  ASSERT_THAT(node_->calls(hook), SizeIs(20));
  EXPECT_EQ(node_->store.progress_of(hook).failures, 2U);
  expect_same(node_->store.progress_of(hook), inspect(hook));
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::closed);
  restart(options);
  node_->advance(1ms);
  EXPECT_EQ(inspect(hook).failures, 2U);
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::closed)
    << "as before the restart";
}

TEST_F(BatchLogTest, FiveThatFailedDisableAndNoFewer) {
  node_options options;
  options.disable_after = 1h;
  options.backoff.schedule.assign(10, 2h);
  start(options);
  code_ = 500;
  const auto hook = add(10);
  node_->publish(10);
  node_->advance(24h);
  EXPECT_THAT(sent(), SizeIs(5));
  EXPECT_FALSE(node_->store.registry().find_webhook(hook)->current().enabled);
}

TEST_F(BatchLogTest, OneThatSucceedsEndsTheFailures) {
  code_ = 500;
  const auto hook = add(2);
  node_->publish(2);
  ASSERT_EQ(node_->store.progress_of(hook).failures, 1U);
  code_ = 200;
  node_->advance(10s);
  EXPECT_EQ(node_->store.progress_of(hook).failures, 0U);
  expect_same(node_->store.progress_of(hook), inspect(hook));
}

TEST_F(BatchLogTest, AHoldIsThatOfOneRequest) {
  const auto hook = add(3);
  node_->wire.script = [](const fake_wire::exchange&) {
    auto r = status(503);
    r.retry_after = "60";
    return std::optional{r};
  };
  const auto began = clock_.now();
  node_->publish(3);
  const auto upto = node_->store.progress_of(hook);
  EXPECT_EQ(upto.failures, 1U);
  EXPECT_EQ(upto.held_until, began + 60s);
  for (const auto& r : node_->retries(hook))
    EXPECT_EQ(r.attempt, 1) << "of none was an attempt used up";
}

} // namespace

} // namespace fanfare::test
