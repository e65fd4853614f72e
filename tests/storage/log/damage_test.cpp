// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Bits that change on their own, and what an earlier use of a file has left:
/// either the log says that it is damaged, or it ends where that is allowed. It
/// never gives out what was not written to it.

#include "storage/log/folder.hpp"
#include "tests/storage/log/file_log_test.hpp"

#include <map>

namespace fanfare::test {

namespace {

class LogDamageTest : public file_log_test {
protected:
  [[nodiscard]] ec open_code() const {
    const auto opened = file_log::open(options());
    return opened ? ec::ok : opened.error().code;
  }

  [[nodiscard]] fs::path file(std::uint64_t number) const {
    return log::segment_file(dir_ / "log", number);
  }

  /// The files that have records, by number.
  [[nodiscard]] std::map<std::uint64_t, std::string> used() const {
    std::map<std::uint64_t, std::string> found;
    for (const auto& one : files()) {
      const auto bytes = read(one);
      const auto header = log::read_header(bytes);
      const auto number = std::stoull(one.stem().string());
      if (header && header->number == number)
        found.emplace(number, bytes);
    }
    return found;
  }

  /// One byte of the file, another bit each time.
  void flip(const fs::path& which, std::size_t at) {
    std::fstream out{which, std::ios::binary | std::ios::in | std::ios::out};
    out.seekg(static_cast<std::streamoff>(at));
    const auto was = static_cast<char>(out.get());
    out.seekp(static_cast<std::streamoff>(at));
    out.put(static_cast<char>(was ^ (1 << random_() % 8)));
  }
  static void put_back(const fs::path& which, std::size_t at,
                       const std::string& bytes) {
    std::fstream out{which, std::ios::binary | std::ios::in | std::ios::out};
    out.seekp(static_cast<std::streamoff>(at));
    out.put(bytes[at]);
  }

