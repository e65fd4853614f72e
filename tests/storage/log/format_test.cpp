// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The bytes of the log are fixed: data directories that exist hold them. A
/// test here that fails means that a log in use could not be read any more. A
/// change needs another version in the segment's header, and reads this one.

#include "storage/log/folder.hpp"
#include "tests/storage/log/file_log_test.hpp"

#include <string_view>

namespace fanfare::test {

namespace {

constexpr std::size_t room = 192; // of records in a segment

std::string hex_of(std::string_view bytes) {
  constexpr auto digits = "0123456789abcdef";
  std::string hex;
  for (auto b : bytes) {
    hex += digits[static_cast<unsigned char>(b) >> 4];
    hex += digits[static_cast<unsigned char>(b) & 15];
  }
  return hex;
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2)
    bytes += static_cast<char>(
      std::stoi(std::string{hex.substr(at, 2)}, nullptr, 16));
  return bytes;
}

// In the order of docs/storage.md. The header of a segment: FFANLOG and the
// version; the store's id; its number; the group of its first record; checksum
// of the record before that; epoch; 0; checksum of these.
constexpr auto first_header = "4646414e4c4f4701"
                              "4142434445464748494a4b4c4d4e4f50"
                              "0100000000000000"
                              "0100000000000000"
                              "00000000"
                              "01000000"
                              "00000000"
                              "05f9d257";

// Of a record: its checksum; that of the record before; its group; the last one
// that was durable; epoch; size; whether it begins and ends its group.
constexpr auto first_records =
  "e7be42d8"
  "00000000"
  "0100000000000000"
  "0000000000000000"
  "01000000"
  "05000000"
  "0300000000000000"
  "6669727374"
  "000000"
  "6276016d"
  "e7be42d8"
  "0200000000000000"
  "0100000000000000"
  "01000000"
  "68000000"
  "0100000000000000"
  "6162636465666768696a6b6c6d6e6f707172737475767778797a6162636465666768696a"
  "6b6c6d6e6f707172737475767778797a6162636465666768696a6b6c6d6e6f7071727374"
  "75767778797a6162636465666768696a6b6c6d6e6f707172737475767778797a";

constexpr auto second_header = "4646414e4c4f4701"
                               "4142434445464748494a4b4c4d4e4f50"
                               "0200000000000000"
                               "0200000000000000"
                               "6276016d"
                               "01000000"
                               "00000000"
                               "641edd53";

constexpr auto second_records =
  "b4148d07"
  "6276016d"
  "0200000000000000"
  "0100000000000000"
  "01000000"
  "2e000000"
  "0200000000000000"
  "6162636465666768696a6b6c6d6e6f707172737475767778797a6162636465666768696a"
  "6b6c6d6e6f7071727374"
  "0000"
  "d1b1b6e3"
  "b4148d07"
  "0300000000000000"
  "0200000000000000"
  "02000000"
  "03000000"
  "0300000000000000"
  "00ff0a"
  "0000000000"
  "000000000000000000000000000000000000000000000000000000000000000000000000"
  "0000000000000000000000000000000000000000";

file_log::options small_segments(const fs::path& folder) {
  file_log::options opts{.folder = folder,
                         .first_segment = log::segment::begin + room,
                         .largest_segment = log::segment::begin + room};
  for (char i = 0; i < 16; ++i)
    opts.store[static_cast<std::size_t>(i)] = static_cast<char>('A' + i);
  return opts;
}

/// More than the rest of a segment takes.
std::string long_group() {
  std::string group;
  for (int i = 0; i < 150; ++i)
    group += static_cast<char>('a' + i % 26);
  return group;
}

TEST(LogFormatTest, IsWrittenByteByByteAsItAlwaysWas) {
  const temp_dir dir;
  for (const auto& groups :
       {std::vector<std::string>{"first", long_group()},
        std::vector<std::string>{std::string("\0\xff\n", 3)}}) {
    const auto opened = file_log::open(small_segments(dir / "log"));
    ASSERT_TRUE(opened) << opened.error().detail;
    ASSERT_TRUE((*opened)->begin());
    for (const auto& group : groups)
      ASSERT_TRUE((*opened)->append(group));
  }
  const auto part = [&](std::uint64_t number, std::size_t at,
                        std::size_t size) {
    const auto all = read_file(log::segment_file(dir / "log", number));
    EXPECT_EQ(all.size(), log::segment::begin + room);
    return hex_of(std::string_view{all}.substr(at, size));
  };
  constexpr auto header = sizeof(log::segment_header);
  const std::string zeros(2 * (log::segment::begin - header), '0');
  for (const std::uint64_t number : {1, 2})
    EXPECT_EQ(part(number, header, log::segment::begin - header), zeros);
  EXPECT_EQ(part(1, 0, header), first_header);
  EXPECT_EQ(part(1, log::segment::begin, room), first_records);
  EXPECT_EQ(part(2, 0, header), second_header);
  EXPECT_EQ(part(2, log::segment::begin, room), second_records);
}

TEST(LogFormatTest, IsReadAsItAlwaysWas) {
  const temp_dir dir;
  fs::create_directory(dir / "log");
  const auto write = [&](std::uint64_t number, std::string_view header,
                         std::string_view records) {
    auto all = bytes_of(header);
    all.resize(log::segment::begin);
    all += bytes_of(records);
    std::ofstream{log::segment_file(dir / "log", number), std::ios::binary}
      << all;
  };
  write(1, first_header, first_records);
  write(2, second_header, second_records);
  const auto opened = file_log::open(small_segments(dir / "log"));
  ASSERT_TRUE(opened) << opened.error().detail;
  std::vector<std::string> groups;
  ASSERT_TRUE((*opened)->read(
    0, [&](log_sequence which, std::string_view group) -> result<void> {
      groups.emplace_back(group);
      EXPECT_EQ(which, groups.size());
      return {};
    }));
  EXPECT_EQ(groups, (std::vector<std::string>{"first", long_group(),
                                              std::string("\0\xff\n", 3)}));
}

} // namespace

} // namespace fanfare::test
