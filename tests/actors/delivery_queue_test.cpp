// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// A webhook's queue by itself: what it takes, what it asks for, and in which
/// order it gives it out.

#include "actors/webhook/delivery_queue.hpp"

#include <gmock/gmock.h>

#include <set>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using source = delivery_queue::source;

constexpr timestamp now{std::chrono::days{20'000}};
constexpr std::size_t any_ahead = 1'000;

notification_ptr make(position id) {
  auto n = std::make_shared<notification>();
  n->id = id;
  return n;
}

class DeliveryQueueTest : public ::testing::Test {
protected:
  DeliveryQueueTest() {
    slot_->id = 7;
    slot_->credits = 8;
  }

  /// The store knows these retries.
  void load(std::vector<retry> retries = {}, position cursor = 0) {
    storage::webhook_state state;
    state.upto.cursor = cursor;
    state.retries = std::move(retries);
    queue_.load(state, [](const notification&) { return true; });
  }

  /// The router sends one.
  void notify(position at, position skipped_before = 0, bool wanted = true) {
    slot_->credits.fetch_sub(1);
    auto n = make(at);
    queue_.notify(n, skipped_before, wanted);
  }

  /// Takes out what is next, as long as there is something.
  std::vector<position> drain(bool ordered = false) {
    std::vector<position> all;
    for (auto ready = queue_.next(ordered, any_ahead); ready;
         ready = queue_.next(ordered, any_ahead)) {
      const auto from = queue_.choose(ready);
      all.push_back(queue_.pop(from)->id);
      queue_.take_turns(from);
    }
    return all;
  }

  /// Begins the next attempt.
  attempt begin() {
    const auto from = queue_.choose(queue_.next(false, any_ahead));
    const auto a = queue_.attempt_of(from);
    queue_.begin(a);
    queue_.pop(from);
    return a;
  }

  /// It ends, and is logged.
  void end(position subject, outcome how, timestamp retry_due = {}) {
    const auto* in_flight = queue_.in_flight(subject);
    ASSERT_TRUE(in_flight);
    const auto number = in_flight->number;
    queue_.end(subject);
    queue_.apply({{.subject = subject,
                   .settled_upto = queue_.floor(),
                   .retry_due = retry_due,
                   .result = how,
                   .attempt = number}});
    queue_.publish(0, activity::working);
  }

  /// Reads the retries that are due; those that are no longer kept come back.
  std::vector<retry> fetch(bool ordered = false,
                           const std::set<position>& gone = {}) {
    std::vector<notification_ptr> read;
    for (const auto p : queue_.fetch(ordered, 32, now))
      read.push_back(gone.contains(p) ? nullptr : make(p));
    return queue_.fetched(read);
  }

  std::shared_ptr<webhook_slot> slot_ = std::make_shared<webhook_slot>();
  delivery_queue queue_{slot_, 0};
};

// -- the window ---------------------------------------------------------------

TEST_F(DeliveryQueueTest, GivesOutWhatTheRouterSendsInOrder) {
  load();
  for (position p : {1U, 2U, 3U})
    notify(p);
  EXPECT_EQ(slot_->credits, 5);
  EXPECT_THAT(drain(), ElementsAre(1, 2, 3));
  EXPECT_EQ(slot_->credits, 8) << "each that leaves the window gives its back";
  EXPECT_EQ(slot_->read_upto, 3U);
}

TEST_F(DeliveryQueueTest, WhatIsNotWantedOnlyMovesTheCursor) {
  load();
  notify(1, 0, false);
  EXPECT_THAT(drain(), IsEmpty());
  EXPECT_EQ(slot_->credits, 8);
  queue_.publish(0, activity::working);
  EXPECT_EQ(slot_->settled_upto, 1U);
}

TEST_F(DeliveryQueueTest, WhatIsNotWantedLeavesTheWindowWhenItIsLoaded) {
  notify(1);
  notify(2);
  storage::webhook_state state;
  queue_.load(state, [](const notification& n) { return n.id != 1; });
  EXPECT_EQ(slot_->credits, 7);
  EXPECT_THAT(drain(), ElementsAre(2));
}

TEST_F(DeliveryQueueTest, WhatWasSettledBeforeARestartIsNotTakenAgain) {
  load({}, 2);
  notify(2);
  notify(3);
  EXPECT_THAT(drain(), ElementsAre(3));
}

TEST_F(DeliveryQueueTest, WhatComesBehindAGapIsReadFromTheJournal) {
  load();
  slot_->skipped_upto = 2;
  notify(3, 2);
  EXPECT_TRUE(queue_.behind());
  EXPECT_EQ(slot_->credits, 8);
  const auto wanted = queue_.refill(8, now);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->after, 0U);
  EXPECT_EQ(wanted->upto, 3U) << "with what was ignored";
  EXPECT_EQ(wanted->limit, 8U);
  EXPECT_FALSE(queue_.refill(8, now)) << "one read at a time";
  queue_.refilled({.matches = {make(1), make(3)}, .read_upto = 3});
  EXPECT_FALSE(queue_.behind());
  EXPECT_THAT(drain(), ElementsAre(1, 3));
}

TEST_F(DeliveryQueueTest, RefillsWhenHalfOfTheWindowIsFree) {
  load();
  for (position p : {1U, 2U, 3U})
    notify(p);
  slot_->skipped_upto = 9;
  EXPECT_FALSE(queue_.refill(4, now));
  begin();
  const auto wanted = queue_.refill(4, now);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->after, 3U);
  EXPECT_EQ(wanted->limit, 2U);
}

