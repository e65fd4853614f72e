// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What tests of the log in files do in one line each.

#include "storage/log/crc32c.hpp"
#include "storage/log/file_log.hpp"
#include "storage/log/record.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace fanfare::test {

namespace fs = std::filesystem;
using namespace storage;
using storage::log::file_log;

constexpr std::size_t kib = 1024;

/// A log in small segments that can be closed and opened again, and what was
/// written to it.
class file_log_test : public ::testing::Test {
protected:
  file_log_test() {
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

  /// How reading ends that wants the groups after that one.
  [[nodiscard]] ec read_code(log_sequence after) const {
    const auto done = log_->read(
      after, [](log_sequence, std::string_view) -> result<void> { return {}; });
    return done ? ec::ok : done.error().code;
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

  /// Opens the log, of which only these groups are whole. False: all of it is.
  bool groups_are_torn(const std::vector<std::string>& whole) {
    reopen();
    written_ = groups();
    if (written_.size() > whole.size())
      return false;
    EXPECT_EQ(written_, whole);
    return true;
  }

  /// Of the checksums of a store whose id is that letter over and over.
  static std::uint32_t seed_of(char store) {
    return log::crc32c(std::string(16, store));
  }

  /// Where the records of the file begin, in order.
  static std::vector<std::size_t> records_of(const std::string& bytes) {
    std::vector<std::size_t> found;
    const auto seed = seed_of('s');
    log_sequence last = 0;
    for (auto at = log::segment::begin;;) {
      const auto next = log::read_record(std::string_view{bytes}.substr(at),
                                         seed);
      if (!next || next->header.sequence < last) // of an earlier use
        return found;
      last = next->header.sequence;
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

} // namespace fanfare::test
