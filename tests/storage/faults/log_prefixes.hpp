// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The tables made from any beginning of a log are those after a whole number
/// of its groups, as a store in memory has them.

#include "storage/lmdb/store.hpp"
#include "storage/log/crc32c.hpp"
#include "storage/log/folder.hpp"
#include "storage/log/record.hpp"
#include "tests/storage/faults/disk.hpp"
#include "tests/storage/faults/sample_history.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

namespace fanfare::test {

/// A place in the log: the segment, and the byte in it.
struct log_place {
  std::size_t segment = 0;
  std::size_t at = 0;

  [[nodiscard]] bool is_within(const log_place& upto) const {
    return segment < upto.segment || (segment == upto.segment && at <= upto.at);
  }
};

class log_prefixes {
public:
  log_prefixes(std::uint64_t seed, std::size_t commits, std::size_t text)
    : history_(seed, commits, text),
      random_(seed) {
    faulty_disk::hurry(true);
    auto opened = lmdb::embedded_store::open(dir_ / "data", options);
    if (!opened) {
      ADD_FAILURE() << opened.error().detail;
      return;
    }
    keep_tables(**opened);
    for (std::size_t i = 0; i < history_.size(); ++i) {
      auto batch = history_.commit(i);
      EXPECT_TRUE((*opened)->commit(batch));
      EXPECT_EQ((*opened)->journal().tail(), history_.state(i + 1).tail());
      keep_segments();
      if (i + 1 == history_.size() / 2)
        keep_tables(**opened);
    }
    (*opened)->abandon();
    opened = error{};
    find_ends();
  }

  /// Segments of 64 KiB, the smallest there are.
  static constexpr store_options options{.max_size = std::size_t{1} << 20};

  [[nodiscard]] const sample_history& history() const {
    return history_;
  }
  [[nodiscard]] std::size_t segments() const {
    return segments_.size();
  }

  /// A data directory with all of the log, of which the tables have nothing.
  void make(const std::filesystem::path& data) const {
    make(data, tables_.front(), segments_);
  }

  /// Every `step`th byte on average, each byte if that is 1, and those around
  /// the ends of groups.
  void check(std::size_t step) {
    ASSERT_EQ(ends_.size(), history_.size()) << "each commit is a group";
    for (std::size_t segment = 0; segment < segments_.size(); ++segment)
      for (auto at = log::segment::begin; at <= used_[segment];
           at += step == 1 ? 1 : 1 + random_() % (2 * step)) {
        check_cut({segment, at});
        if (::testing::Test::HasFailure())
          return;
      }
    for (const auto& end : ends_)
      for (const std::size_t before : {0, 1}) {
        check_cut({end.segment, end.at - before});
        if (::testing::Test::HasFailure())
          return;
      }
  }

private:
  static void make(const std::filesystem::path& data, const std::string& tables,
                   const std::vector<std::string>& segments) {
    std::filesystem::create_directories(data / "log");
    std::ofstream{data / "fanfare.mdb", std::ios::binary} << tables;
    for (std::size_t i = 0; i < segments.size(); ++i)
      std::ofstream{log::segment_file(data / "log", i + 1), std::ios::binary}
        << segments[i];
  }

  void keep_tables(const lmdb::embedded_store& of) {
    of.settle();
    std::ifstream in{dir_ / "data/fanfare.mdb", std::ios::binary};
    tables_.emplace_back(std::istreambuf_iterator<char>{in},
                         std::istreambuf_iterator<char>{});
  }

  /// Also those that are about to be used again.
  void keep_segments() {
    for (const auto& one :
         std::filesystem::directory_iterator{dir_ / "data/log"}) {
      std::ifstream in{one.path(), std::ios::binary};
      std::string bytes{std::istreambuf_iterator<char>{in}, {}};
      const auto header = log::read_header(bytes);
      if (!header || header->number == 0)
        continue;
      segments_.resize(std::max(segments_.size(), header->number));
      segments_[header->number - 1] = std::move(bytes);
    }
  }

  void find_ends() {
    log_sequence last = 0;
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const auto& bytes = segments_[i];
      const auto header = log::read_header(bytes);
      ASSERT_TRUE(header) << "segment " << i;
      const auto seed = log::crc32c(
        {header->store.data(), header->store.size()});
      auto at = log::segment::begin;
      while (const auto next = log::read_record(
               std::string_view{bytes}.substr(at), seed)) {
        if (next->header.sequence < last)
          break; // of an earlier use
        last = next->header.sequence;
        const auto end = at + sizeof next->header + next->header.size;
        if ((next->header.part & log::record_header::ends) != 0)
          ends_.push_back({i, end});
        at += log::record_size(next->header.size);
        if (at >= bytes.size())
          break;
      }
      used_.push_back(std::min(at, bytes.size()));
    }
  }

  /// Opens what is there if the log is there up to this place. Behind it are
  /// zeros, or anything.
  void check_cut(log_place cut) {
    SCOPED_TRACE("segment " + std::to_string(cut.segment) + " byte "
                 + std::to_string(cut.at));
    const bool with_noise = random_() % 2 == 0;
    const auto which = random_() % tables_.size();
    const auto taken = which * (history_.size() / 2);
    const auto image = dir_ / "image";
    auto torn = segments_;
    for (std::size_t i = 0; i < torn.size(); ++i) {
      auto& bytes = torn[i];
      const auto from = i < cut.segment  ? bytes.size()
                      : i == cut.segment ? cut.at
                                         : 0;
      for (auto at = from; at < bytes.size(); ++at)
        bytes[at] = with_noise && i == cut.segment
                    ? static_cast<char>(random_())
                    : '\0';
      // What is there by chance is there.
      if (i == cut.segment)
        while (cut.at < bytes.size() && bytes[cut.at] == segments_[i][cut.at])
          ++cut.at;
    }
    std::filesystem::remove_all(image);
    make(image, tables_[which], torn);
    const auto whole = static_cast<std::size_t>(std::ranges::count_if(
      ends_, [&](const log_place& end) { return end.is_within(cut); }));
    auto opened = lmdb::embedded_store::open(image, options);
    if (whole < taken) {
      ASSERT_EQ(code_of(opened), ec::store_damaged)
        << "the tables have more than that";
      return;
    }
    ASSERT_TRUE(opened) << opened.error().detail;
    history_.expect_state(**opened, whole);
    (*opened)->abandon();
  }

  temp_dir dir_;
  sample_history history_;
  std::mt19937_64 random_;
  std::vector<std::string> tables_;   ///< none of it, and half of it
  std::vector<std::string> segments_; ///< as they were when they were left
  std::vector<std::size_t> used_;     ///< bytes of each
  std::vector<log_place> ends_;       ///< of the groups
  disk_in_order disk_;
};

} // namespace fanfare::test