TEST_F(DeliveryQueueTest, AReadThatFailedIsAskedForAgainLater) {
  load({{.subject = 1, .due = now}});
  slot_->skipped_upto = 9;
  ASSERT_TRUE(queue_.refill(4, now));
  queue_.refill_failed();
  ASSERT_THAT(queue_.fetch(false, 32, now), ElementsAre(1));
  queue_.fetch_failed();
  queue_.wait_until(now + 1s);
  EXPECT_FALSE(queue_.refill(4, now + 999ms));
  EXPECT_THAT(queue_.fetch(false, 32, now + 999ms), IsEmpty());
  EXPECT_TRUE(queue_.refill(4, now + 1s));
  EXPECT_THAT(queue_.fetch(false, 32, now + 1s), ElementsAre(1));
}

// -- in flight ----------------------------------------------------------------

TEST_F(DeliveryQueueTest, TheCursorWaitsForTheOldestInFlight) {
  load();
  for (position p : {1U, 2U, 3U})
    notify(p);
  EXPECT_EQ(begin(), attempt::first_of(1));
  begin();
  begin();
  EXPECT_TRUE(queue_.is_in_flight(2));
  end(2, outcome::delivered);
  EXPECT_FALSE(queue_.is_in_flight(2));
  EXPECT_EQ(slot_->settled_upto, 0U);
  end(1, outcome::delivered);
  EXPECT_EQ(slot_->settled_upto, 2U);
  EXPECT_EQ(slot_->unfinished, 1U);
  end(3, outcome::retried, now);
  EXPECT_EQ(slot_->settled_upto, 3U) << "a retry holds nothing up";
  EXPECT_EQ(slot_->unfinished, 1U) << "but it is not finished";
}

TEST_F(DeliveryQueueTest, QuickOnesRunAheadOfTheOldestUpToALimit) {
  load();
  for (position p : {1U, 2U, 3U, 4U})
    notify(p);
  begin();
  begin();
  begin();
  end(2, outcome::delivered);
  end(3, outcome::delivered);
  EXPECT_TRUE(queue_.next(false, 3).window);
  EXPECT_FALSE(queue_.next(false, 2).window);
  end(1, outcome::delivered);
  EXPECT_TRUE(queue_.next(false, 2).window);
}

TEST_F(DeliveryQueueTest, NothingIsSettledBeforeItIsLoaded) {
  notify(1, 0, false);
  queue_.publish(0, activity::working);
  EXPECT_EQ(slot_->settled_upto, 0U);
  EXPECT_GT(slot_->unfinished, 0U);
  load();
  queue_.publish(0, activity::working);
  EXPECT_EQ(slot_->settled_upto, 1U);
  EXPECT_EQ(slot_->unfinished, 0U);
  queue_.publish(2, activity::working);
  EXPECT_EQ(slot_->unfinished, 2U) << "somebody has something else to do";
}

// -- retries ------------------------------------------------------------------

TEST_F(DeliveryQueueTest, RetriesAreReadWhenTheyAreDue) {
  load({{.subject = 1, .due = now, .attempt = 3},
        {.subject = 2, .due = now + 1ms}});
  EXPECT_THAT(fetch(), IsEmpty());
  EXPECT_EQ(queue_.attempt_of(source::retries),
            (attempt{.subject = 1, .number = 3}));
  EXPECT_THAT(drain(), ElementsAre(1));
  EXPECT_THAT(queue_.retries().earliest().subject, 2U);
}

