// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Which notifications go into one request, and when.

#include "actors/webhook/batch.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using source = delivery_queue::source;

constexpr timestamp now{std::chrono::days{20'000}};

class BatchTest : public ::testing::Test {
protected:
  BatchTest() {
    plan_.batch = {.max_count = 3, .max_wait = 200ms};
    plan_.backoff.max_age = 60s;
  }

  void load(std::vector<position> ahead = {}) {
    storage::webhook_state state;
    state.upto.ahead = std::move(ahead);
    queue_.load(state, [](const notification&) { return true; });
  }

  void notify(position at, timestamp published = now, std::size_t bytes = 10) {
    auto n = std::make_shared<notification>();
    n->id = at;
    n->published = published;
    n->body.assign(bytes, 'x');
    notification_ptr what{std::move(n)};
    queue_.notify(what, 0, true);
  }

  [[nodiscard]] batch_choice choose(timestamp at = now) {
    return choose_batch(queue_, source::window, plan_, halves_, SIZE_MAX, at);
  }

  /// The retries that would go together now.
  [[nodiscard]] std::vector<position> choose_retries(std::size_t most = 100) {
    plan_.batch = {.max_count = 100, .max_wait = 0ms};
    const auto chosen = choose_batch(queue_, source::retries, plan_, halves_,
                                     most, now);
    std::vector<position> found;
    for (std::size_t i = 0; i < chosen.count; ++i)
      found.push_back(queue_.peek(source::retries, i).id);
    return found;
  }

  std::shared_ptr<webhook_slot> slot_ = std::make_shared<webhook_slot>();
  delivery_queue queue_{slot_, 0};
  batch_halves halves_;
  delivery_plan plan_;
};

notification_ptr make(position at) {
  auto n = std::make_shared<notification>();
  n->id = at;
  n->published = now;
  return n;
}

std::vector<notification_ptr> make_all(std::initializer_list<position> which) {
  std::vector<notification_ptr> all;
  for (const auto at : which)
    all.push_back(make(at));
  return all;
}

TEST_F(BatchTest, WaitsForMoreUntilTheOldestHasWaitedLongEnough) {
  load();
  notify(1, now - 150ms);
  notify(2, now);
  EXPECT_EQ(choose().count, 2U);
  EXPECT_EQ(choose().wait_until, now + 50ms);
  EXPECT_TRUE(choose(now + 49ms).wait_until);
  EXPECT_FALSE(choose(now + 50ms).wait_until);
}

TEST_F(BatchTest, AFullOneDoesNotWait) {
  load();
  for (position p : {1U, 2U, 3U, 4U})
    notify(p);
  EXPECT_EQ(choose().count, 3U);
  EXPECT_FALSE(choose().wait_until);
}

TEST_F(BatchTest, ABacklogThatIsStillToBeReadDoesNotWait) {
  load();
  notify(1);
  slot_->skipped_upto = 9;
  EXPECT_EQ(choose().count, 1U);
  EXPECT_FALSE(choose().wait_until);
}

TEST_F(BatchTest, HasNoMoreThanAMegabyteUnlessTheFirstIsLarger) {
  load();
  notify(1, now, 2 << 20);
  EXPECT_EQ(choose().count, 1U);
  EXPECT_FALSE(choose().wait_until) << "nothing fits beside it";
  queue_.pop(source::window);
  notify(2, now, 600 << 10);
  notify(3, now, 600 << 10);
  EXPECT_EQ(choose().count, 1U);
  EXPECT_FALSE(choose().wait_until);
}

TEST_F(BatchTest, EndsBeforeWhatIsSettledOrTooOld) {
  load({2});
  notify(1);
  notify(3, now - 61s);
  EXPECT_EQ(choose().count, 1U);
  queue_.pop(source::window);
  EXPECT_EQ(choose().count, 0U);
  EXPECT_TRUE(choose().too_old);
}

TEST_F(BatchTest, ARetryInFlightGoesIntoNoBatch) {
  load();
  queue_.put({.subject = 1, .due = now});
  ASSERT_EQ(queue_.fetch(false, 32, now).size(), 1U);
  auto n = std::make_shared<notification>();
  n->id = 1;
  n->published = now;
  queue_.fetched({n});
  EXPECT_EQ(choose_retries().size(), 1U);
  queue_.begin({.subject = 1});
  const auto chosen = choose_batch(queue_, source::retries, plan_, halves_,
                                   SIZE_MAX, now);
  EXPECT_EQ(chosen.count, 0U);
  EXPECT_FALSE(chosen.too_old);
}

// -- halves -------------------------------------------------------------------

class HalvesTest : public BatchTest {
protected:
  /// These are ready as retries, in this order.
  void ready(std::initializer_list<position> which) {
    storage::webhook_state state;
    for (const auto at : which)
      state.retries.push_back({.subject = at, .due = now, .tried = true});
    queue_.load(state, [](const notification&) { return true; });
    ASSERT_THAT(queue_.fetch(false, 100, now), SizeIs(which.size()));
    queue_.fetched(make_all(which));
  }
};

TEST_F(HalvesTest, EachHalfOfARefusedBatchGoesByItself) {
  ready({1, 2, 3, 4, 5, 6, 7});
  halves_.answered(make_all({2, 4, 6, 7}), true);
  EXPECT_THAT(choose_retries(), ElementsAre(1)) << "what follows has a half";
  queue_.pop(source::retries);
  EXPECT_THAT(choose_retries(), ElementsAre(2, 4)) << "not with 3 in between";
  queue_.pop(source::retries);
  queue_.pop(source::retries);
  EXPECT_THAT(choose_retries(), ElementsAre(3, 5)) << "never refused";
  queue_.pop(source::retries);
  queue_.pop(source::retries);
  EXPECT_THAT(choose_retries(), ElementsAre(6, 7));
}

TEST_F(HalvesTest, OneThatWasRefusedAloneStaysAlone) {
  ready({1, 2, 3});
  halves_.answered(make_all({2}), true);
  EXPECT_THAT(choose_retries(), ElementsAre(1));
  queue_.pop(source::retries);
  EXPECT_THAT(choose_retries(), ElementsAre(2));
  halves_.answered(make_all({2}), false);
  EXPECT_THAT(choose_retries(), ElementsAre(2, 3));
  EXPECT_TRUE(halves_.empty());
}

TEST_F(HalvesTest, BeyondALimitAllGoAlone) {
  ready({1, 2, 3});
  for (position p = 100; p < 100 + batch_halves::most; ++p)
    halves_.answered(make_all({p}), true);
  EXPECT_THAT(choose_retries(), ElementsAre(1, 2, 3));
  halves_.answered(make_all({1, 2, 3}), true);
  EXPECT_THAT(choose_retries(), ElementsAre(1));
  for (position p = 100; p <= 101 + batch_halves::most / 2; ++p)
    halves_.forget(p);
  EXPECT_THAT(choose_retries(), ElementsAre(1, 2, 3));
}

TEST_F(HalvesTest, HasNoMoreThanMayGoTogether) {
  ready({1, 2, 3});
  EXPECT_THAT(choose_retries(2), ElementsAre(1, 2));
}

// -- bodies -------------------------------------------------------------------

TEST_F(BatchTest, CombinesTheBodiesOfAllMembers) {
  std::vector<notification_ptr> members;
  for (position p : {4U, 5U}) {
    auto n = std::make_shared<notification>();
    n->id = p;
    n->owner = 9;
    n->published = now + std::chrono::milliseconds{p};
    n->body = R"({"notification_id": )" + std::to_string(p) + "}";
    members.push_back(std::move(n));
  }
  const auto together = combine(members, false);
  EXPECT_EQ(together->id, 4U);
  EXPECT_EQ(together->owner, 9U);
  EXPECT_EQ(together->published, now + 4ms);
  EXPECT_EQ(together->body,
            R"([{"notification_id": 4},{"notification_id": 5}])");
}

} // namespace

} // namespace fanfare::test
