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

} // namespace

} // namespace fanfare::test
