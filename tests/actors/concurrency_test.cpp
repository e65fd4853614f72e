// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// How many attempts a webhook has in flight at a receiver that takes its time,
/// from the journal to the log.

#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace fanfare::test {

namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::SizeIs;

class ConcurrencyTest : public NodeTest {
protected:
  void start_with(std::size_t max_in_flight) {
    node_options options;
    options.max_in_flight = max_in_flight;
    start(options);
    node_->wire.script = [this](const fake_wire::exchange& e) {
      if (clock_.now() < e.when + latency_)
        return std::optional<protocol::exchange_result>{};
      auto r = status(failing_ > 0 ? 500 : 200);
      failing_ -= std::min<std::size_t>(failing_, 1);
      r.timings.total = latency_;
      return std::optional{r};
    };
  }

  [[nodiscard]] std::size_t in_flight() const {
    return node_->wire.open.size();
  }

  std::chrono::milliseconds latency_{0};
  std::size_t failing_ = 0; ///< of the next answers
};

TEST_F(ConcurrencyTest, C1AReceiverThatAlwaysTakesSixSecondsKeepsAllPlaces) {
  latency_ = 6s;
  start_with(16);
  const auto hook = node_->add_webhook();
  node_->publish(160);
  for (auto passed = 0ms; passed < 60s; passed += 500ms) {
    ASSERT_EQ(in_flight(), 16U) << passed.count() << " ms";
    node_->advance(500ms);
  }
  const auto calls = node_->calls(hook);
  EXPECT_THAT(calls, SizeIs(160));
  EXPECT_THAT(calls, Each(Field(&call::result, outcome::delivered)));
}

TEST_F(ConcurrencyTest, C2AllPlacesComeBackWithinAMinuteOfAHiccup) {
  latency_ = 1'500ms;
  failing_ = 10;
  start_with(8);
  node_->add_webhook();
  node_->publish(1'000);
  ASSERT_EQ(in_flight(), 8U);
  node_->advance(1'500ms);
  EXPECT_EQ(in_flight(), 4U);
  for (auto passed = 0ms; passed < 60s; passed += 500ms)
    node_->advance(500ms);
  EXPECT_EQ(in_flight(), 8U);
}

} // namespace

} // namespace fanfare::test
