// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/table.hpp"

#include "cli/client/progress_bar.hpp"
#include "cli/client/terminal_text.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace fanfare::cli {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TerminalTextTest, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(printable("a\r\nb\tc"), "a\\r\\nb\\tc");
  EXPECT_EQ(printable("\x07\x7f"), "\\x07\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m");                         // CSI in one character
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u202e"); // right to left
  EXPECT_EQ(printable("Grüße 世界"), "Grüße 世界");
  EXPECT_EQ(printable("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(printable_lines("a\n\tb\x1b"), "a\n\tb\\x1b");
}

TEST(TerminalTextTest, CutsByTheColumnsThatCharactersTake) {
  EXPECT_EQ(display_width("Grüße"), 5U);
  EXPECT_EQ(display_width("世界"), 4U);
  EXPECT_EQ(cut("abcdef", 6), "abcdef");
  EXPECT_EQ(cut("abcdef", 5), "abcd…");
  EXPECT_EQ(cut("世界世界", 6), "世界…"); // two and a half do not fit
  EXPECT_EQ(cut("abc", 0), "");
}

TEST(TableTest, AlignsItsColumns) {
  std::ostringstream out;
  table rows{out,
             {{.title = "ID", .align = column::side::right},
              {.title = "NAME"},
              {.title = "NOTE"}},
             0,
             false};
  rows.add({"7", "müller", "x"});
  rows.add({"1234", "a", ""});
  rows.flush();
  EXPECT_EQ(out.str(), "  ID  NAME    NOTE\n"
                       "   7  müller  x\n"
                       "1234  a\n");
}

TEST(TableTest, TakesFromTheWidestColumnsWhatTheTerminalHasNotGot) {
  std::ostringstream out;
  table rows{out, {{.title = "A"}, {.title = "B"}}, 20, false};
  rows.add({std::string(30, 'a'), "bbb"});
  rows.flush();
  EXPECT_EQ(out.str(), "A                B\naaaaaaaaaaaaaa…  bbb\n");
}

TEST(TableTest, LeavesFirmColumnsTheirWidthWhileOthersCanShrink) {
  std::ostringstream out;
  table rows{out,
             {{.title = "A", .firm = true}, {.title = "B"}, {.title = "C"}},
             26,
             false};
  rows.add({"123456789012", "abcdefghij", "abcdefg"});
  rows.flush();
  EXPECT_EQ(out.str(), "A           B       C\n"
                       "123456789…  abcde…  abcde…\n")
    << "once the others cannot, it does";
  std::ostringstream narrow;
  table wide{narrow, {{.title = "A", .firm = true}, {.title = "B"}}, 22, false};
  wide.add({"123456789012", "abcdefghijkl"});
  wide.flush();
  EXPECT_EQ(narrow.str(), "A             B\n"
                          "123456789012  abcdefg…\n");
}

TEST(TableTest, ShowsBadCellsInRedWhereThereAreColours) {
  for (const bool colours : {true, false}) {
    std::ostringstream out;
    table rows{out, {{.title = "A", .red = {"failed"}}}, 0, colours};
    rows.add({"failed"});
    rows.add({"ok"});
    rows.flush();
    EXPECT_EQ(out.str(), colours
                           ? "\x1b[1mA\x1b[0m\n\x1b[31mfailed\x1b[0m\nok\n"
                           : "A\nfailed\nok\n");
  }
}

TEST(TableTest, FitsLaterRowsToTheWidthsOfTheFirst) {
  std::ostringstream out;
  table rows{out, {{.title = "A"}, {.title = "B"}}, 0, false};
  rows.add({"aa", "b"});
  rows.flush();
  rows.add({"aaaaa", "a long end"});
  rows.flush();
  EXPECT_EQ(out.str(), "A   B\naa  b\na…  a long end\n");
}

TEST(TableTest, EscapesItsCellsAndKeepsThemOnOneLine) {
  std::ostringstream out;
  table rows{out, {{.title = "A"}}, 0, false};
  rows.add({"x\n\x1b[2Jy"});
  rows.flush();
  EXPECT_EQ(out.str(), "A\nx\\n\\x1b[2Jy\n");
}

TEST(ProgressBarTest, IsFullOnlyOnceAllIsDone) {
  EXPECT_EQ(render_bar(0, 4, 18), "[----------]   0 %");
  EXPECT_EQ(render_bar(2, 4, 18), "[#####-----]  50 %");
  EXPECT_EQ(render_bar(999, 1000, 18), "[#########-]  99 %");
  EXPECT_EQ(render_bar(4, 4, 18), "[##########] 100 %");
  EXPECT_EQ(render_bar(9, 4, 18), "[##########] 100 %");
  EXPECT_EQ(render_bar(0, 0, 18), "[##########] 100 %");
}

} // namespace

} // namespace fanfare::cli
