// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/shared_hold.hpp"

#include "tests/actors/support/start.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;

TEST(SharedHold, OneWebhookThatIsToldToWaitWaitsAlone) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 10s);
  hold.note_busy(1, start + 1s, start + 1s, start + 20s);
  EXPECT_FALSE(hold.active());
  hold.note_busy(2, start + 30s, start + 30s, start + 40s);
  EXPECT_FALSE(hold.active()) << "the first one's time was over";
  hold.note_busy(1, start + 31s, start + 31s, start + 35s);
  EXPECT_TRUE(hold.active());
}

TEST(SharedHold, OneProbeGoesAfterItAndTheRestWaitForThat) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 10s);
  hold.note_busy(2, start, start, start + 12s);
  ASSERT_TRUE(hold.active());
  auto slot = hold.reserve(9, start + 1s);
  EXPECT_FALSE(slot.firm);
  EXPECT_EQ(slot.at, start + 10s) << "only one was told more";
  EXPECT_EQ(hold.held_until(start + 1s), start + 10s);
  EXPECT_EQ(hold.held_until(start + 10s), std::nullopt);
  slot = hold.reserve(9, start + 10s);
  EXPECT_TRUE(slot.firm);
  EXPECT_EQ(slot.at, start + 10s);
  EXPECT_FALSE(hold.reserve(8, start + 10s).firm) << "one probes";
  hold.note_failure(9, start + 13s);
  EXPECT_FALSE(hold.reserve(8, start + 13s).firm);
  EXPECT_FALSE(hold.reserve(9, start + 14s).firm) << "it has had its turn";
  EXPECT_TRUE(hold.reserve(8, start + 14s).firm) << "another probe";
  hold.note_success(9, start + 15s, start + 15s);
  EXPECT_TRUE(hold.reserve(9, start + 15s).firm);
  const auto next = hold.reserve(9, start + 15s);
  EXPECT_TRUE(next.firm);
  EXPECT_GT(next.at, start + 15s) << "at a pace";
  EXPECT_TRUE(hold.is_current(next));
  hold.note_busy(3, start + 15s, start + 16s, start + 20s);
  EXPECT_TRUE(hold.is_current(next)) << "one alone again";
  hold.note_busy(4, start + 15s, start + 16s, start + 20s);
  EXPECT_FALSE(hold.is_current(next)) << "slots of before a refusal are void";
}

TEST(SharedHold, AProbeThatHangsIsReplaced) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.reserve(9, start + 1s).firm);
  EXPECT_FALSE(hold.reserve(9, start + 30s).firm);
  EXPECT_TRUE(hold.reserve(9, start + 31s).firm);
}

/// A host that takes so many calls in each second, and says so to the others.
class limited_host {
public:
  explicit limited_host(std::size_t per_second) : per_second_(per_second) {}

  /// Empty: taken. Else it is to come back after that.
  std::optional<timestamp> call(timestamp now) {
    while (!taken_.empty() && taken_.front() + 1s <= now)
      taken_.pop_front();
    if (taken_.size() >= per_second_)
      return now + 1s;
    taken_.push_back(now);
    return std::nullopt;
  }

private:
  std::size_t per_second_;
  std::deque<timestamp> taken_;
};

