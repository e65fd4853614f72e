// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What a check finds in a data directory: bits that have changed, and records
/// that do not agree.

#include "storage/lmdb/codec/codec.hpp"
#include "storage/lmdb/file/page_file.hpp"
#include "storage/lmdb/tables/keys.hpp"
#include "tests/storage/lmdb/backup_test.hpp"

#include <lmdb.h>

#include <random>

namespace fanfare::test {

namespace {

class CheckTest : public backup_test {
protected:
  void SetUp() override {
    fill();
    store_.reset();
    const auto report = check(data());
    ASSERT_TRUE(report.faults.empty()) << text_of(report);
    ASSERT_GT(report.groups, 0U);
  }

  [[nodiscard]] fs::path tables() const {
    return data() / "fanfare.mdb";
  }

  /// Changes one table behind the store's back.
  void change(const char* name,
              const std::function<void(MDB_txn*, MDB_dbi)>& by) {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    ASSERT_EQ(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 4);
    mdb_env_set_mapsize(env, std::size_t{64} << 20);
    ASSERT_EQ(mdb_env_open(env, tables().c_str(), MDB_NOSUBDIR, 0600), 0);
    ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, name, 0, &dbi), 0);
    by(txn, dbi);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
  }

  /// Takes the first record out of the table.
  void drop_first(const char* name) {
    change(name, [](MDB_txn* txn, MDB_dbi dbi) {
      MDB_cursor* at = nullptr;
      MDB_val k{};
      MDB_val v{};
      ASSERT_EQ(mdb_cursor_open(txn, dbi, &at), 0);
      ASSERT_EQ(mdb_cursor_get(at, &k, &v, MDB_FIRST), 0);
      ASSERT_EQ(mdb_cursor_del(at, 0), 0);
      mdb_cursor_close(at);
    });
  }

  /// Exactly the faults of those places.
  void expect_fault(const std::string& place, const std::string& what) {
    const auto report = check(data());
    ASSERT_FALSE(report.faults.empty());
    EXPECT_EQ(report.faults.front().place, place) << text_of(report);
    EXPECT_NE(report.faults.front().what.find(what), std::string::npos)
      << text_of(report);
    EXPECT_FALSE(report.faults.front().remedy.empty());
  }

  static void flip(const fs::path& file, std::size_t at, unsigned bit) {
    std::fstream out{file, std::ios::binary | std::ios::in | std::ios::out};
    out.seekg(static_cast<std::streamoff>(at));
    const auto was = static_cast<char>(out.get());
    out.seekp(static_cast<std::streamoff>(at));
    out.put(
      static_cast<char>(static_cast<unsigned char>(was) ^ (1U << bit % 8)));
  }
};

TEST_F(CheckTest, FindsAnIndexThatLacksSomething) {
  drop_first("journal_index");
  expect_fault("journal", "the index does not have it");
}

TEST_F(CheckTest, FindsAnIndexThatHasTooMuch) {
  drop_first("journal");
  expect_fault("journal_index", "is not what the index says");
}

TEST_F(CheckTest, FindsANameThatLeadsNowhere) {
  drop_first("organizers");
  const auto report = check(data());
  EXPECT_NE(text_of(report).find("organizer_slugs acme: the name"),
            std::string::npos)
    << text_of(report);
}

TEST_F(CheckTest, FindsAWebhookThatItsOrganizersListLacks) {
  drop_first("organizer_webhooks");
  expect_fault("webhooks", "list does not have it");
}

TEST_F(CheckTest, FindsStatisticsThatCannotBeRead) {
  change("statistics", [](MDB_txn* txn, MDB_dbi dbi) {
    MDB_cursor* at = nullptr;
    MDB_val k{};
    MDB_val v{};
    ASSERT_EQ(mdb_cursor_open(txn, dbi, &at), 0);
    ASSERT_EQ(mdb_cursor_get(at, &k, &v, MDB_FIRST), 0);
    std::string key{static_cast<const char*>(k.mv_data), k.mv_size};
    std::string cut{static_cast<const char*>(v.mv_data), v.mv_size - 1};
    mdb_cursor_close(at);
    MDB_val same{key.size(), key.data()};
    MDB_val less{cut.size(), cut.data()};
    ASSERT_EQ(mdb_put(txn, dbi, &same, &less, 0), 0);
  });
  expect_fault("statistics", "cannot be read");
}

TEST_F(CheckTest, FindsStatisticsThatAreAheadOfTheLog) {
  change("meta", [](MDB_txn* txn, MDB_dbi dbi) {
    std::string key = "counted";
    std::string ahead;
    lmdb::encode(ahead, lmdb::counted_upto{.last_call = 1'000'000});
    MDB_val k{key.size(), key.data()};
    MDB_val v{ahead.size(), ahead.data()};
    ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
  });
  expect_fault("meta", "ahead of the log of calls");
}

TEST_F(CheckTest, FindsABrokenChainOfCalls) {
  change("calls", [](MDB_txn* txn, MDB_dbi dbi) {
    call_id hundred = 100;
    MDB_val k{sizeof hundred, &hundred};
    ASSERT_EQ(mdb_del(txn, dbi, &k, nullptr), 0);
  });
  expect_fault("calls",
               "the chain of the webhook's calls is broken at call 100");
}

TEST_F(CheckTest, FindsAnAnswerThatWouldStayForEver) {
  drop_first("idempotency_times");
  expect_fault("idempotency", "never expire");
}

