// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The store on a disk that refuses: what it answers, what it still shows, and
/// that a restart has at least what was answered.

#include "tests/storage/faults/disk.hpp"
#include "tests/storage/lmdb/store_test.hpp"

#include <gmock/gmock.h>

#include <cerrno>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
using call = faulty_disk::call;

/// Not the next one, which is made meanwhile.
constexpr auto log_segment = "01.log";

class StoreFaultsTest : public store_test {
protected:
  StoreFaultsTest() {
    faulty_disk::watch(dir_ / "data");
  }

  /// The code of a publish, as the store's answer or as that of the operation.
  ec publish_code(std::size_t size = 10) {
    std::vector<operation> batch;
    batch.emplace_back(publish_of({draft_of(1, 1, std::string(size, 'x'))}));
    const auto done = store_->commit(batch);
    if (!done) {
      why_ = done.error().detail;
      return done.error().code;
    }
    const auto& op = std::get<append_notifications>(batch.front());
    if (!op.done)
      why_ = op.done.error().detail;
    return code_of(op.done);
  }

  /// Whether all up to there can be read, and nothing else is known.
  static void expect_exactly(const store& in, position tail) {
    EXPECT_EQ(in.journal().tail(), tail);
    const auto all = in.journal().read(0, tail + 10, 1'000'000);
    ASSERT_TRUE(all) << all.error().detail;
    EXPECT_EQ(all->size(), tail);
  }

  /// What was answered is there after a restart, and after a loss of power; of
  /// what was refused at most one commit.
  void expect_kept(position answered) {
    faulty_disk::disarm();
    fs::remove_all(dir_ / "image");
    faulty_disk::lose_power(dir_ / "image");
    const auto image = open_embedded(dir_ / "image");
    ASSERT_TRUE(image) << image.error().detail;
    const auto there = (*image)->journal().tail();
    EXPECT_GE(there, answered);
    EXPECT_LE(there, answered + 1);
    expect_exactly(**image, there);
    reopen();
    const auto tail = store_->journal().tail();
    EXPECT_GE(tail, answered);
    EXPECT_LE(tail, answered + 1);
    expect_exactly(*store_, tail);
    EXPECT_EQ(publish(draft_of(1))->id, tail + 1);
  }

  std::string why_;
  disk_in_order disk_;
};

// -- the log ------------------------------------------------------------------

TEST_F(StoreFaultsTest, AFlushOfTheLogThatFailsEndsPublishingUntilARestart) {
  for (int i = 0; i < 5; ++i)
    publish(draft_of(1));
  faulty_disk::arm({.of = call::flush, .where = log_segment, .code = EIO});
  EXPECT_EQ(publish_code(), ec::io_error);
  EXPECT_THAT(why_, testing::HasSubstr("restart Fanfare"));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(publish_code(), ec::io_error) << "though the disk would take it";
  EXPECT_EQ(faulty_disk::failed(), 1U);
  expect_exactly(*store_, 5);
  expect_kept(5);
}

// What the refused commit has left in the system's memory comes back when the
// store is opened: from then on it must not go away again.
TEST_F(StoreFaultsTest, WhatARestartShowsIsOnDisk) {
  for (int i = 0; i < 5; ++i)
    publish(draft_of(1));
  faulty_disk::arm({.of = call::flush, .where = log_segment, .code = EIO});
  EXPECT_EQ(publish_code(), ec::io_error);
  faulty_disk::disarm();
  reopen();
  ASSERT_EQ(store_->journal().tail(), 6U);
  faulty_disk::lose_power(dir_ / "image");
  const auto image = open_embedded(dir_ / "image");
  ASSERT_TRUE(image) << image.error().detail;
  expect_exactly(**image, 6);
}

TEST_F(StoreFaultsTest, ARestartThatCannotFlushTheLogIsRefused) {
  publish(draft_of(1));
  faulty_disk::arm({.of = call::flush,
                    .where = ".log",
                    .code = EIO,
                    .count = faulty_disk::for_good});
  EXPECT_EQ(publish_code(), ec::io_error);
  store_->abandon();
  store_.reset();
  EXPECT_EQ(code_of(open_embedded(dir_ / "data")), ec::io_error);
  faulty_disk::disarm();
  open();
  EXPECT_GE(store_->journal().tail(), 1U);
  expect_kept(store_->journal().tail());
}

