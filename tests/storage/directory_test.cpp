// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/store_test.hpp"

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
  for (const auto& file : std::filesystem::directory_iterator{path})
    EXPECT_EQ(mode_of(file.path()), 0600U) << file.path();
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
TEST(DataDirectory, ThatWasCutShortSaysSoAndStaysAsItIs) {
  temp_dir dir;
  const auto file = dir / "data/fanfare.mdb";
  {
    auto store = std::move(*open_embedded(dir / "data"));
    for (int i = 0; i < 200; ++i) {
      std::vector<storage::operation> one;
      one.emplace_back(storage::add_organizer{.slug = "o" + std::to_string(i),
                                              .name = std::string(1'000, 'x')});
      ASSERT_TRUE(store->commit(one));
    }
  }
  dir.write("whole", "");
  std::filesystem::copy_file(file, dir / "whole",
                             std::filesystem::copy_options::overwrite_existing);
  const auto length = std::filesystem::file_size(file);
  for (auto left = length / 2; left >= 8'192; left /= 2) {
    std::filesystem::resize_file(file, left);
    EXPECT_EQ(open_code(dir / "data"), ec::store_damaged) << left;
    EXPECT_EQ(std::filesystem::file_size(file), left);
    std::filesystem::copy_file(
      dir / "whole", file, std::filesystem::copy_options::overwrite_existing);
  }
  const auto opened = open_embedded(dir / "data");
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->organizers()->size(), 200U);
}

} // namespace fanfare::test
