// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Backups of an open store and of a directory, and what is made of them.

#include "tests/storage/lmdb/backup_test.hpp"

#include "storage/backup_seal.hpp"

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace fanfare::test {

namespace {

class BackupTest : public backup_test {
protected:
  /// Of the open store.
  result<void> back_up(backup_options options = {}) {
    kept_backup to;
    auto made = store_->back_up(to, options);
    if (made) {
      EXPECT_EQ(to.announced, to.bytes.size());
      to.save(backup());
    }
    return made;
  }

  result<data_summary> restore(const fs::path& to,
                               const restore_options& options = {}) {
    return restore_embedded(backup(), to, options, no_secret_is_sealed);
  }

  /// Opens another directory in place of the store.
  void open_restored(const fs::path& directory) {
    store_.reset();
    auto opened = lmdb::embedded_store::open(directory, {});
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }

  [[nodiscard]] result<data_summary> back_up_closed() {
    return back_up_embedded(data(), backup(), {}, no_secret_is_sealed);
  }
};

TEST_F(BackupTest, OfAnOpenStoreHasAllThatWasAnswered) {
  fill();
  ASSERT_TRUE(back_up());
  publish(draft_of(1, organizer_, "later"));
  const auto report = check(backup());
  EXPECT_TRUE(report.faults.empty()) << text_of(report);
  EXPECT_EQ(report.found.notifications, 302U);
  EXPECT_EQ(report.found.calls, 201U);
  EXPECT_GT(report.records, 800U);
  const auto restored = restore(dir_ / "restored");
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(restored->organizers, 1U);
  EXPECT_EQ(restored->webhooks, 1U);
  EXPECT_EQ(restored->last_notification, 302U);
  open_restored(dir_ / "restored");
  EXPECT_EQ(subjects_of(store_->deliveries().retries(hook_).value()),
            std::vector<position>{201});
  EXPECT_EQ(store_->call_log().newest(hook_, 0, 1'000)->size(), 201U);
  EXPECT_EQ(backlog_of(hook_, 201).size(), 101U);
  EXPECT_TRUE(store_->find_answer(key_of('k'), at_ms(1'000)).value());
  store_.reset();
  const auto after = check(dir_ / "restored");
  EXPECT_TRUE(after.faults.empty()) << text_of(after);
}

TEST_F(BackupTest, IdsThatWereGivenOutSinceAreNotGivenOutAgain) {
  fill();
  ASSERT_TRUE(back_up());
  const auto later = publish(draft_of(1, organizer_, "later"))->id;
  ASSERT_TRUE(restore(dir_ / "restored", {.skipped_ids = 100}));
  open_restored(dir_ / "restored");
  const auto next = publish(draft_of(1, organizer_, "after"))->id;
  EXPECT_EQ(next, later + 100);
  // Across the gap nothing is lost.
  EXPECT_EQ(backlog_of(hook_, 299),
            (std::vector<position>{300, 301, 302, next}));
}

TEST_F(BackupTest, TwoStoresOfOneBackupHaveLogsOfTheirOwn) {
  fill();
  ASSERT_TRUE(back_up());
  ASSERT_TRUE(restore(dir_ / "one"));
  ASSERT_TRUE(restore(dir_ / "two"));
  open_restored(dir_ / "one");
  publish(draft_of(1, organizer_));
  open_restored(dir_ / "two");
  publish(draft_of(1, organizer_));
  store_.reset();
  fs::remove_all(dir_ / "two/log");
  fs::copy(dir_ / "one/log", dir_ / "two/log", fs::copy_options::recursive);
  EXPECT_EQ(code_of(lmdb::embedded_store::open(dir_ / "two", {})),
            ec::store_damaged);
}

TEST_F(BackupTest, OfADirectoryHasWhatOnlyTheLogHas) {
  fill();
  store_->settle();
  const auto before = publish(draft_of(1, organizer_, "only in the log"))->id;
  store_->abandon();
  store_.reset();
  const auto log = bytes_of(data() / "log/00000000000000000001.log");
  const auto tables = bytes_of(data() / "fanfare.mdb");
  EXPECT_GT(check(data()).groups_ahead, 0U);
  const auto made = back_up_closed();
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->last_notification, before);
  // Nothing was changed by that.
  EXPECT_EQ(bytes_of(data() / "log/00000000000000000001.log"), log);
  EXPECT_EQ(bytes_of(data() / "fanfare.mdb"), tables);
  const auto report = check(backup());
  EXPECT_TRUE(report.faults.empty()) << text_of(report);
  EXPECT_EQ(report.found.last_notification, before);
  ASSERT_TRUE(restore(dir_ / "restored"));
  open_restored(dir_ / "restored");
  EXPECT_TRUE(store_->journal().find(before));
}

TEST_F(BackupTest, OfADirectoryInUseIsRefused) {
  fill();
  EXPECT_EQ(code_of(back_up_closed()), ec::store_locked);
  EXPECT_EQ(code_of(check_embedded(data(), no_secret_is_sealed)),
            ec::store_locked);
  EXPECT_FALSE(fs::exists(backup()));
}

TEST_F(BackupTest, NothingIsReplaced) {
  fill();
  ASSERT_TRUE(back_up());
  store_.reset();
  EXPECT_EQ(code_of(back_up_closed()), ec::already_exists);
  EXPECT_EQ(code_of(restore(data())), ec::already_exists);
  fs::create_directory(dir_ / "full");
  std::ofstream{dir_ / "full/file"} << "x";
  EXPECT_EQ(code_of(restore(dir_ / "full")), ec::already_exists);
  EXPECT_EQ(bytes_of(dir_ / "full/file"), "x");
  fs::create_directory(dir_ / "empty");
  EXPECT_TRUE(restore(dir_ / "empty"));
}

TEST_F(BackupTest, OnlyItsOwnerMayReadIt) {
  fill();
  store_.reset();
  ASSERT_TRUE(back_up_closed());
  ASSERT_TRUE(restore(dir_ / "restored"));
  const auto mode = [](const fs::path& of) {
    struct stat found {};
    EXPECT_EQ(::stat(of.c_str(), &found), 0);
    return found.st_mode & 0777U;
  };
  EXPECT_EQ(mode(backup()), 0600U);
  EXPECT_EQ(mode(dir_ / "restored"), 0700U);
  EXPECT_EQ(mode(dir_ / "restored/fanfare.mdb"), 0600U);
}

TEST_F(BackupTest, EveryBitOfItIsCovered) {
  fill();
  ASSERT_TRUE(back_up());
  const auto good = bytes_of(backup());
  for (std::size_t at = 0; at < good.size();
       at += at + 200 < good.size() ? good.size() / 97 : 1) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    std::ofstream{backup(), std::ios::binary} << bad;
    const auto report = check_embedded(backup(), no_secret_is_sealed);
    EXPECT_TRUE(!report || !report->faults.empty()) << "byte " << at;
    const auto restored = restore(dir_ / "restored");
    EXPECT_FALSE(restored) << "byte " << at;
    EXPECT_FALSE(fs::exists(dir_ / "restored")) << "byte " << at;
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, good.size() / 2, good.size() - 1}) {
    std::ofstream{backup(), std::ios::binary} << good.substr(0, size);
    EXPECT_EQ(code_of(restore(dir_ / "restored")), ec::store_foreign);
  }
}

TEST_F(BackupTest, KeepsItsPace) {
  fill();
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(back_up({.bytes_per_second = std::size_t{512} << 10}));
  const auto took = std::chrono::steady_clock::now() - begun;
  const std::chrono::duration<double> least{
    static_cast<double>(fs::file_size(backup()) - 64) / (512 << 10)};
  EXPECT_GE(took, least);
}

TEST_F(BackupTest, EndsWhenItIsGivenUp) {
  fill();
  EXPECT_EQ(code_of(back_up({.bytes_per_second = 1,
                             .longest = std::chrono::milliseconds{20}})),
            ec::io_error);
  EXPECT_EQ(code_of(back_up({.progress = [](auto, auto) { return false; }})),
            ec::stopping);
  struct refusing : backup_sink {
    result<void> begin(std::uint64_t) override {
      return {};
    }
    result<void> write(std::string_view) override {
      return error{ec::io_error, "no room"};
    }
  } refusing_one;
  EXPECT_EQ(store_->back_up(refusing_one, {}).error().detail, "no room");
  // No reader is left: the pages of the past are used again.
  EXPECT_TRUE(back_up());
}

TEST_F(BackupTest, BoundsByHowMuchTheStoreGrowsMeanwhile) {
  fill();
  store_.reset();
  // It may grow by half of what is left.
  open({.max_size = std::size_t{40} << 20});
  const auto begun_at = fs::file_size(data() / "fanfare.mdb");
  bool has_grown = false;
  const auto slow = [&](std::uint64_t done, std::uint64_t /*total*/) {
    // The first bytes are out: the state is the one of before.
    for (char c = 'a'; done != 0 && !has_grown;
         c = static_cast<char>('a' + (c - 'a' + 1) % 26)) {
      change(hook_, [&](webhook_record& hook) {
        hook.comment = std::string(100'000, c);
      });
      store_->settle();
      has_grown = fs::file_size(data() / "fanfare.mdb")
                > begun_at + (std::size_t{21} << 20);
    }
    return true;
  };
  const auto made = back_up({.progress = slow});
  EXPECT_EQ(code_of(made), ec::store_full);
  // And the store goes on.
  EXPECT_TRUE(publish(draft_of(1, organizer_)));
  EXPECT_TRUE(back_up());
}

TEST_F(BackupTest, OfAStoreThatIsWrittenHasWhatWasAnsweredBefore) {
  fill();
  std::atomic<bool> done{false};
  std::atomic<position> answered{0};
  std::thread publisher{[&] {
    while (!done) {
      std::vector<operation> batch;
      batch.emplace_back(publish_of({draft_of(1, organizer_)}));
      if (!store_->commit(batch))
        return;
      answered = std::get<append_notifications>(batch[0]).done->front()->id;
    }
  }};
  for (int i = 0; i < 10; ++i) {
    const auto before = answered.load();
    EXPECT_TRUE(back_up());
    const auto report = check(backup());
    EXPECT_TRUE(report.faults.empty()) << text_of(report);
    EXPECT_GE(report.found.last_notification, before);
    fs::remove(backup());
  }
  done = true;
  publisher.join();
  EXPECT_GT(answered.load(), 0U) << "nobody has published";
}

} // namespace

} // namespace fanfare::test