TEST_F(DeliveryQueueTest, ARetryWhoseNotificationIsNotKeptComesBackAsLost) {
  load({{.subject = 1, .due = now}, {.subject = 2, .due = now}});
  const auto lost = fetch(false, {1});
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].subject, 1U);
  EXPECT_THAT(drain(), ElementsAre(2));
}

TEST_F(DeliveryQueueTest, NoMoreAreReadThanAreSoonAttempted) {
  std::vector<retry> many;
  for (position p = 1; p <= 10; ++p)
    many.push_back({.subject = p, .due = now});
  load(many);
  ASSERT_THAT(queue_.fetch(false, 4, now), SizeIs(4));
  EXPECT_THAT(queue_.fetch(false, 4, now), IsEmpty()) << "one read at a time";
  queue_.fetched({make(1), make(2), make(3), make(4)});
  EXPECT_THAT(queue_.fetch(false, 4, now), IsEmpty()) << "enough are ready";
  queue_.pop(source::retries);
  queue_.pop(source::retries);
  EXPECT_THAT(queue_.fetch(false, 4, now), SizeIs(4));
}

TEST_F(DeliveryQueueTest, RetriesAndFirstAttemptsTakeTurns) {
  load({{.subject = 1, .due = now}, {.subject = 2, .due = now}}, 2);
  for (position p : {3U, 4U, 5U})
    notify(p);
  fetch();
  EXPECT_THAT(drain(), ElementsAre(3, 1, 4, 2, 5));
}

// -- ordered ------------------------------------------------------------------

TEST_F(DeliveryQueueTest, InOrderOneThatFailedHoldsAllOthers) {
  load({{.subject = 1, .due = now + 1ms, .attempt = 2}}, 1);
  notify(2);
  auto next = queue_.next(true, any_ahead);
  EXPECT_FALSE(next);
  EXPECT_TRUE(next.held_by_failed);
  ASSERT_THAT(queue_.fetch(true, 32, now + 1ms), ElementsAre(1));
  EXPECT_FALSE(queue_.next(true, any_ahead)) << "it is being read";
  queue_.fetched({make(1)});
  EXPECT_THAT(drain(true), ElementsAre(1, 2));
}

TEST_F(DeliveryQueueTest, InOrderTheOldestThatFailedComesFirst) {
  load({{.subject = 4, .due = now, .attempt = 2},
        {.subject = 3, .due = now, .attempt = 2},
        {.subject = 1,
         .due = now,
         .attempt = 1,
         .resent = true,
         .by_replay = true}},
       4);
  fetch(true);
  EXPECT_THAT(drain(true), ElementsAre(3, 4, 1));
}

TEST_F(DeliveryQueueTest, InOrderAnOlderOneThatFailsAgainHoldsTheNewerOnes) {
  // Two halves of a batch: the first is refused once more.
  load({{.subject = 1, .due = now, .tried = true},
        {.subject = 2, .due = now, .tried = true},
        {.subject = 3, .due = now, .tried = true}},
       3);
  fetch(true);
  ASSERT_EQ(queue_.next(true, any_ahead).together, 3U);
  queue_.pop(source::retries);
  queue_.put({.subject = 1, .due = now + 1s, .attempt = 2});
  auto next = queue_.next(true, any_ahead);
  EXPECT_FALSE(next);
  EXPECT_TRUE(next.held_by_failed) << "it is not due yet";
  EXPECT_THAT(queue_.fetch(true, 32, now + 1s), ElementsAre(1));
  EXPECT_FALSE(queue_.next(true, any_ahead)) << "it is being read";
  queue_.fetched({make(1)});
  EXPECT_THAT(drain(true), ElementsAre(1, 2, 3));
}

TEST_F(DeliveryQueueTest, InOrderABatchEndsBeforeOneThatIsNotReady) {
  load({{.subject = 1, .due = now, .attempt = 2},
        {.subject = 2, .due = now + 1s, .attempt = 2},
        {.subject = 3, .due = now, .attempt = 2}},
       3);
  ASSERT_THAT(queue_.fetch(true, 1, now), ElementsAre(1));
  queue_.fetched({make(1)});
  ASSERT_THAT(queue_.fetch(false, 4, now), ElementsAre(3));
  queue_.fetched({make(3)});
  EXPECT_EQ(queue_.next(true, any_ahead).together, 1U);
}

