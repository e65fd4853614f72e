// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The log on a disk that refuses, or loses what was not flushed.

#include "storage/log/folder.hpp"
#include "tests/storage/faults/disk.hpp"
#include "tests/storage/log/file_log_test.hpp"

#include <gmock/gmock.h>

#include <cerrno>

namespace fanfare::test {

namespace {

using call = faulty_disk::call;

/// Not the next one, which is made meanwhile.
constexpr auto first_segment = "01.log";

class LogFaultsTest : public file_log_test {
protected:
  /// The groups that a loss of power would leave.
  std::vector<std::string> after_power_loss() {
    fs::remove_all(dir_ / "image");
    faulty_disk::lose_power(dir_ / "image");
    auto opts = options();
    opts.folder = dir_ / "image";
    std::vector<std::string> all;
    const auto opened = file_log::open(opts);
    if (!opened) {
      ADD_FAILURE() << opened.error().detail;
      return all;
    }
    EXPECT_TRUE((*opened)->read(
      0, [&](log_sequence, std::string_view group) -> result<void> {
        all.emplace_back(group);
        return {};
      }));
    return all;
  }

  ec append_code(const std::string& group) {
    const auto done = log_->append(group);
    return done ? ec::ok : done.error().code;
  }

  /// Leaves a group that is written, and not on disk. It begins in the first
  /// segment.
  void leave_unflushed(const std::string& group) {
    faulty_disk::arm({.of = call::flush, .where = first_segment, .code = EIO});
    ASSERT_EQ(append_code(group), ec::io_error);
    faulty_disk::disarm();
  }

