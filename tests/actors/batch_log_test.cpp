// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What the log says of batches. Nothing keeps the calls of a batch in one
/// commit, so a crash may leave any part of them from the first on.

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
      upto.apply(calls[logged - 1], retries);
      for (position p = 1; p <= 4; ++p)
        EXPECT_EQ(upto.settled(p), p <= logged) << p << " of " << logged;
    }
    EXPECT_EQ(upto.cursor, 4U);
  }
}

} // namespace

} // namespace fanfare::test