  [[nodiscard]] std::vector<std::string> first_groups(std::size_t count) const {
    return {written_.begin(),
            written_.begin() + static_cast<std::ptrdiff_t>(count)};
  }
};

// -- bits ---------------------------------------------------------------------

TEST_F(LogDamageTest, ABitOfAnyByteOfAGroupBeforeTheLastIsMissed) {
  begin();
  append_some(8, 120);
  append(std::string(12 * kib, 'x')); // it goes on in the second segment
  append_some(8, 120);
  log_.reset();
  const auto all = used();
  ASSERT_EQ(all.size(), 2U);
  std::size_t parts = 0;
  for (const auto& [number, bytes] : all) {
    auto starts = records_of(bytes);
    if (number == all.rbegin()->first)
      starts.pop_back();
    for (const auto start : starts) {
      const auto one = log::read_record(std::string_view{bytes}.substr(start),
                                        seed_of('s'));
      parts += one->header.part == 3 ? 0 : 1;
      const auto size = sizeof one->header + one->header.size;
      // Each byte of what is small, and some of what is large.
      for (std::size_t i = 0; i < size;
           i += i < sizeof one->header + 128 ? 1 : 1 + random_() % 200) {
        flip(file(number), start + i);
        ASSERT_EQ(open_code(), ec::store_damaged)
          << "segment " << number << " record at " << start << " byte " << i;
        put_back(file(number), start + i, bytes);
      }
    }
  }
  EXPECT_EQ(parts, 2U) << "of the group that is in both segments";
  reopen();
  EXPECT_EQ(groups(), written_);
}

TEST_F(LogDamageTest, ABitOfAnyByteOfTheLastGroupTakesItAlone) {
  begin();
  append_some(5, 120);
  append(std::string(10 * kib, 'x'));
  append(std::string(2 * kib, 'y')); // in both segments
  log_.reset();
  const auto all = used();
  ASSERT_EQ(all.size(), 2U);
  const auto before = first_groups(6);
  std::size_t flips = 0;
  for (const auto& [number, bytes] : all) {
    const auto start = records_of(bytes).back();
    const auto one = log::read_record(std::string_view{bytes}.substr(start),
                                      seed_of('s'));
    ASSERT_EQ(one->header.sequence, 7U);
    for (std::size_t i = 0; i < sizeof one->header + one->header.size;
         i += i < 100 ? 1 : 1 + random_() % 20, ++flips) {
      flip(file(number), start + i);
      reopen();
      ASSERT_EQ(groups(), before) << "segment " << number << " byte " << i;
      put_back(file(number), start + i, bytes);
    }
  }
  EXPECT_GT(flips, 200U);
  reopen();
  EXPECT_EQ(groups(), written_);
}

TEST_F(LogDamageTest, ABitOfAnyByteOfASegmentsHeaderIsMissed) {
  begin();
  append_some(20, 2'000);
  log_.reset();
  const auto all = used();
  ASSERT_GT(all.size(), 1U);
  for (const auto& [number, bytes] : all)
    for (std::size_t i = 0; i < sizeof(log::segment_header); ++i) {
      flip(file(number), i);
      ASSERT_EQ(open_code(), ec::store_damaged)
        << "segment " << number << " byte " << i;
      put_back(file(number), i, bytes);
    }
  reopen();
  EXPECT_EQ(groups(), written_);
}

// -- earlier uses of a file ---------------------------------------------------

class LogLapsTest : public LogDamageTest {
protected:
  /// Goes on until the last segment has been in use before, and holds records
  /// of that time behind its end. `earlier_` has each segment as it was when
  /// the log had left it.
  void run_laps(bool at_same_places = false) {
    begin();
    for (int i = 0; i < 2'000; ++i) {
      if (at_same_places)
        append(group_of(1'024)); // of which any segment takes whole ones
      else
        append_some(1, 5'000);
      for (auto& [number, bytes] : used())
        earlier_[number] = std::move(bytes);
      if (log_->last() > 20)
        log_->truncate(log_->last() - 20);
      last_ = earlier_.rbegin()->first;
      const auto& now = earlier_.rbegin()->second;
      // The rest of the last block is zeros: what was there goes on after it.
      const bool at_block = records_of(now).empty()
                         || (records_of(now).back() + 1'024)
                                % log::block_buffer::block
                              == 0;
      if (last_ > 8 && records_of(now).size() > 2 && left_behind(now) > 2
          && before_.contains(last_) && (at_block || !at_same_places))
        break;
      note_renamed();
    }
    ASSERT_TRUE(before_.contains(last_));
    kept_ = used();
    ASSERT_GT(kept_.size(), 1U);
    // The beginning of that one may be in a segment that is gone.
    needed_ = log::read_header(kept_.begin()->second)->first;
    log_.reset();
  }

  /// That many bytes as a record.
  std::string group_of(std::size_t size) {
    std::string group(size - sizeof(log::record_header), '\0');
    for (auto& c : group)
      c = static_cast<char>(random_());
    return group;
  }

  /// Files that are ready to be used again, as they are now.
  void note_renamed() {
    for (const auto& one : files()) {
      const auto number = std::stoull(one.stem().string());
      const auto bytes = read(one);
      const auto header = log::read_header(bytes);
      if (header && header->number < number)
        before_[number] = bytes;
    }
  }

  /// Whole records behind the end.
  static std::size_t left_behind(const std::string& bytes) {
    const auto starts = records_of(bytes);
    auto at = starts.empty() ? log::segment::begin : starts.back() + 8;
    std::size_t found = 0;
    for (; at + sizeof(log::record_header) < bytes.size(); at += 8)
      found += log::read_record(std::string_view{bytes}.substr(at),
                                seed_of('s'))
               ? 1
               : 0;
    return found;
  }

  /// Opens it: what is there from the first group that it still has.
  std::size_t expect_a_beginning() {
    reopen();
    const auto count = log_->last();
    EXPECT_LE(count, written_.size());
    EXPECT_EQ(groups(needed_),
              std::vector<std::string>(
                written_.begin() + static_cast<std::ptrdiff_t>(needed_),
                written_.begin() + static_cast<std::ptrdiff_t>(count)));
    return count;
  }

  std::uint64_t last_ = 0; ///< the segment that was written to last
  log_sequence needed_ = 0;
  std::map<std::uint64_t, std::string> kept_;    ///< those at the end
  std::map<std::uint64_t, std::string> earlier_; ///< by number
  /// By the number that they have got: what they had before.
  std::map<std::uint64_t, std::string> before_;
};

TEST_F(LogLapsTest, RecordsOfAnEarlierUseBehindTheEndAreNotThere) {
  run_laps();
  ASSERT_GT(left_behind(kept_.at(last_)), 2U);
  EXPECT_EQ(expect_a_beginning(), written_.size());
  begin();
  append("next");
  reopen();
  EXPECT_EQ(groups(written_.size() - 1), std::vector<std::string>{"next"});
}

TEST_F(LogLapsTest, RecordsOfAnEarlierUseRightAtTheEndAreNotThere) {
  run_laps(true);
  const auto& now = kept_.at(last_);
  const auto end = records_of(now).back() + 1'024;
  ASSERT_TRUE(
    log::read_record(std::string_view{now}.substr(end), seed_of('s')));
  EXPECT_EQ(expect_a_beginning(), written_.size());
}

// As a loss of power leaves it: where the new bytes end, those of the earlier
// use go on.
TEST_F(LogLapsTest, AGroupTornOverRecordsOfAnEarlierUseIsNotThere) {
  run_laps();
  const auto& now = kept_.at(last_);
  const auto& was = before_.at(last_);
  ASSERT_EQ(now.size(), was.size());
  const auto start = records_of(now).back();
  const auto end = start + sizeof(log::record_header) + written_.back().size();
  for (auto cut = start; cut < end; cut += cut < start + 80 ? 1 : 11) {
    write(file(last_), now.substr(0, cut) + was.substr(cut));
    ASSERT_EQ(expect_a_beginning(), written_.size() - 1) << cut;
  }
}

TEST_F(LogLapsTest, ASegmentAsItWasInAnEarlierUseIsNeverTakenForThisOne) {
  run_laps();
  for (const auto& [number, bytes] : kept_) {
    const auto first = log::read_header(bytes)->first;
    for (const auto& [earlier, old] : earlier_) {
      if (earlier >= number)
        continue;
      write(file(number), old);
      if (number == last_)
        // Not told from one that was not yet used; the tables know better.
        ASSERT_LT(expect_a_beginning(), first) << number << ' ' << earlier;
      else if (number == kept_.begin()->first) {
        // The others are whole, and may be all that the tables need.
        reopen();
        ASSERT_EQ(log_->last(), written_.size());
        ASSERT_EQ(read_code(needed_), ec::store_damaged);
      } else
        ASSERT_EQ(open_code(), ec::store_damaged) << number << ' ' << earlier;
      write(file(number), bytes);
    }
  }
  EXPECT_EQ(expect_a_beginning(), written_.size());
}

TEST_F(LogLapsTest, AnOlderCopyOfASegmentEndsTheLogOrIsDamage) {
  run_laps();
  for (const auto& [number, bytes] : kept_) {
    const auto starts = records_of(bytes);
    ASSERT_GT(starts.size(), 1U);
    for (std::size_t i = 1; i < starts.size(); ++i) {
      // As it was when it had so many records.
      auto old = before_.contains(number) ? before_.at(number)
                                          : std::string(bytes.size(), '\0');
      old.replace(0, starts[i], bytes, 0, starts[i]);
      write(file(number), old);
      if (number == last_)
        ASSERT_LT(expect_a_beginning(), written_.size()) << i;
      else
        ASSERT_EQ(open_code(), ec::store_damaged) << number << ' ' << i;
      write(file(number), bytes);
    }
  }
  EXPECT_EQ(expect_a_beginning(), written_.size());
}

} // namespace

} // namespace fanfare::test