TEST(SharedHold, FiftyWebhooksLearnWhatTheirHostTakes) {
  // 100 calls at 5 a second take 20 s at best.
  shared_hold hold;
  limited_host host{5};
  std::vector<int> left(50, 2);
  std::vector<std::optional<shared_hold::slot>> slots(50);
  std::vector<timestamp> own_hold(50);
  std::vector<std::optional<std::uint32_t>> told(50);
  std::size_t taken = 0;
  auto now = start;
  for (; taken < 100 && now < start + 10min; now += 1ms)
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (told[i] && *told[i] != hold.lifted()) {
        own_hold[i] = {};
        told[i].reset();
      }
      if (left[i] == 0 || now < own_hold[i])
        continue;
      if (hold.active()) {
        auto& slot = slots[i];
        if (!slot || !hold.is_current(*slot)
            || (!slot->firm && now >= slot->at))
          slot = hold.reserve(1 + i, now);
        if (!slot->firm || now < slot->at)
          continue;
        slot.reset();
      }
      if (const auto until = host.call(now)) {
        own_hold[i] = *until;
        told[i] = hold.note_busy(1 + i, now, now, *until);
      } else {
        ++taken;
        --left[i];
        if (hold.active())
          hold.note_success(1 + i, now, now);
      }
    }
  EXPECT_EQ(taken, 100U);
  EXPECT_LE(now - start, 30s) << "within 1.5 times the ideal";
}

TEST(SharedHold, WhatBeganBeforeItSaysNothing) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 60s);
  hold.note_busy(2, start, start + 1ms, start + 60s);
  hold.note_success(9, start, start + 300ms); // it was in flight
  const auto slot = hold.reserve(9, start + 300ms);
  EXPECT_FALSE(slot.firm);
  EXPECT_EQ(slot.at, start + 60s);
}

TEST(SharedHold, LateRefusalsHoldWhatIsPaced) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start + 1ms, start + 1s);
  ASSERT_TRUE(hold.reserve(9, start + 1s).firm);
  hold.note_success(9, start + 1s, start + 1'100ms);
  ASSERT_TRUE(hold.reserve(9, start + 2s).firm);
  hold.note_busy(3, start, start + 2s, start + 1h); // a slow one
  EXPECT_TRUE(hold.reserve(9, start + 2s).firm) << "alone";
  hold.note_busy(4, start, start + 2s, start + 30min);
  const auto slot = hold.reserve(9, start + 2s);
  EXPECT_FALSE(slot.firm);
  EXPECT_EQ(slot.at, start + 30min);
}

// -- who is refused alone -----------------------------------------------------

/// Webhooks 1 and 2 were refused, and 9 has been taken since.
void share(shared_hold& hold) {
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.reserve(9, start + 1s).firm);
  hold.note_success(9, start + 1s, start + 1s);
}

TEST(SharedHold, OneThatKeepsBeingRefusedHoldsNobodyElse) {
  shared_hold hold;
  share(hold);
  auto now = start + 2s;
  for (; hold.active() && now < start + 1h; now += 1s) {
    hold.note_busy(1, now, now, now + 1h);
    const auto slot = hold.reserve(2, now);
    ASSERT_TRUE(slot.firm) << "after " << (now - start).count() << " ms";
    ASSERT_LE(slot.at, now + 1s);
    hold.note_success(2, slot.at, slot.at);
  }
  EXPECT_FALSE(hold.active()) << "nobody else was refused";
}

TEST(SharedHold, OneThatIsRefusedWhenItProbesLetsAnotherOneProbe) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.reserve(1, start + 2s).firm);
  EXPECT_FALSE(hold.reserve(3, start + 2s).firm);
  hold.note_busy(1, start + 2s, start + 3s, start + 1h);
  EXPECT_TRUE(hold.reserve(3, start + 3s).firm);
  hold.note_busy(3, start + 3s, start + 4s, start + 10s);
  const auto slot = hold.reserve(4, start + 4s);
  EXPECT_FALSE(slot.firm) << "now two are refused";
  EXPECT_EQ(slot.at, start + 10s) << "but only one for an hour";
}

TEST(SharedHold, ThoseThatWereNotRefusedProbeFirst) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  const auto slot = hold.reserve(1, start + 1s);
  EXPECT_FALSE(slot.firm);
  EXPECT_EQ(slot.at, start + 1s + shared_hold::courtesy);
  EXPECT_TRUE(hold.reserve(3, start + 1s).firm);
}

