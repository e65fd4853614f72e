// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/shared_hold.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;

constexpr timestamp start{1'000'000s};

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
  auto slot = hold.reserve(start + 1s);
  EXPECT_FALSE(slot.firm);
  EXPECT_EQ(slot.at, start + 12s);
  slot = hold.reserve(start + 12s);
  EXPECT_TRUE(slot.firm);
  EXPECT_EQ(slot.at, start + 12s);
  EXPECT_FALSE(hold.reserve(start + 12s).firm) << "one probes";
  hold.note_failure(start + 13s);
  EXPECT_FALSE(hold.reserve(start + 13s).firm);
  EXPECT_TRUE(hold.reserve(start + 14s).firm) << "another probe";
  hold.note_success(start + 15s, start + 15s);
  EXPECT_TRUE(hold.reserve(start + 15s).firm);
  const auto next = hold.reserve(start + 15s);
  EXPECT_TRUE(next.firm);
  EXPECT_GT(next.at, start + 15s) << "at a pace";
  EXPECT_TRUE(hold.is_current(next));
  hold.note_busy(3, start + 15s, start + 16s, start + 20s);
  EXPECT_FALSE(hold.is_current(next)) << "slots of before a refusal are void";
}

TEST(SharedHold, AProbeThatHangsIsReplaced) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.reserve(start + 1s).firm);
  EXPECT_FALSE(hold.reserve(start + 30s).firm);
  EXPECT_TRUE(hold.reserve(start + 31s).firm);
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
  std::size_t taken = 0;
  auto now = start;
  for (; taken < 100 && now < start + 10min; now += 1ms)
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i] == 0 || (!hold.active() && now < own_hold[i]))
        continue;
      if (hold.active()) {
        auto& slot = slots[i];
        if (!slot || !hold.is_current(*slot)
            || (!slot->firm && now >= slot->at))
          slot = hold.reserve(now);
        if (!slot->firm || now < slot->at)
          continue;
        slot.reset();
      }
      if (const auto until = host.call(now)) {
        own_hold[i] = *until;
        hold.note_busy(1 + i, now, now, *until);
      } else {
        ++taken;
        --left[i];
        if (hold.active())
          hold.note_success(now, now);
      }
    }
  EXPECT_EQ(taken, 100U);
  EXPECT_LE(now - start, 30s) << "within 1.5 times the ideal";
}

TEST(SharedHold, WhatBeganBeforeItSaysNothing) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 60s);
  hold.note_busy(2, start, start + 1ms, start + 60s);
  hold.note_success(start, start + 300ms); // it was in flight
  const auto slot = hold.reserve(start + 300ms);
  EXPECT_FALSE(slot.firm);
  EXPECT_EQ(slot.at, start + 60s);
}

TEST(SharedHold, ALateRefusalHoldsWhatIsPaced) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start + 1ms, start + 1s);
  ASSERT_TRUE(hold.reserve(start + 1s).firm);
  hold.note_success(start + 1s, start + 1'100ms);
  ASSERT_TRUE(hold.reserve(start + 2s).firm);
  hold.note_busy(3, start, start + 2s, start + 1h); // a slow one
  EXPECT_FALSE(hold.reserve(start + 2s).firm);
}

TEST(SharedHold, AClockThatIsSetBackHoldsForAnHourAtMost) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.reserve(start + 1s).firm);
  hold.note_success(start + 1s, start + 1s);
  ASSERT_TRUE(hold.reserve(start + 1s).firm);
  const auto before = start - 24h;
  const auto slot = hold.reserve(before);
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
      const auto slot = hold.reserve(now);
      if (slot.firm)
        hold.note_success(now, now);
    }
  EXPECT_FALSE(hold.active());
}

TEST(SharedHold, EndsOnceNobodyIsRefusedAnyMore) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  auto now = start + 1s;
  for (; hold.active() && now < start + 5min; now += 1s) {
    const auto slot = hold.reserve(now);
    if (slot.firm && slot.at <= now)
      hold.note_success(now, now);
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
