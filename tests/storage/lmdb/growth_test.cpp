// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The store's file grows ahead of what is written to it.

#include "storage/lmdb/file/transaction.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace fanfare::test {

namespace {

using storage::lmdb::environment;
using storage::lmdb::read_transaction;
using storage::lmdb::table;
using storage::lmdb::write_transaction;

class GrowthTest : public ::testing::Test {
protected:
  GrowthTest() {
    open();
  }

  void open() {
    env_ = nullptr;
    auto opened = environment::open({.file = file(), .map_size = map_size});
    ASSERT_TRUE(opened) << opened.error().detail;
    env_ = std::move(*opened);
    write_transaction txn{*env_};
    txn.open(texts);
    ASSERT_TRUE(txn.commit());
  }

  /// A kibibyte under each of so many new keys, in a commit of its own.
  void write(std::size_t records) {
    write_transaction txn{*env_};
    for (; records > 0; --records)
      txn.put(texts, "key " + std::to_string(written_++),
              std::string(1'024, 'x'));
    ASSERT_TRUE(txn.commit());
  }

  void expect_all_there() {
    read_transaction txn{*env_};
    for (std::size_t i = 0; i < written_; ++i)
      ASSERT_EQ(txn.get(texts, "key " + std::to_string(i)),
                std::string(1'024, 'x'))
        << "record " << i;
  }

  [[nodiscard]] std::size_t used() const {
    return env_->bytes_allocated();
  }
  [[nodiscard]] std::size_t length() const {
    return std::filesystem::file_size(file());
  }
  [[nodiscard]] std::filesystem::path file() const {
    return dir_ / "file.mdb";
  }

  static constexpr std::size_t map_size = std::size_t{8} << 20;
  static constexpr auto texts = table::event_slugs; // any with texts as keys
  temp_dir dir_;
  std::unique_ptr<environment> env_;
  std::size_t written_ = 0;
};

TEST_F(GrowthTest, ThereAreZerosBehindWhatIsUsed) {
  write(1'000);
  env_->grow_ahead();
  ASSERT_GT(length(), used());
  std::ifstream in{file(), std::ios::binary};
  in.seekg(static_cast<std::streamoff>(used()));
  const std::string behind{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_EQ(behind, std::string(length() - used(), '\0'));
}

TEST_F(GrowthTest, NothingIsOverwrittenBetweenCommitsAndOpenings) {
  for (int round = 0; round < 30; ++round) {
    write(100);
    env_->grow_ahead();
    if (round % 10 == 9)
      open();
  }
  expect_all_there();
}

TEST_F(GrowthTest, AnIdleFileIsNotTouched) {
  write(1'000);
  env_->grow_ahead();
  const auto before = length();
  const auto long_ago = std::filesystem::last_write_time(file())
                      - std::chrono::hours{1};
  std::filesystem::last_write_time(file(), long_ago);
  env_->grow_ahead();
  env_->grow_ahead();
  EXPECT_EQ(length(), before);
  EXPECT_EQ(std::filesystem::last_write_time(file()), long_ago);
}

TEST_F(GrowthTest, EndsWithTheMap) {
  for (int i = 0; i < 60 && used() + 400'000 < map_size; ++i) {
    write(100);
    env_->grow_ahead();
    ASSERT_LE(length(), map_size);
  }
  EXPECT_EQ(length(), map_size) << "it has come to the end";
  expect_all_there();
}

} // namespace

} // namespace fanfare::test