  disk_in_order disk_;
};

// -- appending ----------------------------------------------------------------

TEST_F(LogFaultsTest, WhatWasAnsweredIsOnDiskBeforeTheAnswer) {
  faulty_disk::watch(dir_ / "log");
  begin();
  for (int i = 0; i < 30; ++i) {
    append_some(1, 5'000);
    ASSERT_EQ(after_power_loss(), written_);
  }
}

TEST_F(LogFaultsTest, AFlushThatFailsIsTheLastOne) {
  begin();
  append_some(3);
  faulty_disk::arm({.of = call::flush, .where = first_segment, .code = EIO});
  const auto refused = log_->append("refused");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::io_error);
  EXPECT_THAT(refused.error().detail, testing::HasSubstr("restart Fanfare"));
  // The disk is in order again, and nobody knows what it has.
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(append_code("refused, too"), ec::io_error);
  EXPECT_EQ(faulty_disk::failed(), 1U);
  EXPECT_EQ(log_->last(), 3U);
  faulty_disk::disarm();
  reopen();
  const auto found = groups();
  ASSERT_GE(found.size(), 3U);
  ASSERT_LE(found.size(), 4U);
  EXPECT_EQ(std::vector<std::string>(found.begin(), found.begin() + 3),
            written_);
}

TEST_F(LogFaultsTest, AFlushThatFindsNoRoomIsTheLastOneToo) {
  begin();
  append_some(1);
  faulty_disk::arm({.of = call::flush, .where = first_segment, .code = ENOSPC});
  EXPECT_EQ(append_code("refused"), ec::io_error);
  EXPECT_EQ(append_code("refused, too"), ec::io_error);
}

TEST_F(LogFaultsTest, AWriteThatFindsNoRoomLeavesNothingAndMayBeTriedAgain) {
  begin();
  append_some(2);
  for (const std::size_t bytes : {0, 1, 39, 40, 100}) {
    // Both ways of writing fail, the second one after some bytes.
    faulty_disk::arm({.of = call::write,
                      .where = first_segment,
                      .code = ENOSPC,
                      .count = 3,
                      .bytes = bytes});
    EXPECT_EQ(append_code(std::string(2'000, 'r')), ec::store_full) << bytes;
    EXPECT_GT(faulty_disk::failed(), 0U);
    EXPECT_EQ(log_->last(), written_.size());
    faulty_disk::disarm();
    append_some(1);
  }
  reopen();
  EXPECT_EQ(groups(), written_);
}

TEST_F(LogFaultsTest, AWriteThatFailsForAnotherReasonIsTheLastOne) {
  begin();
  append_some(2);
  faulty_disk::arm(
    {.of = call::write, .where = first_segment, .code = EIO, .count = 2});
  EXPECT_EQ(append_code("refused"), ec::io_error);
  faulty_disk::disarm();
  EXPECT_EQ(append_code("refused, too"), ec::io_error);
  reopen();
  EXPECT_EQ(groups(), written_);
}

TEST_F(LogFaultsTest, ASegmentForWhichThereIsNoRoomRefusesOneGroupAtATime) {
  begin();
  append_some(3);
  faulty_disk::arm({.of = call::reserve,
                    .where = ".log",
                    .code = ENOSPC,
                    .count = faulty_disk::for_good});
  // More than what is ready: it wants one segment after the other.
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(append_code(std::string(200 * kib, 'r')), ec::store_full);
  faulty_disk::disarm();
  append(std::string(200 * kib, 'x'));
  append_some(2);
  reopen();
  EXPECT_EQ(groups(), written_);
}

// -- harden() -----------------------------------------------------------------

TEST_F(LogFaultsTest, HardenedIsOnDiskWhatAFailedFlushHasLeftInMemory) {
  faulty_disk::watch(dir_ / "log");
  begin();
  append_some(3);
  leave_unflushed("left");
  const auto answered = written_;
  reopen();
  ASSERT_EQ(groups().size(), 4U) << "it is in the system's memory";
  ASSERT_EQ(after_power_loss(), answered) << "and not on disk";
  const auto done = log_->harden(3);
  ASSERT_TRUE(done) << done.error().detail;
  auto all = answered;
  all.emplace_back("left");
  EXPECT_EQ(after_power_loss(), all);
}

TEST_F(LogFaultsTest, HardenedIsAGroupOfManySegments) {
  faulty_disk::watch(dir_ / "log");
  begin();
  append_some(3);
  const std::string left(100 * kib, 'x');
  leave_unflushed(left);
  const auto answered = written_;
  reopen();
  ASSERT_EQ(groups().size(), 4U);
  ASSERT_EQ(after_power_loss(), answered);
  ASSERT_TRUE(log_->harden(3));
  auto all = answered;
  all.push_back(left);
  EXPECT_EQ(after_power_loss(), all);
}

TEST_F(LogFaultsTest, HardeningSaysWhenTheDiskRefuses) {
  begin();
  append_some(3);
  leave_unflushed(std::string(100 * kib, 'x'));
  reopen();
  for (const auto of : {call::flush, call::write})
    for (std::size_t after = 0; after < 2; ++after) {
      faulty_disk::arm(
        {.of = of, .where = ".log", .code = EIO, .after = after});
      const auto done = log_->harden(3);
      ASSERT_FALSE(done) << after;
      EXPECT_EQ(done.error().code, ec::io_error);
    }
  faulty_disk::disarm();
  EXPECT_TRUE(log_->harden(3));
}

TEST_F(LogFaultsTest, HardeningLeavesSegmentsAloneThatAreNotNeeded) {
  begin();
  append_some(40);
  reopen();
  const auto all = files();
  ASSERT_GT(all.size(), 3U);
  const auto first_of = [&](std::size_t which) {
    return log::read_header(read(all[which]))->first;
  };
  const auto written = [&](std::size_t which) {
    return faulty_disk::written(all[which].string());
  };
  const auto before = std::vector{written(0), written(1), written(2)};
  // The newest group that the third segment does not have.
  ASSERT_TRUE(log_->harden(first_of(2)));
  EXPECT_EQ(written(0), before[0]);
  EXPECT_EQ(written(1), before[1]);
  EXPECT_GT(written(2), before[2]);
  ASSERT_TRUE(log_->harden(first_of(1) - 1));
  EXPECT_GT(written(0), before[0]);
  EXPECT_GT(written(1), before[1]);
  EXPECT_EQ(groups(), written_) << "what is there has not changed";
}

} // namespace

} // namespace fanfare::test
