// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What tests of the normal suite do a few times, many times.

#include "tests/storage/faults/disk.hpp"
#include "tests/storage/faults/killed.hpp"
#include "tests/storage/faults/log_prefixes.hpp"
#include "tests/storage/lmdb/store_test.hpp"

#include <atomic>
#include <thread>

namespace fanfare::test {

namespace {

TEST(LongCrashTest, AThousandKilledProcessesLoseNothingTheyHaveAcknowledged) {
  kill_between_calls(1'000, 2);
}

TEST(LongPrefixTest, OfEveryByteOfALogIsTheStateAfterAWholeNumberOfGroups) {
  log_prefixes{3, 40, 30}.check(1);
}

TEST(LongPrefixTest, OfManyLogsIsTheStateAfterAWholeNumberOfGroups) {
  for (std::uint64_t seed = 10; seed < 30 && !::testing::Test::HasFailure();
       ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    log_prefixes{seed, 40, seed % 2 == 0 ? 30U : 4'000U}.check(
      seed % 2 == 0 ? 100 : 4'000);
  }
}

class LongStoreTest : public store_test {
protected:
  LongStoreTest() {
    faulty_disk::hurry(true);
  }

  disk_in_order disk_;
};

TEST_F(LongStoreTest, TenThousandThreadsCommitOnceAndEnd) {
  for (int i = 0; i < 10'000; ++i)
    std::jthread{[&] { publish(draft_of(1)); }};
  const auto all = [&] {
    return store_->journal().read(0, 20'000, 1'000'000).value().size();
  };
  EXPECT_EQ(all(), 10'000U);
  reopen();
  EXPECT_EQ(all(), 10'000U);
}

// Each of the readers looks for each notification as soon as it was answered.
TEST_F(LongStoreTest, AHundredThousandReadsOfOthersFindWhatWasJustAnswered) {
  constexpr std::size_t readers_at_once = 8;
  constexpr position publishes = 100'000 / readers_at_once;
  std::atomic<position> answered{0};
  std::atomic<std::size_t> looks{0};
  std::atomic<std::size_t> stale{0};
  std::vector<std::jthread> readers;
  for (std::size_t i = 0; i < readers_at_once; ++i)
    readers.emplace_back([&] {
      for (position seen = 0; seen < publishes;) {
        answered.wait(seen);
        seen = answered;
        const auto found = store_->journal().find(seen);
        stale += found && *found && (*found)->id == seen ? 0 : 1;
        ++looks;
        looks.notify_one();
      }
    });
  for (position i = 1; i <= publishes; ++i) {
    answered = publish(draft_of(1))->id;
    answered.notify_all();
    for (auto done = looks.load(); done < i * readers_at_once; done = looks)
      looks.wait(done);
  }
  readers.clear();
  EXPECT_EQ(looks, publishes * readers_at_once);
  EXPECT_EQ(stale, 0U);
}

} // namespace

} // namespace fanfare::test
