// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/member_list.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare::protocol::detail {
namespace {

/// Renders `"key": value` into a buffer and puts it into a list.
struct object {
  std::string text;
  member_list list;

  void put(const std::string& key, const std::string& value) {
    member_list::member one;
    one.begin = text.size();
    text += '"' + key + '"';
    one.key_end = text.size();
    text += ": " + value;
    one.end = text.size();
    list.put(text, one);
  }

  [[nodiscard]] std::string all() const {
    std::string out;
    for (const auto& each : list.all())
      out += (out.empty() ? "" : ", ")
           + text.substr(each.begin, each.end - each.begin);
    return out;
  }
};

TEST(MemberListTest, GivesARepeatedKeyItsLastValueInItsFirstPlace) {
  object it;
  it.put("a", "1");
  it.put("b", "2");
  it.put("a", "3");
  EXPECT_EQ(it.all(), R"("a": 3, "b": 2)");
}

TEST(MemberListTest, KeepsTheOrderOfFewAndOfMany) {
  for (const int count : {1, 15, 16, 17, 1'000}) {
    object it;
    std::string expected;
    for (int i = 0; i < count; ++i)
      it.put(std::to_string(i), "old");
    for (int i = count - 1; i >= 0; --i)
      it.put(std::to_string(i), std::to_string(i));
    for (int i = 0; i < count; ++i)
      expected += (i == 0 ? "" : ", ") + ('"' + std::to_string(i) + "\": ")
                + std::to_string(i);
    EXPECT_EQ(it.all(), expected) << count;
  }
}

TEST(MemberListTest, ForgetsEverythingWhenItIsCleared) {
  object it;
  for (int i = 0; i < 100; ++i)
    it.put(std::to_string(i), "1");
  it.list.clear();
  it.put("7", "2");
  it.put("101", "3");
  EXPECT_EQ(it.all(), R"("7": 2, "101": 3)");
}

} // namespace
} // namespace fanfare::protocol::detail
