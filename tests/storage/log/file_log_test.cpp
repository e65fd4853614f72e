// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What the log keeps, and what it takes for lost.

#include "tests/storage/log/file_log_test.hpp"

#include "storage/log/folder.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <set>

namespace fanfare::test {

namespace {

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
  for (const std::size_t cut : {0U, 1U, 7U, 8U, 9U, 500U, 1'000U}) {
    EXPECT_EQ(log::crc32c(all.substr(0, cut)),
              log::crc32c_by_table(all.substr(0, cut)));
    EXPECT_EQ(log::crc32c(all.substr(cut), log::crc32c(all.substr(0, cut))),
              log::crc32c(all));
  }
}

class FileLogTest : public file_log_test {};

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
  log_.reset();
  auto all = files();
  std::erase_if(all, [](const fs::path& file) {
    return records_of(read(file)).empty(); // made ahead
  });
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

// Whatever is given back when, and wherever it ends: what is needed is there.
TEST_F(FileLogTest, SegmentsOfAnySizeAreGivenBackWithoutGaps) {
  log_sequence needed = 0;
  begin();
  for (int i = 0; i < 400; ++i) {
    switch (random_() % 6) {
      case 0:
        reopen();
        ASSERT_EQ(log_->last(), written_.size()) << i;
        ASSERT_EQ(groups(needed),
                  std::vector<std::string>(
                    written_.begin() + static_cast<std::ptrdiff_t>(needed),
                    written_.end()))
          << i;
        begin();
        break;
      case 1:
        needed = log_->last() - random_() % (log_->last() - needed + 1);
        log_->truncate(needed);
        break;
      case 2: append_some(1, 250 * kib); break;
      default: append_some(1 + random_() % 4, 20 * kib);
    }
  }
}

// As a loss of power, or a full disk and a kill, leave it.
TEST_F(FileLogTest, ATornGroupIsFollowedByOthersWhereverItWasTorn) {
  begin();
  append_some(3);
  append(std::string(150 * kib, 'x'));
  log_.reset();
  const auto all = files();
  std::vector<std::string> whole;
  for (const auto& file : all)
    whole.push_back(read(file));
  const auto before = std::vector<std::string>(written_.begin(),
                                               written_.end() - 1);
  std::size_t tears = 0;
  for (std::size_t which = 0; which < all.size(); ++which) {
    auto starts = records_of(whole[which]);
    if (starts.empty())
      continue; // made ahead
    const auto torn_record = starts.back();
    // Only its header, none of it, a part of it, all of it but the rest.
    for (const auto cut : {log::segment::begin, torn_record, torn_record + 200,
                           whole[which].size()}) {
      if (cut < torn_record && which == 0)
        continue; // those before it were durable
      for (std::size_t i = 0; i < all.size(); ++i) {
        auto bytes = whole[i];
        if (i > which)
          bytes.assign(bytes.size(), '\0');
        if (i == which)
          std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(cut),
                    bytes.end(), '\0');
        write(all[i], bytes);
      }
      if (groups_are_torn(before)) {
        ++tears;
        for (const std::size_t size : {1UL, 5 * kib, 150 * kib}) {
          begin();
          append(std::string(size, 'y'));
          append("behind it");
          reopen();
          ASSERT_EQ(groups(), written_) << which << ' ' << cut << ' ' << size;
        }
      }
      log_.reset();
      for (const auto& file : files())
        if (std::ranges::find(all, file) == all.end())
          fs::remove(file);
    }
  }
  EXPECT_GE(tears, 10U);
}

// A loss of power may leave out any part of what was not flushed.
TEST_F(FileLogTest, ASegmentThatIsMissingWithinATornGroupIsNoGap) {
  begin();
  append_some(3);
  append(std::string(150 * kib, 'x'));
  log_.reset();
  const auto all = files();
  ASSERT_FALSE(records_of(read(all[2])).empty());
  auto whole = read(all[1]);
  auto older = read(all[0]).substr(0, log::segment::begin);
  for (const bool renamed : {false, true}) {
    auto torn = whole;
    // Its header is not there, or still that of what it was before.
    torn.replace(0, log::segment::begin,
                 renamed ? older : std::string(log::segment::begin, '\0'));
    write(all[1], torn);
    reopen();
    ASSERT_EQ(log_->last(), 3U) << renamed;
    EXPECT_EQ(groups(),
              std::vector<std::string>(written_.begin(), written_.begin() + 3));
  }
  begin();
  ASSERT_TRUE(log_->append(std::string(150 * kib, 'y')));
  reopen();
  EXPECT_EQ(log_->last(), 4U);
}

TEST_F(FileLogTest, OpeningChangesNothingBeforeItIsAccepted) {
  begin();
  append_some(3);
  append(std::string(150 * kib, 'x'));
  log_.reset();
  auto all = files();
  auto torn = read(all[1]);
  torn[torn.size() / 2] ^= 1;
  write(all[1], torn);
  fs::copy(dir_ / "log", dir_ / "copy");
  reopen();
  EXPECT_EQ(log_->last(), 3U);
  log_.reset();
  EXPECT_EQ(files(), all);
  for (const auto& file : all)
    EXPECT_EQ(read(file), read(dir_ / "copy" / file.filename())) << file;
}

TEST_F(FileLogTest, AHeaderThatCannotBeReadIsDamage) {
  begin();
  append_some(20, 2'000);
  log_.reset();
  for (const auto& file : files()) {
    const auto whole = read(file);
    if (records_of(whole).empty())
      continue;
    for (const std::size_t at : {0U, 9U, 25U, 33U, 41U, 45U, 53U}) {
      auto flipped = whole;
      flipped[at] ^= 1;
      write(file, flipped);
      const auto opened = file_log::open(options());
      EXPECT_EQ(opened ? ec::ok : opened.error().code, ec::store_damaged)
        << file << " byte " << at;
    }
    write(file, whole);
  }
  reopen();
  EXPECT_EQ(groups(), written_);
}

TEST_F(FileLogTest, AGroupWhoseBeginningIsGoneIsMissed) {
  begin();
  append_some(2);
  append(std::string(100 * kib, 'x'));
  const auto first = files().front();
  log_.reset();
  fs::remove(first);
  reopen();
  ASSERT_EQ(log_->last(), 3U);
  EXPECT_EQ(read_code(3), ec::ok);
  EXPECT_EQ(read_code(2), ec::store_damaged);
}

TEST_F(FileLogTest, WhatIsBeforeAGapIsOfNoUse) {
  begin();
  append_some(60);
  log_.reset();
  const auto all = files();
  ASSERT_GT(all.size(), 4U);
  fs::remove(all[1]);
  const auto kept = read(all[2]);
  log::segment_header header;
  std::memcpy(&header, kept.data(), sizeof header);
  reopen();
  EXPECT_EQ(log_->last(), 60U);
  EXPECT_EQ(groups(header.first).size(), 60U - header.first);
  begin();
  EXPECT_FALSE(fs::exists(all[0]));
  append("next");
  reopen();
  EXPECT_EQ(groups(60), std::vector<std::string>{"next"});
}

// A receiver's answers are in the log as they came.
TEST_F(FileLogTest, WhatLooksLikeRecordsDoesNotKeepAStartBusy) {
  auto opts = options();
  opts.first_segment = opts.largest_segment = 8'192 * kib;
  opts.folder = dir_ / "large";
  auto opened = file_log::open(opts);
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened)->begin());
  std::string fakes;
  for (std::uint64_t i = 1; i < 190'000; ++i) {
    const log::record_header fake{.checksum = 1,
                                  .previous = 1,
                                  .sequence = i + 1,
                                  .durable = i,
                                  .epoch = 100,
                                  .size = 2'048 * kib,
                                  .part = 3};
    fakes.append(reinterpret_cast<const char*>(&fake), sizeof fake);
  }
  ASSERT_TRUE((*opened)->append("before"));
  ASSERT_TRUE((*opened)->append(fakes));
  opened->reset();
  const auto file = dir_ / "large" / "00000000000000000001.log";
  auto bytes = read(file);
  bytes[log::segment::begin + log::record_size(6) + 8] ^= 1; // torn
  write(file, bytes);
  const auto began = std::chrono::steady_clock::now();
  opened = file_log::open(opts);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ((*opened)->last(), 1U);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{5});
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
  EXPECT_EQ(read_code(3), ec::ok);
  EXPECT_EQ(read_code(4), ec::store_damaged);
}

TEST_F(FileLogTest, SegmentsGrowAndTheLargestAreUsedAgain) {
  begin();
  const auto sizes = [this] {
    std::set<std::uintmax_t> all;
    for (const auto& file : files())
      all.insert(fs::file_size(file));
    return all;
  };
  EXPECT_EQ(*sizes().begin(), 16 * kib);
  for (int i = 0; i < 200; ++i) {
    append_some(10);
    log_->truncate(log_->last());
  }
  EXPECT_EQ(sizes(), (std::set<std::uintmax_t>{64 * kib}));
  EXPECT_LE(files().size(), 4U) << "in use, ready, and to be used again";
}

TEST_F(FileLogTest, ThatBeginsAfterWhatIsNeededIsRefused) {
  begin();
  append_some(30);
  log_->truncate(log_->last());
  log_.reset();
  // Those that were given back were removed, or used again.
  reopen();
  EXPECT_EQ(read_code(0), ec::store_damaged);
}

} // namespace

} // namespace fanfare::test
