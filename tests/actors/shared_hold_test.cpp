// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/shared_hold.hpp"

#include "tests/actors/support/start.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
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
  auto slot = hold.ask(9, start + 1s);
  EXPECT_FALSE(slot.ready);
  EXPECT_EQ(slot.at, start + 10s) << "only one was told more";
  EXPECT_EQ(hold.held_until(start + 1s), start + 10s);
  EXPECT_EQ(hold.held_until(start + 10s), std::nullopt);
  slot = hold.ask(9, start + 10s);
  EXPECT_TRUE(slot.ready);
  EXPECT_EQ(slot.at, start + 10s);
  EXPECT_FALSE(hold.ask(8, start + 10s).ready) << "one probes";
  hold.note_failure(9, start + 13s);
  EXPECT_FALSE(hold.ask(8, start + 13s).ready);
  EXPECT_FALSE(hold.ask(9, start + 14s).ready) << "it has had its turn";
  EXPECT_TRUE(hold.ask(8, start + 14s).ready) << "another probe";
  hold.note_success(9, start + 15s, start + 15s);
  EXPECT_TRUE(hold.ask(9, start + 15s).ready);
  const auto next = hold.ask(9, start + 15s);
  EXPECT_FALSE(next.ready);
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
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  EXPECT_FALSE(hold.ask(9, start + 30s).ready);
  EXPECT_TRUE(hold.ask(9, start + 31s).ready);
}

// -- the pace -----------------------------------------------------------------

constexpr std::size_t per_second = 5;

/// Whether a host that takes 5 calls a second takes one now.
using host = std::function<bool(timestamp)>;

/// No more than 5 within any second.
host sliding_window() {
  return [taken = std::deque<timestamp>{}](timestamp now) mutable {
    while (!taken.empty() && taken.front() + 1s <= now)
      taken.pop_front();
    if (taken.size() >= per_second)
      return false;
    taken.push_back(now);
    return true;
  };
}

/// A bucket that holds so many, and is full.
host bucket(double size) {
  return [size, level = size, at = start](timestamp now) mutable {
    const auto span = static_cast<double>((now - at).count()) / 1'000;
    level = std::min(size, level + span * per_second);
    at = now;
    if (level < 1)
      return false;
    level -= 1;
    return true;
  };
}

/// As many as that within each so many seconds of the clock.
host fixed_window(std::chrono::seconds length) {
  return [length, since = timestamp{}, taken = 0U](timestamp now) mutable {
    if (now - since >= length) {
      since = now - (now.time_since_epoch() + 300ms) % length;
      taken = 0;
    }
    return ++taken <= per_second * static_cast<unsigned>(length.count());
  };
}

struct limited {
  std::string name;
  host takes;
  std::chrono::seconds retry_after;
};

void PrintTo(const limited& l, std::ostream* to) {
  *to << l.name << ", Retry-After " << l.retry_after.count();
}

/// 50 webhooks with two calls each, of which each takes 20 ms.
class fifty_webhooks {
public:
  explicit fifty_webhooks(const limited& at) : at_(at) {}

  /// How long until all were taken.
  std::chrono::milliseconds run() {
    auto now = start;
    for (; taken_ < 100 && now < start + 10min; now += 1ms) {
      end_calls(now);
      for (std::size_t i = 0; i < hooks_.size(); ++i)
        if (may_start(i, now)) {
          --hooks_[i].left;
          hooks_[i].in_flight = true;
          calls_.push_back({i, now, at_.takes(now)});
        }
    }
    EXPECT_EQ(taken_, 100U);
    return now - start;
  }

private:
  struct hook {
    int left = 2;
    bool in_flight = false;
    timestamp held_until{};
    std::optional<std::uint32_t> told;
    std::optional<shared_hold::slot> slot;
  };
  struct call {
    std::size_t of = 0;
    timestamp started{};
    bool taken = false;
  };