TEST(SharedHold, TwoThatKeepBeingRefusedHoldTheOthersOnceMore) {
  shared_hold hold;
  share(hold);
  int holds = 0;
  auto now = start + 2s;
  for (; now < start + 10min; now += 1s) {
    hold.note_busy(1, now, now, now + 30s);
    hold.note_busy(2, now, now, now + 30s);
    if (!hold.active())
      break;
    auto slot = hold.reserve(9, now);
    if (!slot.firm) {
      ++holds;
      now = slot.at;
      slot = hold.reserve(9, now);
    }
    ASSERT_TRUE(slot.firm);
    hold.note_success(9, now, now);
  }
  EXPECT_EQ(holds, 1);
  EXPECT_LT(now, start + 10min) << "that is kept in mind afterwards";
  hold.note_success(1, now, now);
  EXPECT_TRUE(hold.note_busy(1, now + 1s, now + 1s, now + 30s).has_value())
    << "until it is taken";
}

TEST(SharedHold, ASuccessEndsWhatAllWereToldButNotWhatOneIsToldAlone) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1h);
  const auto told = hold.note_busy(2, start, start, start + 1s);
  ASSERT_EQ(told, hold.lifted());
  ASSERT_TRUE(hold.reserve(9, start + 1s).firm);
  EXPECT_EQ(hold.note_success(9, start + 1s, start + 1s),
            (std::vector<webhook_id>{1, 2}));
  EXPECT_NE(told, hold.lifted());
  std::optional<std::uint32_t> alone;
  auto now = start + 2s;
  for (int i = 0; i < 2; ++i, now += 2s) {
    alone = hold.note_busy(1, now, now, now + 1h);
    hold.note_success(9, now + 1s, now + 1s);
    EXPECT_EQ(alone.has_value(), i == 0);
  }
}

TEST(SharedHold, ItsOwnerMayHaveItProbedAtOnce) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1h);
  hold.note_busy(2, start, start, start + 1h);
  EXPECT_FALSE(hold.reserve(1, start + 1s).firm);
  hold.lift(1, start + 1s);
  EXPECT_TRUE(hold.reserve(1, start + 1s).firm);
  EXPECT_FALSE(hold.reserve(2, start + 1s).firm) << "one at a time";
}

TEST(SharedHold, AClockThatIsSetBackHoldsForAnHourAtMost) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.reserve(9, start + 1s).firm);
  hold.note_success(9, start + 1s, start + 1s);
  ASSERT_TRUE(hold.reserve(9, start + 1s).firm);
  const auto before = start - 24h;
  const auto slot = hold.reserve(9, before);
  EXPECT_TRUE(slot.firm);
  EXPECT_LE(slot.at, before + 1s);
}

TEST(SharedHold, EndsAlthoughManyAreBusyOnceNobodyIsRefused) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  auto now = start + 1s;
  for (; hold.active() && now < start + 30min; now += 10ms)
    for (int i = 0; i < 100 && hold.active(); ++i) {
      const auto slot = hold.reserve(9, now);
      if (slot.firm)
        hold.note_success(9, now, now);
    }
  EXPECT_FALSE(hold.active());
}

TEST(SharedHold, EndsOnceNobodyIsRefusedAnyMore) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  auto now = start + 1s;
  for (; hold.active() && now < start + 5min; now += 1s) {
    const auto slot = hold.reserve(9, now);
    if (slot.firm && slot.at <= now)
      hold.note_success(9, now, now);
  }
  EXPECT_FALSE(hold.active());
  EXPECT_GE(now - start, shared_hold::memory);
}

TEST(SharedHolds, AreOfAnOrganizerAndADestination) {
  shared_holds all;
  const auto one = all.find(1, "https://a.example:443");
  EXPECT_EQ(all.find(1, "https://a.example:443"), one);
  EXPECT_NE(all.find(2, "https://a.example:443"), one);
  EXPECT_NE(all.find(1, "https://b.example:443"), one);
}

} // namespace

} // namespace fanfare::test