TEST_F(StoreFaultsTest, ALogWithoutRoomRefusesAndGoesOnOnceThereIsRoom) {
  for (int i = 0; i < 3; ++i)
    publish(draft_of(1));
  for (int round = 0; round < 3; ++round) {
    faulty_disk::arm({.of = call::write,
                      .where = ".log",
                      .code = ENOSPC,
                      .count = faulty_disk::for_good});
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(publish_code(), ec::store_full);
    expect_exactly(*store_, static_cast<position>(3 + round));
    faulty_disk::disarm();
    EXPECT_EQ(publish(draft_of(1))->id, static_cast<position>(4 + round));
  }
  expect_kept(6);
}

TEST_F(StoreFaultsTest, AWriteOfTheLogThatFailsEndsPublishingUntilARestart) {
  publish(draft_of(1));
  faulty_disk::arm(
    {.of = call::write, .where = log_segment, .code = EIO, .count = 2});
  EXPECT_EQ(publish_code(), ec::io_error);
  faulty_disk::disarm();
  EXPECT_EQ(publish_code(), ec::io_error);
  expect_exactly(*store_, 1);
  expect_kept(1);
}

// -- the tables ---------------------------------------------------------------

TEST_F(StoreFaultsTest, AFlushOfTheTablesThatFailsEndsAllUntilARestart) {
  for (int i = 0; i < 5; ++i)
    publish(draft_of(1));
  store_->settle();
  // Once: what the system has dropped it does not say again.
  faulty_disk::arm({.of = call::flush, .where = ".mdb", .code = EIO});
  EXPECT_EQ(publish_code(), ec::ok) << "the log has it";
  const auto read = store_->journal().read(0, 10, 10);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ec::io_error);
  EXPECT_THAT(read.error().detail, testing::HasSubstr("restart Fanfare"));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(publish_code(), ec::io_error);
  EXPECT_EQ(faulty_disk::failed(), 1U);
  expect_kept(6);
}

TEST_F(StoreFaultsTest, TablesWithoutRoomKeepWhatWasAnsweredAndGoOnWithRoom) {
  for (int i = 0; i < 5; ++i)
    publish(draft_of(1));
  store_->settle();
  faulty_disk::arm({.of = call::write,
                    .where = ".mdb",
                    .code = ENOSPC,
                    .count = faulty_disk::for_good});
  EXPECT_EQ(publish_code(), ec::ok) << "the log has it";
  EXPECT_EQ(code_of(store_->journal().read(0, 10, 10)), ec::store_full);
  EXPECT_EQ(publish_code(), ec::store_full);
  EXPECT_EQ(store_->journal().tail(), 6U);
  faulty_disk::disarm();
  EXPECT_EQ(publish_code(), ec::ok);
  expect_exactly(*store_, 7);
  expect_kept(7);
}

TEST_F(StoreFaultsTest, TablesThatCannotBeWrittenEndAllUntilARestart) {
  publish(draft_of(1));
  store_->settle();
  faulty_disk::arm({.of = call::write,
                    .where = ".mdb",
                    .code = EIO,
                    .count = faulty_disk::for_good});
  EXPECT_EQ(publish_code(), ec::ok) << "the log has it";
  EXPECT_EQ(code_of(store_->journal().read(0, 10, 10)), ec::io_error);
  faulty_disk::disarm();
  EXPECT_EQ(publish_code(), ec::io_error);
  expect_kept(2);
}

// What the tables have for good the log gives back: not after a flush failed.
// Before that they are flushed once more; it is one of these that fails.
TEST_F(StoreFaultsTest, SegmentsAreNotUsedAgainAfterAFlushThatFailed) {
  const store_options small{.max_size = std::size_t{12} << 20};
  for (std::size_t after = 9; after < 18; ++after) {
    SCOPED_TRACE(after);
    store_.reset();
    fs::remove_all(dir_ / "data");
    faulty_disk::watch(dir_ / "data");
    open(small);
    faulty_disk::arm(
      {.of = call::flush, .where = ".mdb", .code = EIO, .after = after});
    for (int i = 0; i < 30 && faulty_disk::failed() == 0; ++i) {
      const auto code = publish_code(60'000);
      EXPECT_TRUE(code == ec::ok || code == ec::io_error) << why_;
      store_->settle();
    }
    ASSERT_EQ(faulty_disk::failed(), 1U) << why_;
    EXPECT_EQ(publish_code(), ec::io_error);
    faulty_disk::disarm();
    const auto answered = store_->journal().tail();
    fs::remove_all(dir_ / "image");
    faulty_disk::lose_power(dir_ / "image");
    const auto image = open_embedded(dir_ / "image", small);
    ASSERT_TRUE(image) << image.error().detail;
    expect_exactly(**image, answered);
    reopen(small);
    expect_exactly(*store_, answered);
  }
}

} // namespace

} // namespace fanfare::test
