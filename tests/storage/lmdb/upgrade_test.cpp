// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Stores of earlier versions of the format.

#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/tables/keys.hpp"
#include "tests/storage/lmdb/store_test.hpp"

#include <lmdb.h>

namespace fanfare::test {

namespace {

const timestamp start = at_ms(1'700'000'000'000);

class UpgradeTest : public store_test {};

TEST_F(UpgradeTest, GivesTheFirstVersionItsTablesOfAnswers) {
  publish(draft_of(1));
  store_.reset();
  // As the first version left it: other stamp, no such tables.
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  ASSERT_EQ(mdb_env_create(&env), 0);
  mdb_env_set_maxdbs(env, 4);
  const auto file = dir_ / "data/fanfare.mdb";
  ASSERT_EQ(mdb_env_open(env, file.c_str(), MDB_NOSUBDIR, 0600), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  MDB_dbi dbi = 0;
  for (const auto* name : {"idempotency", "idempotency_times"}) {
    ASSERT_EQ(mdb_dbi_open(txn, name, 0, &dbi), 0);
    ASSERT_EQ(mdb_drop(txn, dbi, 1), 0);
  }
  ASSERT_EQ(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
  const std::uint32_t first_version = 1;
  std::string name = "format";
  std::string stamp = "fanfare:" + std::string{lmdb::as_key(first_version)};
  MDB_val k{name.size(), name.data()};
  MDB_val v{stamp.size(), stamp.data()};
  ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);

  open();
  EXPECT_EQ(store_->journal().tail(), 1U);
  run(once('k', start));
  reopen();
  EXPECT_TRUE(store_->find_answer(key_of('k'), start).value());
  store_.reset();

  ASSERT_EQ(mdb_env_create(&env), 0);
  mdb_env_set_maxdbs(env, 4);
  ASSERT_EQ(mdb_env_open(env, file.c_str(), MDB_NOSUBDIR, 0600), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
  ASSERT_EQ(mdb_get(txn, dbi, &k, &v), 0);
  const std::string now{static_cast<const char*>(v.mv_data), v.mv_size};
  EXPECT_EQ(now, "fanfare:" + std::string{lmdb::as_key(lmdb::format_version)});
  mdb_txn_abort(txn);
  mdb_env_close(env);
}

/// Statistics of a store that had none begin with the next call.
TEST_F(UpgradeTest, BeginsToCountWithTheNextCall) {
  using namespace std::chrono_literals;
  run(add_organizer{.slug = "a", .name = "A"});
  add_hook(1, {1});
  const auto made = [](timestamp time) {
    auto c = call_of(1, 1, outcome::delivered, 0);
    c.time = time;
    return c;
  };
  const auto count = [&](webhook_id hook) {
    call_tally sum;
    for (const auto& each : store_->call_log()
                              .count({.owner = 1,
            .hook = hook,
            .since = timestamp{},
            .step = 24h,
            .steps = 30'000})
                              .value())
      sum.add(each);
    return sum.calls();
  };
  append(made(start));
  append(made(start));
  checkpoint(0);
  append(made(start));
  EXPECT_EQ(count(1), 3U);
  store_.reset();
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  ASSERT_EQ(mdb_env_create(&env), 0);
  mdb_env_set_maxdbs(env, 4);
  ASSERT_EQ(
    mdb_env_open(env, (dir_ / "data/fanfare.mdb").c_str(), MDB_NOSUBDIR, 0600),
    0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  for (const auto* name : {"statistics", "older_statistics"}) {
    ASSERT_EQ(mdb_dbi_open(txn, name, 0, &dbi), 0);
    ASSERT_EQ(mdb_drop(txn, dbi, 1), 0);
  }
  ASSERT_EQ(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
  const std::uint32_t before = 5;
  std::string format = "format";
  std::string counted = "counted";
  std::string stamp = "fanfare:" + std::string{lmdb::as_key(before)};
  MDB_val k{format.size(), format.data()};
  MDB_val v{stamp.size(), stamp.data()};
  ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
  k = {counted.size(), counted.data()};
  ASSERT_EQ(mdb_del(txn, dbi, &k, nullptr), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);

  open();
  EXPECT_EQ(count(1), 0U);
  append(made(start));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(count(1), 1U);
    EXPECT_EQ(count(0), 1U);
    checkpoint(0);
    reopen();
  }
  run(expire{.notifications = {}, .calls_upto = 4});
  EXPECT_EQ(count(1), 1U);
}

} // namespace

} // namespace fanfare::test