  void end_calls(timestamp now) {
    for (; !calls_.empty() && calls_.front().started + 20ms <= now;
         calls_.pop_front()) {
      const auto& c = calls_.front();
      auto& h = hooks_[c.of];
      h.in_flight = false;
      if (!c.taken) {
        ++h.left;
        h.held_until = now + at_.retry_after;
        h.told = hold_.note_busy(1 + c.of, c.started, now, h.held_until);
      } else {
        ++taken_;
        if (hold_.active())
          (void)hold_.note_success(1 + c.of, c.started, now);
        else
          hold_.note_taken(now);
      }
    }
  }

  bool may_start(std::size_t i, timestamp now) {
    auto& h = hooks_[i];
    if (h.told && *h.told != hold_.lifted()) {
      h.held_until = {};
      h.told.reset();
    }
    if (h.left == 0 || h.in_flight || now < h.held_until)
      return false;
    if (!hold_.active())
      return true;
    if (h.slot && hold_.is_current(*h.slot) && now < h.slot->at)
      return false;
    h.slot = hold_.ask(1 + i, now, h.slot);
    if (!h.slot->ready)
      return false;
    h.slot.reset();
    return true;
  }

  limited at_;
  shared_hold hold_;
  std::vector<hook> hooks_{50};
  std::deque<call> calls_;
  std::size_t taken_ = 0;
};

class PaceOfSharedHold : public ::testing::TestWithParam<limited> {};

TEST_P(PaceOfSharedHold, FiftyWebhooksLearnWhatTheirHostTakes) {
  // 100 calls at 5 a second take 20 s at best.
  EXPECT_LE(fifty_webhooks{GetParam()}.run(), 30s)
    << "within 1.5 times the ideal";
}

INSTANTIATE_TEST_SUITE_P(
  Limits, PaceOfSharedHold,
  ::testing::Values(limited{"SlidingWindow1", sliding_window(), 1s},
                    limited{"SlidingWindow2", sliding_window(), 2s},
                    limited{"SlidingWindow5", sliding_window(), 5s},
                    limited{"Bucket1", bucket(5), 1s},
                    limited{"Bucket2", bucket(5), 2s},
                    limited{"Bucket5", bucket(5), 5s},
                    limited{"LargeBucket1", bucket(15), 1s},
                    limited{"LargeBucket5", bucket(15), 5s},
                    limited{"FixedWindow1", fixed_window(1s), 1s},
                    limited{"FixedWindow5", fixed_window(1s), 5s},
                    limited{"LongWindow1", fixed_window(5s), 1s},
                    limited{"LongWindow5", fixed_window(5s), 5s}),
  [](const auto& of) { return of.param.name; });

TEST(SharedHold, APaceThatNobodyNeedsDoesNotGrow) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  (void)hold.note_success(9, start + 1s, start + 1s);
  auto now = start + 2s;
  for (; now < start + 40s; now += 1s) {
    ASSERT_TRUE(hold.ask(9, now).ready);
    (void)hold.note_success(9, now, now);
  }
  ASSERT_TRUE(hold.ask(9, now).ready);
  const auto next = hold.ask(9, now);
  EXPECT_FALSE(next.ready);
  EXPECT_GE(next.at - now, 100ms) << "as at the beginning";
}

// -- what it is about ---------------------------------------------------------

TEST(SharedHold, WhatBeganBeforeItSaysNothing) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 60s);
  hold.note_busy(2, start, start + 1ms, start + 60s);
  hold.note_success(9, start, start + 300ms); // it was in flight
  const auto slot = hold.ask(9, start + 300ms);
  EXPECT_FALSE(slot.ready);
  EXPECT_EQ(slot.at, start + 60s);
}

TEST(SharedHold, LateRefusalsHoldWhatIsPaced) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start + 1ms, start + 1s);
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  hold.note_success(9, start + 1s, start + 1'100ms);
  ASSERT_TRUE(hold.ask(9, start + 2s).ready);
  hold.note_busy(3, start, start + 2s, start + 1h); // a slow one
  EXPECT_EQ(hold.held_until(start + 2s), std::nullopt) << "alone";
  hold.note_busy(4, start, start + 2s, start + 30min);
  const auto slot = hold.ask(9, start + 2s);
  EXPECT_FALSE(slot.ready);
  EXPECT_EQ(slot.at, start + 30min);
}

