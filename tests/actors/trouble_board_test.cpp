// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Which webhooks count as being in trouble, and which are the worst.

#include "actors/trouble_board.hpp"

#include "tests/actors/support/start.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TroubleBoardTest : public ::testing::Test {
protected:
  TroubleBoardTest() {
    for (webhook_id id = 1; id <= 40; ++id)
      put(id);
  }

  void put(webhook_id id, bool enabled = true, bool paused = false) {
    board_.put(id, id <= 20 ? 1 : 2, enabled, paused, start);
  }

  void report(webhook_id id, const trouble_board::state& as,
              timestamp at = start) {
    board_.report(id, id <= 20 ? 1 : 2, as, at);
  }

  void fail(webhook_id id, timestamp since, std::uint32_t failures = 10) {
    report(id, {.failures = failures, .failing_since = since});
  }

  std::vector<webhook_id> worst(organizer_id owner = 0, std::size_t most = 10,
                                timestamp now = start) {
    std::vector<webhook_id> out;
    for (const auto& e : board_.look(owner, most, now).worst)
      out.push_back(e.id);
    return out;
  }

  webhook_counts counts(organizer_id owner = 0, timestamp now = start) {
    return board_.look(owner, 0, now).webhooks;
  }

  trouble_board board_;
};

TEST_F(TroubleBoardTest, WhoeverIsFineIsOnlyCounted) {
  EXPECT_EQ(counts().registered, 40U);
  EXPECT_EQ(counts().enabled, 40U);
  EXPECT_EQ(counts(2).registered, 20U);
  EXPECT_EQ(counts(3).registered, 0U);
  EXPECT_THAT(worst(), IsEmpty());
  put(3, false);
  put(3, false);
  EXPECT_EQ(counts().enabled, 39U);
  EXPECT_THAT(worst(), IsEmpty()) << "its owner has disabled it, and knows";
}

TEST_F(TroubleBoardTest, CountsWhatBeginsAndEnds) {
  fail(3, start);
  report(4, {.held_by = hold_reason::retry_after, .held_until = start + 1h});
  put(5, true, true);
  report(25, {.behind = true});
  EXPECT_EQ(counts().failing, 1U);
  EXPECT_EQ(counts().behind, 1U);
  EXPECT_EQ(counts().held[hold_reason::retry_after], 1U);
  EXPECT_EQ(counts().held[hold_reason::pause], 1U);
  EXPECT_EQ(counts(2).failing, 0U);
  EXPECT_EQ(counts(2).behind, 1U);
  report(3, {});
  report(4, {});
  put(5);
  report(25, {});
  EXPECT_EQ(counts().failing, 0U);
  EXPECT_EQ(counts().behind, 0U);
  EXPECT_EQ(counts().held[hold_reason::retry_after], 0U);
  EXPECT_EQ(counts().held[hold_reason::pause], 0U);
  EXPECT_EQ(board_.look(0, 10, start).troubled, 0U);
}

TEST_F(TroubleBoardTest, TheWorstAreThoseThatHaveFailedForLongest) {
  fail(1, start - 5min);
  fail(21, start - 2h);
  fail(3, start - 2h, 50);
  fail(4, start - 1s, 1); // maybe restarted
  report(6, {.held_by = hold_reason::retry_after}, start - 30min);
  put(7, true, true);
  board_.report_slow(8, 1, 9s, start);
  board_.report_slow(9, 1, 20s, start);
  board_.report_disabled(10, 1, start - 1min);
  report(11, {.behind = true});
  EXPECT_THAT(worst(), ElementsAre(3, 21, 6, 1, 10, 11, 7, 4, 9, 8));
  EXPECT_THAT(worst(0, 2), ElementsAre(3, 21));
  EXPECT_THAT(worst(2), ElementsAre(21));
  EXPECT_EQ(board_.look(0, 2, start).troubled, 10U);
}

TEST_F(TroubleBoardTest, WhatItsOwnerWantsAsARateIsNoTrouble) {
  report(1, {.held_by = hold_reason::rate});
  EXPECT_EQ(counts().held[hold_reason::rate], 1U);
  EXPECT_THAT(worst(), IsEmpty());
  board_.report_stuck(1, start - 1min);
  EXPECT_THAT(worst(), ElementsAre(1)) << "but it is behind";
}

TEST_F(TroubleBoardTest, WhoIsCountedIsKnownOfEach) {
  fail(1, start);
  report(2, {.held_by = hold_reason::rate});
  EXPECT_TRUE(board_.counts(1));
  EXPECT_FALSE(board_.counts(2));
  EXPECT_FALSE(board_.counts(3));
  EXPECT_EQ(board_.look(0, 0, start).troubled, 1U);
}

TEST_F(TroubleBoardTest, ADisablingIsKnownForADay) {
  fail(1, start);
  board_.report_disabled(1, 1, start);
  put(1, false);  // as the router sees it
  fail(1, start); // an attempt that was in flight
  EXPECT_EQ(counts().failing, 0U);
  EXPECT_EQ(counts().enabled, 39U);
  EXPECT_EQ(counts(0, start + 24h - 1ms).disabled_lately, 1U);
  EXPECT_EQ(counts(0, start + 24h).disabled_lately, 0U);
}

TEST_F(TroubleBoardTest, WhoeverIsEnabledAgainIsFine) {
  board_.report_disabled(1, 1, start);
  put(1, false);
  put(1);
  EXPECT_EQ(counts().disabled_lately, 0U);
  EXPECT_EQ(counts().enabled, 40U);
  EXPECT_THAT(worst(), IsEmpty());
}

TEST_F(TroubleBoardTest, ASlowCallIsKnownForTenMinutes) {
  board_.report_slow(1, 1, 6s, start);
  EXPECT_EQ(counts(0, start + 10min - 1ms).slow, 1U);
  EXPECT_EQ(counts(0, start + 10min).slow, 0U);
  EXPECT_THAT(worst(0, 10, start + 10min), IsEmpty());
}

TEST_F(TroubleBoardTest, WhatIsStuckIsBehindUntilItMoves) {
  board_.report_stuck(1, start - 40s);
  EXPECT_EQ(counts().behind, 1U);
  EXPECT_THAT(worst(), ElementsAre(1));
  board_.report_stuck(1, std::nullopt);
  EXPECT_EQ(counts().behind, 0U);
}

} // namespace

} // namespace fanfare::test
