// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The log has what was answered, and the tables follow: for readers, after a
/// group that fails, and after a crash.

#include "tests/storage/lmdb/store_test.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;

class TablesFollowTest : public store_test {
protected:
  [[nodiscard]] std::size_t count() const {
    return store_->journal()
      .read(0, store_->journal().tail(), 1'000'000)
      .value()
      .size();
  }

  /// Fails half-way, after it has changed something.
  void expect_undone(const std::function<result<void>(webhook_record&)>& edit) {
    std::vector<operation> batch;
    batch.emplace_back(publish_of({draft_of(1), draft_of(1)}));
    change_webhook op;
    op.id = hook_;
    op.edit = edit;
    batch.emplace_back(std::move(op));
    EXPECT_THROW((void)store_->commit(batch), std::runtime_error);
  }

  webhook_id hook_ = 0;
};

TEST_F(TablesFollowTest, WhoeverReadsFindsWhatWasAnswered) {
  std::atomic<position> answered{0};
  std::atomic<bool> over{false};
  std::atomic<std::size_t> stale{0};
  std::atomic<std::size_t> looks{0};
  constexpr std::size_t count_of_readers = 3;
  std::vector<std::jthread> readers;
  readers.reserve(count_of_readers);
  for (std::size_t i = 0; i < count_of_readers; ++i)
    readers.emplace_back([&] {
      while (!over) {
        const auto newest = answered.load();
        if (newest == 0)
          continue;
        const auto found = store_->journal().read(newest - 1, newest, 1);
        stale += found && found->size() == 1 ? 0 : 1;
        ++looks;
      }
    });
  for (int i = 0; i < 500 || looks < 300; ++i)
    answered = publish(draft_of(1))->id;
  over = true;
  readers.clear();
  EXPECT_EQ(stale, 0U);
}

TEST_F(TablesFollowTest, AThreadMayCommitOnceAndEnd) {
  for (int i = 0; i < 500; ++i)
    std::jthread{[&] { publish(draft_of(1)); }};
  EXPECT_EQ(count(), 500U);
  reopen();
  EXPECT_EQ(count(), 500U);
}

TEST_F(TablesFollowTest, AGroupThatFailsIsUndoneAloneAndThoseBeforeItStay) {
  hook_ = add_hook(1, {1}).id;
  const auto call = call_of(hook_, 1, outcome::retried, 1);
  for (int round = 0; round < 20; ++round) {
    publish(draft_of(1));
    append(call);
    if (round == 10)
      checkpoint(store_->journal().tail());
    expect_undone([](webhook_record&) -> result<void> {
      throw std::runtime_error{"an edit"};
    });
    publish(draft_of(1));
  }
  const auto check = [&] {
    EXPECT_EQ(store_->journal().tail(), 40U);
    EXPECT_EQ(count(), 40U);
    EXPECT_EQ(store_->call_log().newest(hook_, 0, 100).value().size(), 20U);
    EXPECT_EQ(subjects_of(load(hook_).retries), std::vector<position>{1});
    EXPECT_EQ(load(hook_).upto.failures, 20U);
  };
  check();
  reopen();
  check();
}

TEST_F(TablesFollowTest, ACrashLeavesItToTheLog) {
  hook_ = add_hook(1, {1}).id;
  store_->settle();
  fs::copy_file(dir_ / "data/fanfare.mdb", dir_ / "before.mdb");
  for (int i = 1; i <= 300; ++i) {
    publish(draft_of(1));
    append(call_of(hook_, static_cast<position>(i), outcome::delivered,
                   static_cast<position>(i)));
    if (i % 100 == 0)
      checkpoint(store_->journal().tail());
  }
  const auto upto = load(hook_).upto;
  store_->abandon();
  store_.reset();
  // As if none of it had come to the tables.
  fs::copy_file(dir_ / "before.mdb", dir_ / "data/fanfare.mdb",
                fs::copy_options::overwrite_existing);
  open();
  EXPECT_EQ(count(), 300U);
  EXPECT_EQ(load(hook_).upto, upto);
  EXPECT_EQ(store_->statistics().last_call, 300U);
}

TEST_F(TablesFollowTest, TablesThatAreNewerThanTheirLogAreRefused) {
  publish(draft_of(1));
  store_.reset();
  fs::copy(dir_ / "data/log", dir_ / "log", fs::copy_options::recursive);
  open();
  publish(draft_of(1));
  store_.reset();
  fs::remove_all(dir_ / "data/log");
  fs::copy(dir_ / "log", dir_ / "data/log", fs::copy_options::recursive);
  EXPECT_EQ(code_of(open_embedded(dir_ / "data")), ec::store_damaged);
  fs::remove_all(dir_ / "data/log");
  EXPECT_EQ(code_of(open_embedded(dir_ / "data")), ec::store_damaged);
}

TEST_F(TablesFollowTest, TheLogOfAnotherStoreIsRefused) {
  publish(draft_of(1));
  store_.reset();
  {
    const auto other = open_embedded(dir_ / "other");
    ASSERT_TRUE(other);
  }
  fs::remove_all(dir_ / "data/log");
  fs::copy(dir_ / "other/log", dir_ / "data/log", fs::copy_options::recursive);
  EXPECT_EQ(code_of(open_embedded(dir_ / "data")), ec::store_damaged);
}

} // namespace

} // namespace fanfare::test