// -- who is refused alone -----------------------------------------------------

/// Webhooks 1 and 2 were refused, and 9 has been taken since.
void share(shared_hold& hold) {
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  hold.note_success(9, start + 1s, start + 1s);
}

TEST(SharedHold, OneThatKeepsBeingRefusedHoldsNobodyElse) {
  shared_hold hold;
  share(hold);
  auto now = start + 2s;
  for (; hold.active() && now < start + 1h; now += 1s) {
    hold.note_busy(1, now, now, now + 1h);
    const auto slot = hold.ask(2, now);
    ASSERT_TRUE(slot.ready) << "after " << (now - start).count() << " ms";
    ASSERT_LE(slot.at, now + 1s);
    hold.note_success(2, slot.at, slot.at);
  }
  EXPECT_FALSE(hold.active()) << "nobody else was refused";
}

TEST(SharedHold, OneThatIsRefusedWhenItProbesLetsAnotherOneProbe) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.ask(1, start + 2s).ready);
  EXPECT_FALSE(hold.ask(3, start + 2s).ready);
  hold.note_busy(1, start + 2s, start + 3s, start + 1h);
  EXPECT_TRUE(hold.ask(3, start + 3s).ready);
  hold.note_busy(3, start + 3s, start + 4s, start + 10s);
  const auto slot = hold.ask(4, start + 4s);
  EXPECT_FALSE(slot.ready) << "now two are refused";
  EXPECT_EQ(slot.at, start + 10s) << "but only one for an hour";
}

TEST(SharedHold, ThoseThatWereNotRefusedProbeFirst) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  const auto slot = hold.ask(1, start + 1s);
  EXPECT_FALSE(slot.ready);
  EXPECT_EQ(slot.at, start + 1s + shared_hold::courtesy);
  EXPECT_TRUE(hold.ask(3, start + 1s).ready);
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
    auto slot = hold.ask(9, now);
    if (!slot.ready) {
      ++holds;
      now = slot.at;
      slot = hold.ask(9, now);
    }
    ASSERT_TRUE(slot.ready);
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
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  EXPECT_EQ(hold.note_success(9, start + 1s, start + 1s).told,
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
  EXPECT_FALSE(hold.ask(1, start + 1s).ready);
  hold.lift(1, start + 1s);
  EXPECT_TRUE(hold.ask(1, start + 1s).ready);
  EXPECT_FALSE(hold.ask(2, start + 1s).ready) << "one at a time";
}

TEST(SharedHold, ItTakesTwoThatAreStillCalled) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1h);
  hold.note_busy(2, start, start, start + 30min);
  hold.note_busy(3, start - 1s, start, start + 10min);
  EXPECT_FALSE(hold.ask(9, start + 1s).ready);
  EXPECT_EQ(hold.held_until(start + 1s), start + 30min);
  EXPECT_EQ(hold.forget(1, start + 1s), (std::vector<webhook_id>{9}));
  EXPECT_EQ(hold.held_until(start + 1s), start + 10min);
  EXPECT_FALSE(hold.ask(9, start + 1s).ready);
  EXPECT_EQ(hold.forget(2, start + 2s), (std::vector<webhook_id>{9}));
  EXPECT_FALSE(hold.active()) << "one is told alone";
  hold.note_busy(4, start + 3s, start + 3s, start + 5min);
  EXPECT_TRUE(hold.active()) << "and another one, too";
  EXPECT_EQ(hold.held_until(start + 3s), start + 5min);
}

TEST(SharedHold, WhoWasNotToldEndsNothingByLeaving) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1h);
  hold.note_busy(2, start, start, start + 1h);
  EXPECT_FALSE(hold.ask(7, start + 1s).ready);
  EXPECT_TRUE(hold.forget(9, start + 1s).empty());
  EXPECT_TRUE(hold.active());
  EXPECT_EQ(hold.held_until(start + 1s), start + 1h);
}

