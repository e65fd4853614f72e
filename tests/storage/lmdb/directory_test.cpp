// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/file_length.hpp"
#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/tables/keys.hpp"
#include "tests/storage/lmdb/store_test.hpp"

#include <gmock/gmock.h>
#include <lmdb.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fanfare::test {

namespace {

ec open_code(const std::filesystem::path& path) {
  return code_of(open_embedded(path));
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat s {};
  EXPECT_EQ(::stat(path.c_str(), &s), 0);
  return s.st_mode & 0777;
}

/// A database that has one entry in a table.
void make_lmdb(const std::filesystem::path& file, const char* name,
               std::string key, std::string value) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  ASSERT_EQ(mdb_env_create(&env), 0);
  mdb_env_set_maxdbs(env, 4);
  ASSERT_EQ(mdb_env_open(env, file.c_str(), MDB_NOSUBDIR, 0600), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, name, MDB_CREATE, &dbi), 0);
  MDB_val k{key.size(), key.data()};
  MDB_val v{value.size(), value.data()};
  ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
}

} // namespace

TEST(DataDirectory, IsMadeForItsOwnerOnly) {
  temp_dir dir;
  auto path = dir / "a/b/";
  auto opened = open_embedded(path);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(mode_of(dir / "a/b"), 0700U);
  for (const auto& file : std::filesystem::recursive_directory_iterator{path})
    EXPECT_EQ(mode_of(file.path()), file.is_directory() ? 0700U : 0600U)
      << file.path();
}

TEST(DataDirectory, IsUsedByOneProcessOnly) {
  temp_dir dir;
  int opened[2];
  int release[2];
  ASSERT_EQ(::pipe(opened), 0);
  ASSERT_EQ(::pipe(release), 0);
  auto child = ::fork();
  ASSERT_GE(child, 0);
  char byte = 0;
  if (child == 0) {
    ::close(release[1]);
    auto store = open_embedded(dir / "data");
    auto fine = store && ::write(opened[1], "x", 1) == 1;
    [[maybe_unused]] auto end = ::read(release[0], &byte, 1);
    ::_exit(fine ? 0 : 1);
  }
  ::close(opened[1]);
  ASSERT_EQ(::read(opened[0], &byte, 1), 1);
  auto refused = open_embedded(dir / "data");
  ASSERT_EQ(code_of(refused), ec::store_locked);
  EXPECT_NE(refused.error().detail.find(std::to_string(child)),
            std::string::npos)
    << refused.error().detail;
  ::close(release[1]);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(open_code(dir / "data"), ec::ok);
  for (auto fd : {opened[0], release[0]})
    ::close(fd);
}

TEST(DataDirectory, IsNotOpenedTwiceInOneProcess) {
  temp_dir dir;
  auto first = open_embedded(dir / "data");
  ASSERT_TRUE(first);
  const auto refused = open_embedded(dir / "data");
  EXPECT_EQ(code_of(refused), ec::store_locked);
  EXPECT_NE(refused.error().detail.find("another engine of this process"),
            std::string::npos)
    << refused.error().detail;
  first = error{};
  EXPECT_EQ(open_code(dir / "data"), ec::ok);
}

TEST(DataDirectory, BelongsToTheProcessThatOpenedItAndNotToItsChildren) {
  temp_dir dir;
  auto store = open_embedded(dir / "data");
  ASSERT_TRUE(store);
  // One that ends what it has a copy of does not give it away.
  auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    store = error{};
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(open_code(dir / "data"), ec::store_locked);

  // One that lives on does not keep it.
  int release[2];
  ASSERT_EQ(::pipe(release), 0);
  child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(release[1]);
    char byte = 0;
    [[maybe_unused]] auto end = ::read(release[0], &byte, 1);
    ::_exit(0);
  }
  store = error{};
  EXPECT_EQ(open_code(dir / "data"), ec::ok);
  ::close(release[1]);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(release[0]);
}

TEST(DataDirectory, OfSomethingElseIsRefusedAndLeftAsItWas) {
  temp_dir dir;
  std::filesystem::create_directory(dir / "data");
  dir.write("data/thesis.tex", "precious");
  EXPECT_EQ(open_code(dir / "data"), ec::store_foreign);
  EXPECT_EQ(
    std::distance(std::filesystem::directory_iterator{dir / "data"}, {}), 1);
}

TEST(DataDirectory, MayHoldTheAdminTokenBeforeTheStore) {
  temp_dir dir;
  std::filesystem::create_directory(dir / "data");
  dir.write("data/admin.token", "t");
  EXPECT_EQ(open_code(dir / "data"), ec::ok);
}