TEST_F(DeliveryQueueTest, InOrderWhatAReplaySendsAgainHoldsNothing) {
  load({{.subject = 1, .due = now + 1h, .attempt = 1, .resent = true}}, 1);
  notify(2);
  EXPECT_THAT(drain(true), ElementsAre(2));
}

TEST_F(DeliveryQueueTest, InOrderWhatFailedIsReadAlthoughOthersAreReady) {
  std::vector<retry> many{{.subject = 9, .due = now, .attempt = 2}};
  load(many, 9);
  for (position p = 1; p <= 4; ++p)
    queue_.put({.subject = p, .due = now - 1s, .attempt = 1, .resent = true});
  ASSERT_THAT(queue_.fetch(false, 4, now), SizeIs(4));
  queue_.fetched({make(1), make(2), make(3), make(4)});
  EXPECT_THAT(queue_.fetch(true, 4, now), ElementsAre(9));
}

// -- what ends ----------------------------------------------------------------

TEST_F(DeliveryQueueTest, DisablingEndsAllUpToTheEndOfTheJournal) {
  load({{.subject = 1, .due = now}, {.subject = 2, .due = now + 1h}}, 2);
  for (position p : {3U, 4U, 5U})
    notify(p);
  begin();
  ASSERT_THAT(queue_.fetch(false, 32, now), ElementsAre(1));
  queue_.disable(4);
  EXPECT_THAT(queue_.fetched({make(1)}), IsEmpty()) << "it has ended meanwhile";
  EXPECT_TRUE(queue_.retries().empty());
  EXPECT_EQ(queue_.in_flight(3)->last_because, ended_by::disabling);
  EXPECT_THAT(drain(), ElementsAre(5)) << "it was published afterwards";
  EXPECT_EQ(slot_->credits, 8);
}

TEST_F(DeliveryQueueTest, RetriesAreTakenOutWhereverTheyAre) {
  load({{.subject = 1, .due = now - 2s}, {.subject = 2, .due = now - 1s}}, 4);
  ASSERT_THAT(queue_.fetch(false, 2, now), ElementsAre(1, 2));
  queue_.fetched({make(1), make(2)});
  begin(); // of 1
  queue_.put({.subject = 3, .due = now});
  ASSERT_THAT(queue_.fetch(false, 2, now), ElementsAre(3));
  queue_.put({.subject = 4, .due = now + 1h});
  auto taken = queue_.extract([](const retry& r) { return r.attempt > 1; },
                              ended_by::dropping);
  std::ranges::sort(taken, {}, &retry::subject);
  ASSERT_THAT(taken, SizeIs(3));
  EXPECT_EQ(taken[0].subject, 2U);
  EXPECT_EQ(taken[1].subject, 3U);
  EXPECT_EQ(taken[2].subject, 4U);
  EXPECT_THAT(queue_.fetched({make(3)}), IsEmpty());
  EXPECT_THAT(drain(), IsEmpty());
  EXPECT_EQ(queue_.in_flight(1)->last_because, ended_by::dropping);
}

TEST_F(DeliveryQueueTest, ExpeditedRetriesAreDueNow) {
  load({{.subject = 1, .due = now - 1s},
        {.subject = 2, .due = now + 1h},
        {.subject = 3, .due = now + 1h, .attempt = 1, .resent = true},
        {.subject = 4,
         .due = now + 1h,
         .attempt = 1,
         .resent = true,
         .by_replay = true}});
  std::vector<position> moved;
  for (const auto& r : queue_.expedite(now)) {
    EXPECT_EQ(r.due, now);
    moved.push_back(r.subject);
  }
  std::ranges::sort(moved);
  EXPECT_THAT(moved, ElementsAre(2, 3)) << "a replay keeps its pace";
}

TEST_F(DeliveryQueueTest, FindsARetryThatIsAboutToBeAttempted) {
  load({{.subject = 1, .due = now - 1s, .attempt = 4},
        {.subject = 2, .due = now + 1h}});
  ASSERT_THAT(queue_.fetch(false, 32, now), ElementsAre(1));
  EXPECT_EQ(queue_.find_due(1, now)->attempt, 4) << "while it is read";
  queue_.fetched({make(1)});
  EXPECT_EQ(queue_.find_due(1, now),
            (retry{.subject = 1, .due = now, .attempt = 4}));
  EXPECT_FALSE(queue_.find_due(2, now));
}

} // namespace

} // namespace fanfare::test
