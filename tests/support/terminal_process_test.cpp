// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/terminal_process.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr auto limit = 20s;

TEST(TerminalProcessTest, GivesItsChildATerminalOfTheSizeAskedFor) {
  terminal_process child{
    {.program = "sh", .args = {"-c", "test -t 0 && test -t 2 && stty size"}},
    97};
  const auto status = child.wait(limit);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
  EXPECT_EQ(child.shown(), "24 97\r\n");
}

TEST(TerminalProcessTest, TypesAndShowsWhatIsTyped) {
  terminal_process child{
    {.program = "sh", .args = {"-c", "read -r word; echo got $word"}}};
  child.type("horse\n");
  EXPECT_TRUE(child.wait_for("got horse", limit));
  EXPECT_THAT(child.shown(), HasSubstr("horse\r\ngot horse"));
}

TEST(TerminalProcessTest, KnowsThatAnEndedChildShowsNothingMore) {
  terminal_process child{{.program = "true"}};
  EXPECT_FALSE(child.wait_for("anything", limit));
}

} // namespace

} // namespace fanfare::test