TEST(DataDirectory, WithAFileThatIsNoDatabaseIsForeign) {
  temp_dir dir;
  std::filesystem::create_directory(dir / "data");
  dir.write("data/fanfare.mdb", std::string(10'000, 'x'));
  EXPECT_EQ(open_code(dir / "data"), ec::store_foreign);
}

TEST(DataDirectory, WithTheDatabaseOfAnotherProgramIsForeign) {
  temp_dir dir;
  std::filesystem::create_directory(dir / "data");
  make_lmdb(dir / "data/fanfare.mdb", "people", "format", "fanfare:");
  EXPECT_EQ(open_code(dir / "data"), ec::store_foreign);
  std::filesystem::remove(dir / "data/fanfare.mdb");
  make_lmdb(dir / "data/fanfare.mdb", "meta", "format", "other");
  EXPECT_EQ(open_code(dir / "data"), ec::store_foreign);
}

TEST(DataDirectory, OfANewerVersionIsRefusedWithBothVersions) {
  temp_dir dir;
  std::filesystem::create_directory(dir / "data");
  std::uint32_t newer = lmdb::format_version + 1;
  make_lmdb(dir / "data/fanfare.mdb", "meta", "format",
            "fanfare:" + std::string{lmdb::as_key(newer)});
  auto refused = open_embedded(dir / "data");
  ASSERT_EQ(code_of(refused), ec::store_newer);
  EXPECT_NE(refused.error().detail.find("format " + std::to_string(newer)),
            std::string::npos);
}

TEST(DataDirectory, ThatIsAFileIsAnError) {
  temp_dir dir;
  dir.write("data", "");
  EXPECT_EQ(open_code(dir / "data"), ec::io_error);
  EXPECT_EQ(open_code(dir / "data/below"), ec::io_error);
}

TEST(DataDirectory, WithADamagedRecordSaysSo) {
  temp_dir dir;
  {
    auto made = open_embedded(dir / "data");
    ASSERT_TRUE(made);
  }
  make_lmdb(dir / "data/fanfare.mdb", "meta", "checkpoint", "\x01\xff");
  EXPECT_EQ(open_code(dir / "data"), ec::store_damaged);
}

// As an interrupted copy leaves it. Reading a page that is mapped and behind
// the end of the file would end the process.
TEST(DataDirectory, ThatHasALogButNoTablesIsDamaged) {
  temp_dir dir;
  ASSERT_TRUE(open_embedded(dir / "data"));
  std::filesystem::remove(dir / "data/fanfare.mdb");
  const auto opened = open_embedded(dir / "data");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ec::store_damaged);
  EXPECT_THAT(opened.error().detail,
              ::testing::HasSubstr("fanfare.mdb is missing"));
  EXPECT_TRUE(std::filesystem::exists(dir / "data/log"));
  std::filesystem::create_directories(dir / "other/log");
  dir.write("other/log/program.log", "line");
  EXPECT_EQ(open_code(dir / "other"), ec::store_foreign);
}

TEST(DataDirectory, ThatWasCutShortSaysSoAndStaysAsItIs) {
  temp_dir dir;
  const auto file = dir / "data/fanfare.mdb";
  const auto whole = dir / "whole";
  std::uintmax_t used = 0;
  {
    auto store = *open_embedded(dir / "data");
    for (int i = 0; i < 200; ++i) {
      std::vector<storage::operation> one;
      one.emplace_back(storage::add_organizer{.slug = "o" + std::to_string(i),
                                              .name = std::string(1'000, 'x')});
      ASSERT_TRUE(store->commit(one));
    }
  }
  {
    const auto tables = lmdb::environment::open(
      {.file = file, .map_size = std::size_t{1} << 30});
    ASSERT_TRUE(tables);
    used = (*tables)->bytes_allocated();
  }
  std::filesystem::copy_file(file, whole);
  for (std::uintmax_t left = used / 2;; left /= 2) {
    std::filesystem::resize_file(file, left);
    EXPECT_EQ(open_code(dir / "data"),
              left < 20 && left > 0 ? ec::store_foreign : ec::store_damaged)
      << left;
    EXPECT_EQ(std::filesystem::file_size(file), left);
    std::filesystem::copy_file(
      whole, file, std::filesystem::copy_options::overwrite_existing);
    if (left == 0)
      break;
  }
  const auto opened = open_embedded(dir / "data");
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->registry().organizers()->size(), 200U);
}

/// A database of one table, and what is done with it.
class plain_lmdb {
public:
  explicit plain_lmdb(const std::filesystem::path& file) {
    EXPECT_EQ(mdb_env_create(&env_), 0);
    mdb_env_set_mapsize(env_, std::size_t{1} << 30);
    EXPECT_EQ(mdb_env_open(env_, file.c_str(), MDB_NOSUBDIR | MDB_NOSYNC, 0600),
              0);
  }
  ~plain_lmdb() {
    mdb_env_close(env_);
  }
  plain_lmdb(const plain_lmdb&) = delete;
  plain_lmdb& operator=(const plain_lmdb&) = delete;

  MDB_txn* reading() {
    MDB_txn* txn = nullptr;
    EXPECT_EQ(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), 0);
    return txn;
  }
  template <class Body>
  void write(Body body) {
    MDB_txn* txn = nullptr;
    MDB_dbi table = 0;
    ASSERT_EQ(mdb_txn_begin(env_, nullptr, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, nullptr, 0, &table), 0);
    body(txn, table);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
  }
  static void put(MDB_txn* txn, MDB_dbi table, int key, std::size_t size) {
    std::string value(size, 'x');
    MDB_val k{sizeof key, &key};
    MDB_val v{value.size(), value.data()};
    ASSERT_EQ(mdb_put(txn, table, &k, &v, 0), 0);
  }
  static void erase(MDB_txn* txn, MDB_dbi table, int key) {
    MDB_val k{sizeof key, &key};
    ASSERT_EQ(mdb_del(txn, table, &k, nullptr), 0);
  }
  /// Levels of the list of free pages.
  unsigned free_list_depth() {
    auto* txn = reading();
    MDB_stat stat{};
    mdb_stat(txn, 0, &stat);
    mdb_txn_abort(txn);
    return stat.ms_depth;
  }
  /// Of all pages that were ever used.
  std::size_t bytes() {
    MDB_envinfo info{};
    MDB_stat stat{};
    mdb_env_info(env_, &info);
    mdb_env_stat(env_, &stat);
    return (info.me_last_pgno + 1) * stat.ms_psize;
  }

private:
  MDB_env* env_ = nullptr;
};

TEST(FileLength, MayLackPagesThatWereNeverWritten) {
  temp_dir dir;
  const auto file = dir / "db";
  std::size_t bytes = 0;
  {
    plain_lmdb db{file};
    db.write(
      [](MDB_txn* txn, MDB_dbi table) { plain_lmdb::put(txn, table, 1, 10); });
    // So that the list of free pages finds room among them.
    for (int i = 0; i < 8; ++i)
      db.write([](MDB_txn* txn, MDB_dbi table) {
        plain_lmdb::put(txn, table, 1, 10);
      });
    // These pages are at the end, and given up before they are written.
    db.write([](MDB_txn* txn, MDB_dbi table) {
      plain_lmdb::put(txn, table, 2, 1'000'000);
      plain_lmdb::erase(txn, table, 2);
    });
    bytes = db.bytes();
  }
  ASSERT_GT(bytes, 1'000'000U);
  ASSERT_LT(std::filesystem::file_size(file), bytes);
  EXPECT_TRUE(lmdb::check_length(file));
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 4'096);
  EXPECT_EQ(code_of(lmdb::check_length(file)), ec::store_damaged);
}

// Its list of free pages is a tree of several pages with entries of several.
TEST(FileLength, IsLookedAtWithoutReadingWhatIsMissing) {
  temp_dir dir;
  const auto file = dir / "db";
  std::size_t bytes = 0;
  {
    plain_lmdb db{file};
    constexpr int large = 0;
    db.write([](MDB_txn* txn, MDB_dbi table) {
      plain_lmdb::put(txn, table, large, 8'000'000);
    });
    auto* held = db.reading(); // so that nothing is used again
    db.write([](MDB_txn* txn, MDB_dbi table) {
      plain_lmdb::erase(txn, table, large);
    });
    for (int i = 1; i < 600; ++i)
      db.write([i](MDB_txn* txn, MDB_dbi table) {
        plain_lmdb::put(txn, table, i, 3'000);
      });
    mdb_txn_abort(held);
    EXPECT_GE(db.free_list_depth(), 2U);
    bytes = db.bytes();
  }
  EXPECT_TRUE(lmdb::check_length(file));
  std::filesystem::resize_file(file, bytes);
  EXPECT_TRUE(lmdb::check_length(file));
  for (auto left = bytes - 1; left > 50'000; left -= 40'961) {
    std::filesystem::resize_file(file, left);
    EXPECT_EQ(code_of(lmdb::check_length(file)), ec::store_damaged) << left;
  }
}

} // namespace fanfare::test
