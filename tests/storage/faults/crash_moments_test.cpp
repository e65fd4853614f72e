// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The end of the process, and a loss of power, at each call that writes: while
/// an older data directory is upgraded, while a start takes over what the log
/// has, and while the store works.

#include "storage/lmdb/store.hpp"
#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/tables/keys.hpp"
#include "tests/storage/faults/disk.hpp"
#include "tests/storage/faults/log_prefixes.hpp"
#include "tests/storage/faults/sample_history.hpp"
#include "tests/support/temp_dir.hpp"

#include <lmdb.h>

#include <atomic>
#include <optional>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;

/// Of segments that are a sixteenth of it.
constexpr store_options options{.max_size = std::size_t{2} << 20};

class CrashMomentsTest : public ::testing::Test {
protected:
  CrashMomentsTest() {
    faulty_disk::hurry(true);
  }

  /// A data directory with so many commits of the history.
  void make(const fs::path& data, const sample_history& history) {
    auto opened = open_embedded(data, options);
    ASSERT_TRUE(opened) << opened.error().detail;
    for (std::size_t i = 0; i < history.size(); ++i)
      commit(**opened, history, i);
  }

  static void commit(store& to, const sample_history& history, std::size_t i) {
    auto batch = history.commit(i);
    const auto done = to.commit(batch);
    ASSERT_TRUE(done) << done.error().detail;
    // A full store refuses publishes and does the rest.
    EXPECT_EQ(to.journal().tail(), history.state(i + 1).tail());
  }

  /// What there is to find at the moment of a call.
  void take_images() {
    const auto name = std::to_string(images_.size());
    faulty_disk::kill_process(dir_ / ("killed" + name));
    faulty_disk::lose_power(dir_ / ("lost" + name));
    faulty_disk::lose_power(dir_ / ("torn" + name), &random_);
    for (const auto* kind : {"killed", "lost", "torn"})
      images_.push_back(dir_ / (kind + name));
  }

  temp_dir dir_;
  std::mt19937_64 random_{5};
  std::vector<fs::path> images_;
  disk_in_order disk_;
};

// -- upgrades -----------------------------------------------------------------

/// As a Fanfare has left it that knew nothing of the log.
void make_older(const fs::path& data, std::uint32_t version) {
  fs::remove_all(data / "log");
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi meta = 0;
  ASSERT_EQ(mdb_env_create(&env), 0);
  mdb_env_set_maxdbs(env, 4);
  ASSERT_EQ(
    mdb_env_open(env, (data / "fanfare.mdb").c_str(), MDB_NOSUBDIR, 0600), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, "meta", 0, &meta), 0);
  std::string mark{lmdb::meta_key::log};
  MDB_val k{mark.size(), mark.data()};
  ASSERT_EQ(mdb_del(txn, meta, &k, nullptr), 0);
  std::string name = "format";
  std::string stamp = "fanfare:" + std::string{lmdb::as_key(version)};
  k = {name.size(), name.data()};
  MDB_val v{stamp.size(), stamp.data()};
  ASSERT_EQ(mdb_put(txn, meta, &k, &v, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
}

class UpgradeMomentsTest : public CrashMomentsTest,
                           public ::testing::WithParamInterface<std::uint32_t> {
};

TEST_P(UpgradeMomentsTest, WhereverAnUpgradeEndsTheNextOneHasEverything) {
  const sample_history history{GetParam(), 30, 50};
  make(dir_ / "data", history);
  make_older(dir_ / "data", GetParam());
  fs::copy(dir_ / "data", dir_ / "old", fs::copy_options::recursive);
  faulty_disk::watch(dir_ / "data", [this] { take_images(); });
  history.expect_state_in(dir_ / "data", history.size(), options);
  faulty_disk::watch_nothing();
  EXPECT_GT(images_.size(), 30U);
  for (const auto& image : images_) {
    SCOPED_TRACE(image);
    history.expect_state_in(image, history.size(), options);
    if (HasFailure())
      break;
    // And the one after that goes on.
    auto opened = open_embedded(image, options);
    ASSERT_TRUE(opened) << opened.error().detail;
    std::vector<operation> batch;
    batch.emplace_back(publish_of({draft_of(1)}));
    ASSERT_TRUE((*opened)->commit(batch));
    const auto tail = (*opened)->journal().tail();
    EXPECT_EQ(tail, history.state(history.size()).tail() + 1);
    dynamic_cast<lmdb::embedded_store&>(**opened).abandon();
    opened = error{};
    opened = open_embedded(image, options);
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ((*opened)->journal().tail(), tail);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, UpgradeMomentsTest,
                         ::testing::Values(3U, 4U));

// -- starts -------------------------------------------------------------------

TEST_F(CrashMomentsTest, WhereverAStartEndsTheNextOneHasWhatTheLogHas) {
  const log_prefixes log{11, 36, 5'000};
  ASSERT_GT(log.segments(), 2U);
  log.make(dir_ / "data");
  faulty_disk::watch(dir_ / "data", [this] { take_images(); });
  const auto& history = log.history();
  history.expect_state_in(dir_ / "data", history.size(), log_prefixes::options);
  faulty_disk::watch_nothing();
  EXPECT_GT(images_.size(), 30U);
  for (const auto& image : images_) {
    SCOPED_TRACE(image);
    history.expect_state_in(image, history.size(), log_prefixes::options);
    if (HasFailure())
      break;
  }
}

// -- work ---------------------------------------------------------------------

TEST_F(CrashMomentsTest, ALossOfPowerAtAnyMomentLosesNothingThatWasAnswered) {
  const sample_history history{12, 120, 2'000};
  std::atomic<std::size_t> answered{0};
  std::vector<std::size_t> at_least;
  auto opened = open_embedded(dir_ / "data", options);
  ASSERT_TRUE(opened) << opened.error().detail;
  faulty_disk::watch(dir_ / "data", [&] {
    if (random_() % 16 != 0)
      return;
    const std::size_t before = answered; // it may be another one in a moment
    take_images();
    at_least.resize(images_.size(), before);
  });
  for (std::size_t i = 0; i < history.size(); ++i) {
    commit(**opened, history, i);
    answered = i + 1;
    if (i % 4 == 0) // so that the tables follow
      (void)(*opened)->journal().read(0, 1, 1);
  }
  opened = error{};
  faulty_disk::watch_nothing();
  EXPECT_GT(images_.size(), 60U);
  for (std::size_t i = 0; i < images_.size() && !HasFailure(); ++i) {
    SCOPED_TRACE(images_[i]);
    const auto found = open_embedded(images_[i], options);
    ASSERT_TRUE(found) << found.error().detail;
    // The one that was not answered yet is there as a whole, or not at all.
    const auto tail = (*found)->journal().tail();
    auto commits = at_least[i];
    if (commits < history.size() && tail == history.state(commits + 1).tail())
      ++commits;
    history.expect_state(**found, commits);
  }
}

} // namespace

} // namespace fanfare::test
