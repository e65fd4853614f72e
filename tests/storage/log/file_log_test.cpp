// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What the log keeps, and what it takes for lost.

#include "storage/log/file_log.hpp"

#include "storage/log/crc32c.hpp"
#include "storage/log/folder.hpp"
#include "storage/log/record.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
using namespace storage;
using storage::log::file_log;

constexpr std::size_t kib = 1024;

TEST(Crc32cTest, IsThatOfTheStandard) {
  // RFC 3720, appendix B.4.
  EXPECT_EQ(log::crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(log::crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(log::crc32c("123456789"), 0xE3069283U);
}

TEST(Crc32cTest, IsTheSameByTableAndInParts) {
  std::mt19937 random{1};
  std::string bytes;
  for (int i = 0; i < 1'000; ++i)
    bytes += static_cast<char>(random());
  const std::string_view all{bytes};
  for (const std::size_t cut : {0, 1, 7, 8, 9, 500, 1'000}) {
    EXPECT_EQ(log::crc32c(all.substr(0, cut)),
              log::crc32c_by_table(all.substr(0, cut)));
    EXPECT_EQ(log::crc32c(all.substr(cut), log::crc32c(all.substr(0, cut))),
              log::crc32c(all));
  }
}

class FileLogTest : public ::testing::Test {
protected:
  FileLogTest() {
    reopen();
  }

  [[nodiscard]] file_log::options options(char store = 's') const {
    file_log::options opts{.folder = dir_ / "log",
                           .first_segment = 16 * kib,
                           .largest_segment = 64 * kib};
    opts.store.fill(store);
    return opts;
  }

  void reopen() {
    log_.reset();
    auto opened = file_log::open(options());
    ASSERT_TRUE(opened) << opened.error().detail;
    log_ = std::move(*opened);
  }

  void begin() {
    const auto begun = log_->begin();
    ASSERT_TRUE(begun) << begun.error().detail;
  }

  void append(const std::string& group) {
    const auto done = log_->append(group);
    ASSERT_TRUE(done) << done.error().detail;
    written_.push_back(group);
  }
  /// Each of another length, so that records lie anywhere.
  void append_some(std::size_t count, std::size_t most = 3'000) {
    for (; count > 0; --count) {
      std::string group(1 + random_() % most, '\0');
      for (auto& c : group)
        c = static_cast<char>(random_());
      append(group);
    }
  }

  std::vector<std::string> groups(log_sequence after = 0) {
    std::vector<std::string> all;
    const auto done = log_->read(
      after, [&](log_sequence, std::string_view group) -> result<void> {
        all.emplace_back(group);
        return {};
      });
    EXPECT_TRUE(done) << done.error().detail;
    return all;
  }

  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& file : fs::directory_iterator{dir_ / "log"})
      found.push_back(file.path());
    std::ranges::sort(found);
    return found;
  }

  static std::string read(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  static void write(const fs::path& file, const std::string& bytes) {
    std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
  }

  /// Where the records of the file begin, in order.
  static std::vector<std::size_t> records_of(const std::string& bytes) {
    std::vector<std::size_t> found;
    const std::string id(16, 's');
    const auto seed = log::crc32c(id);
    for (auto at = log::segment::begin;;) {
      const auto next = log::read_record(std::string_view{bytes}.substr(at),
                                         seed);
      if (!next)
        return found;
      found.push_back(at);
      at += log::record_size(next->header.size);
      if (at >= bytes.size())
        return found;
    }
  }

  temp_dir dir_;
  std::mt19937 random_{7};
  std::unique_ptr<file_log> log_;
  std::vector<std::string> written_;
};

TEST_F(FileLogTest, KeepsWhatItHasOverManyOpenings) {
  for (int round = 0; round < 20; ++round) {
    begin();
    append_some(5);
    reopen();
    EXPECT_EQ(log_->last(), written_.size());
    ASSERT_EQ(groups(), written_);
  }
  EXPECT_EQ(groups(40),
            std::vector<std::string>(written_.begin() + 40, written_.end()));
}

TEST_F(FileLogTest, AGroupMayBeLargerThanASegment) {
  begin();
  append(std::string(1, 'a'));
  append(std::string(500 * kib, 'b'));
  append(std::string(1, 'c'));
  EXPECT_GT(files().size(), 3U);
  reopen();
  EXPECT_EQ(groups(), written_);
}

TEST_F(FileLogTest, UsesSegmentsAgainWhoseGroupsAreNotNeeded) {
  begin();
  for (int i = 0; i < 300; ++i) {
    append_some(1);
    if (i % 3 == 2)
      log_->truncate(log_->last());
  }
  EXPECT_LE(files().size(), 5U);
  const auto kept = log_->last() - 2;
  append_some(2);
  reopen();
  EXPECT_EQ(log_->last(), written_.size());
  EXPECT_EQ(groups(kept).size(), log_->last() - kept);
}

TEST_F(FileLogTest, NothingIsDurableTwice) {
  begin();
  append_some(3);
  reopen();
  begin();
  append_some(3);
  reopen();
  EXPECT_EQ(log_->last(), 6U);
  EXPECT_EQ(groups(), written_);
}

// As a loss of power leaves it: of the last group any prefix is there.
TEST_F(FileLogTest, ATornLastGroupIsNotThere) {
  begin();
  append_some(6, 500);
  const auto file = files().front();
  log_.reset();
  const auto whole = read(file);
  const auto starts = records_of(whole);
  ASSERT_EQ(starts.size(), 6U);
  auto before = written_;
  before.pop_back();
  const auto end = starts.back() + log::record_size(written_.back().size());
  for (auto cut = starts.back(); cut < end - 8; cut += 1 + cut % 3) {
    auto torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(cut), torn.end(),
              '\0');
    write(file, torn);
    reopen();
    ASSERT_EQ(log_->last(), 5U) << cut;
    ASSERT_EQ(groups(), before);
  }
  // The next one takes its place, whatever lies behind it.
  begin();
  written_ = before;
  append("next");
  append("and one more");
  reopen();
  EXPECT_EQ(groups(), written_);
}

TEST_F(FileLogTest, ATornGroupOfManySegmentsIsNotThere) {
  begin();
  append("first");
  append(std::string(300 * kib, 'x'));
  auto all = files();
  log_.reset();
  const auto header_only = read(all[1]).substr(0, log::segment::begin);
  for (std::size_t which = 0; which + 1 < all.size(); ++which) {
    const auto kept = read(all[which]);
    auto torn = kept;
    torn[torn.size() - 100] ^= 1;
    if (records_of(kept).empty())
      break; // made ahead
    write(all[which], torn);
    reopen();
    EXPECT_EQ(groups(), std::vector<std::string>{"first"}) << which;
    begin();
    ASSERT_TRUE(log_->append("second"));
    reopen();
    EXPECT_EQ(groups(), (std::vector<std::string>{"first", "second"}));
    break; // the others are gone now
  }
}

TEST_F(FileLogTest, ADamagedRecordBeforeTheLastIsFound) {
  begin();
  append_some(20, 2'000);
  reopen(); // which removes what was made ahead
  log_.reset();
  const auto all = files();
  ASSERT_GT(all.size(), 1U);
  for (const auto& file : all) {
    const auto whole = read(file);
    const auto starts = records_of(whole);
    const std::size_t last = file == all.back() ? 1 : 0;
    for (std::size_t i = 0; i + last < starts.size(); ++i) {
      auto flipped = whole;
      flipped[starts[i] + 4 + random_() % 30] ^= 1;
      write(file, flipped);
      const auto opened = file_log::open(options());
      EXPECT_EQ(opened ? ec::ok : opened.error().code, ec::store_damaged)
        << file << " record " << i;
    }
    write(file, whole);
  }
  reopen();
  EXPECT_EQ(groups(), written_);
}

TEST_F(FileLogTest, OfAnotherStoreIsRefused) {
  begin();
  append_some(1);
  log_.reset();
  const auto opened = file_log::open(options('t'));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ec::store_damaged);
  EXPECT_THAT(opened.error().detail, testing::HasSubstr("another store"));
}

TEST_F(FileLogTest, ThatEndsBeforeWhatWasTakenFromItIsRefused) {
  begin();
  append_some(3);
  reopen();
  const auto nothing = [](log_sequence, std::string_view) -> result<void> {
    return {};
  };
  EXPECT_TRUE(log_->read(3, nothing));
  const auto done = log_->read(4, nothing);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ec::store_damaged);
}

TEST_F(FileLogTest, ThatBeginsAfterWhatIsNeededIsRefused) {
  begin();
  append_some(30);
  log_->truncate(log_->last());
  log_.reset();
  // Those that were used again are gone for good.
  const auto all = files();
  for (const auto& file : all)
    if (read(file).substr(0, 7) == "FFANLOG" && &file == &all.front())
      fs::remove(file);
  reopen();
  const auto done = log_->read(
    0, [](log_sequence, std::string_view) -> result<void> { return {}; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ec::store_damaged);
}

} // namespace

} // namespace fanfare::test