TEST(SharedHold, WhoWaitsAsksAnewWhenTheHoldBecomesShorter) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1h);
  hold.note_busy(2, start, start, start + 1h);
  hold.note_busy(3, start - 1s, start, start + 10min);
  const auto slot = hold.ask(7, start + 1s);
  EXPECT_EQ(hold.forget(1, start + 1s), (std::vector<webhook_id>{7}));
  EXPECT_FALSE(hold.is_current(slot));
  EXPECT_EQ(hold.ask(7, start + 1s).at, start + 10min);
}

TEST(SharedHold, AProberThatLeavesIsReplaced) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  (void)hold.forget(9, start + 2s);
  EXPECT_TRUE(hold.ask(8, start + 2s).ready);
}

TEST(SharedHold, OneThatIsTakenMeanwhileIsNoneOfTwo) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1h);
  (void)hold.note_success(1, start + 1s, start + 1s);
  hold.note_busy(2, start + 2s, start + 2s, start + 1h);
  EXPECT_FALSE(hold.active());
}

TEST(SharedHold, AnEndThatIsToldLateDoesNotTurnThePaceBack) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  (void)hold.note_success(9, start + 1s, start + 1s);
  for (webhook_id i = 10; i < 30; ++i)
    (void)hold.ask(i, start + 4s);
  for (int i = 0; i < 5; ++i)
    (void)hold.note_success(9, start + 1s, start + 2s);
  const auto last = hold.ask(40, start + 4s);
  EXPECT_FALSE(last.ready) << "there is still a pace";
  EXPECT_GT(last.at, start + 4s);
}

TEST(SharedHold, ASuccessReleasesThoseThatWaitedForOthers) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1h);
  hold.note_busy(2, start, start, start + 1h);
  const auto slot = hold.ask(7, start + 1s);
  EXPECT_FALSE(slot.ready);
  EXPECT_FALSE(hold.ask(8, start + 1s).ready);
  hold.lift(1, start + 2s);
  ASSERT_TRUE(hold.ask(1, start + 2s).ready);
  const auto released = hold.note_success(1, start + 2s, start + 3s);
  EXPECT_EQ(released.told, (std::vector<webhook_id>{2}));
  EXPECT_EQ(released.waiting, (std::vector<webhook_id>{7, 8}));
  EXPECT_FALSE(hold.is_current(slot)) << "they ask anew";
}

TEST(SharedHold, AClockThatIsSetBackHoldsForAnHourAtMost) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  hold.note_success(9, start + 1s, start + 1s);
  ASSERT_TRUE(hold.ask(9, start + 1s).ready);
  const auto before = start - 24h;
  const auto slot = hold.ask(9, before);
  EXPECT_LE(slot.at, before + 1s);
}

TEST(SharedHold, EndsAlthoughManyAreBusyOnceNobodyIsRefused) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  std::vector<std::optional<shared_hold::slot>> slots(100);
  auto now = start + 1s;
  for (; hold.active() && now < start + 30min; now += 10ms)
    for (webhook_id i = 0; i < slots.size() && hold.active(); ++i) {
      auto& slot = slots[i];
      if (slot && now < slot->at)
        continue;
      slot = hold.ask(9 + i, now, slot);
      if (slot->ready) {
        (void)hold.note_success(9 + i, now, now);
        slot.reset();
      }
    }
  EXPECT_FALSE(hold.active());
}

TEST(SharedHold, EndsOnceNobodyIsRefusedAnyMore) {
  shared_hold hold;
  hold.note_busy(1, start, start, start + 1s);
  hold.note_busy(2, start, start, start + 1s);
  auto now = start + 1s;
  for (; hold.active() && now < start + 5min; now += 1s) {
    const auto slot = hold.ask(9, now);
    if (slot.ready && slot.at <= now)
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