TEST_F(CheckTest, FindsARecordThatCannotBeRead) {
  change("webhooks", [](MDB_txn* txn, MDB_dbi dbi) {
    webhook_id first = 1;
    std::string damaged = "\x7f not a webhook";
    MDB_val k{sizeof first, &first};
    MDB_val v{damaged.size(), damaged.data()};
    ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
  });
  expect_fault("webhooks", "cannot be read");
}

TEST_F(CheckTest, LooksAtEarlierFormats) {
  change("meta", [](MDB_txn* txn, MDB_dbi dbi) {
    const std::uint32_t first_version = 1;
    std::string name = "format";
    std::string stamp = "fanfare:" + std::string{lmdb::as_key(first_version)};
    MDB_val k{name.size(), name.data()};
    MDB_val v{stamp.size(), stamp.data()};
    ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
    name = "log";
    k = {name.size(), name.data()};
    ASSERT_EQ(mdb_del(txn, dbi, &k, nullptr), 0);
    for (const auto* gone : {"replays", "idempotency", "idempotency_times",
                             "statistics", "older_statistics"}) {
      MDB_dbi other = 0;
      ASSERT_EQ(mdb_dbi_open(txn, gone, 0, &other), 0);
      ASSERT_EQ(mdb_drop(txn, other, 1), 0);
    }
  });
  fs::remove_all(data() / "log");
  const auto report = check(data());
  EXPECT_TRUE(report.faults.empty()) << text_of(report);
  EXPECT_EQ(report.found.format, 1U);
  const auto made = back_up_embedded(data(), backup(), {}, no_secret_is_sealed);
  ASSERT_TRUE(made) << made.error().detail;
  const auto restored = restore_embedded(backup(), dir_ / "restored", {},
                                         no_secret_is_sealed);
  ASSERT_TRUE(restored) << restored.error().detail;
  auto opened = lmdb::embedded_store::open(dir_ / "restored", {});
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ((*opened)->call_log().newest(hook_, 0, 1'000)->size(), 201U);
}

// LMDB would end the process at some of these.
TEST_F(CheckTest, SurvivesAnyChangedBit) {
  const auto good = bytes_of(tables());
  std::mt19937 random{20};
  std::size_t found = 0;
  constexpr std::size_t rounds = 400;
  for (std::size_t i = 0; i < rounds; ++i) {
    // Every other time where a page says what is in it.
    constexpr std::size_t page = 4096;
    const auto anywhere = random() % good.size();
    const auto at = i % 2 == 0 ? anywhere
                               : anywhere / page * page + random() % 48;
    const auto bit = static_cast<unsigned>(random());
    flip(tables(), at, bit);
    const auto report = check_embedded(data(), no_secret_is_sealed);
    found += !report || !report->faults.empty() ? 1 : 0;
    flip(tables(), at, bit);
  }
  EXPECT_GT(found, rounds / 20);
  EXPECT_EQ(bytes_of(tables()), good);
}

TEST_F(CheckTest, FindsEveryChangedHeadOfAPage) {
  const auto good = bytes_of(tables());
  const auto commit = lmdb::find_last_commit(lmdb::page_file{tables()});
  ASSERT_TRUE(commit);
  std::size_t pages = 0;
  std::size_t seen_pages = 0;
  for (std::size_t page = 2; page < commit->pages; ++page) {
    const auto start = page * commit->page_size;
    const auto kind = good[start + lmdb::page_layout::flags_at];
    if (lmdb::number_at<std::uint64_t>(good, start) != page || (kind & 7) == 0)
      continue; // was never used, or is a part of a large value
    ++pages;
    flip(tables(), start, 3); // the page's number
    const auto report = check(data());
    // Free pages are not looked at: nothing reads them.
    const bool seen = !report.faults.empty();
    seen_pages += seen ? 1 : 0;
    flip(tables(), start, 3);
    flip(tables(), start + lmdb::page_layout::flags_at, 5);
    EXPECT_EQ(!check(data()).faults.empty(), seen) << "page " << page;
    flip(tables(), start + lmdb::page_layout::flags_at, 5);
  }
  EXPECT_GT(pages, 10U);
  EXPECT_GT(seen_pages, pages / 2);
}

TEST_F(CheckTest, FindsAChangedByteOfTheLog) {
  const auto file = data() / "log/00000000000000000001.log";
  const auto good = bytes_of(file);
  // Its head, and a record that a later one says was on disk.
  for (const std::size_t at : {std::size_t{9}, std::size_t{4096 + 60}}) {
    flip(file, at, 2);
    const auto report = check(data());
    ASSERT_FALSE(report.faults.empty()) << at;
    EXPECT_EQ(report.faults.front().place, "log");
    flip(file, at, 2);
  }
  EXPECT_TRUE(check(data()).faults.empty());
  fs::remove_all(data() / "log");
  const auto report = check(data());
  ASSERT_FALSE(report.faults.empty());
  EXPECT_EQ(report.faults.front().place, "log");
}

TEST_F(CheckTest, SaysWhereThereIsNoStore) {
  EXPECT_EQ(code_of(check_embedded(dir_ / "nowhere", no_secret_is_sealed)),
            ec::not_found);
  fs::create_directory(dir_ / "empty");
  EXPECT_EQ(code_of(check_embedded(dir_ / "empty", no_secret_is_sealed)),
            ec::not_found);
  std::ofstream{dir_ / "text"} << "not a backup";
  EXPECT_EQ(code_of(check_embedded(dir_ / "text", no_secret_is_sealed)),
            ec::store_foreign);
  std::ofstream{data() / "fanfare.mdb", std::ios::binary}
    << std::string(8192, 'z');
  expect_fault("fanfare.mdb", "beginning is damaged");
}

} // namespace

} // namespace fanfare::test
