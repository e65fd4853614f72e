// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/config_file.hpp"

#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {
namespace {

using cli::config_entry;
using cli::read_config_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ConfigFileTest : public ::testing::Test {
protected:
  result<std::vector<config_entry>> read(std::string_view content) {
    file_ = dir_.write("f.toml", std::string{content}).string();
    return read_config_file(file_);
  }
  /// The one value there is.
  std::string value_of(std::string_view content) {
    const auto found = read(content);
    if (!found)
      return found.error().detail;
    return found->size() == 1 && found->front().values.size() == 1
           ? found->front().values.front()
           : "not one value";
  }
  /// The message without the name of the file.
  std::string refusal_of(std::string_view content) {
    const auto found = read(content);
    if (found)
      return "accepted";
    EXPECT_EQ(found.error().code, ec::invalid_argument);
    EXPECT_THAT(found.error().detail, StartsWith(file_ + ':'));
    return found.error().detail.substr(file_.size() + 1);
  }

  temp_dir dir_;
  std::string file_;
};

TEST_F(ConfigFileTest, GivesTheOptionsWithTheirPlaces) {
  const auto found = read("# a comment\n"
                          "data = \"da#ta\" # another\n"
                          "\n"
                          "[serve]\n"
                          "threads = 4\n");
  ASSERT_TRUE(found) << found.error().detail;
  ASSERT_EQ(found->size(), 2U);
  const auto& data = found->front();
  EXPECT_EQ(data.section, "");
  EXPECT_EQ(data.name, "data");
  EXPECT_THAT(data.values, ElementsAre("da#ta"));
  EXPECT_FALSE(data.list);
  EXPECT_FALSE(data.numbers);
  EXPECT_EQ(data.place, file_ + ":2:8");
  const auto& threads = found->back();
  EXPECT_EQ(threads.section, "serve");
  EXPECT_EQ(threads.name, "threads");
  EXPECT_THAT(threads.values, ElementsAre("4"));
  EXPECT_TRUE(threads.numbers);
  EXPECT_EQ(threads.place, file_ + ":5:11");
}

TEST_F(ConfigFileTest, TakesArraysOverSeveralLines) {
  const auto found = read("allow-network = [ # two\n"
                          "  \"10.0.0.0/8\",\n"
                          "  # the other one\n"
                          "  \"fc00::/7\",\n"
                          "]\n"
                          "deny-network = []\n");
  ASSERT_TRUE(found) << found.error().detail;
  ASSERT_EQ(found->size(), 2U);
  EXPECT_TRUE(found->front().list);
  EXPECT_THAT(found->front().values, ElementsAre("10.0.0.0/8", "fc00::/7"));
  EXPECT_THAT(found->back().values, IsEmpty());
}

TEST_F(ConfigFileTest, TakesTextsAndWholeNumbersInAllForms) {
  EXPECT_EQ(value_of("x = 'C:\\d'"), "C:\\d");
  EXPECT_EQ(value_of("x = \"\\u00e9\\\"\""), "\xC3\xA9\"");
  EXPECT_EQ(value_of("x = \"\""), "");
  EXPECT_EQ(value_of("x = 65_536"), "65536");
  EXPECT_EQ(value_of("x = +7"), "7");
  EXPECT_EQ(value_of("x = -7"), "-7");
  EXPECT_EQ(value_of("x = 0x1F"), "31");
  EXPECT_EQ(value_of("x = 0o17"), "15");
  EXPECT_EQ(value_of("x = 18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(value_of("\"x\" = 1"), "1");
}

TEST_F(ConfigFileTest, TakesOtherNumbersAsTheyAreWritten) {
  EXPECT_EQ(value_of("x = 0.05 # a twentieth"), "0.05");
  EXPECT_EQ(value_of("x = 1_0.5e-3"), "10.5e-3");
  EXPECT_TRUE(read("x = 0.05")->front().numbers);
}

TEST_F(ConfigFileTest, TellsWhereItIsNoToml) {
  EXPECT_THAT(refusal_of("data = \"cfgd\nlisten = \"x\"\n"),
              StartsWith("1:8:"));
  EXPECT_THAT(refusal_of("a = 1\ndata = d1\n"), StartsWith("2:8:"));
  EXPECT_THAT(refusal_of("data = \"d1\", \"d2\"\n"), StartsWith("1:12:"));
  EXPECT_THAT(refusal_of("a = 1\nwindow = 012\n"), StartsWith("2:10:"));
  EXPECT_THAT(refusal_of("data\n"), StartsWith("1:5:"));
  EXPECT_THAT(refusal_of("data =\n"), StartsWith("1:"));
  EXPECT_THAT(refusal_of("allow-network = [\n  \"a\",\n"), StartsWith("3:1:"));
  EXPECT_THAT(refusal_of("[serve\n"), StartsWith("1:"));
  EXPECT_THAT(refusal_of("x = 1 y = 2\n"), StartsWith("1:7:"));
}

TEST_F(ConfigFileTest, ShowsTheLine) {
  EXPECT_THAT(refusal_of("a = 1\ndata = d1\n"),
              HasSubstr("\n  data = d1\n         ^"));
}

TEST_F(ConfigFileTest, ShowsNoPassword) {
  const auto told = refusal_of("proxy = \"http://me:s3cret@p:1\n");
  EXPECT_THAT(told, StartsWith("1:9:"));
  EXPECT_THAT(told, ::testing::Not(HasSubstr("s3cret")));
}

TEST_F(ConfigFileTest, RefusesAKeyThatIsThereTwice) {
  EXPECT_THAT(refusal_of("data = \"d1\"\nlisten = \"x\"\ndata = \"d2\"\n"),
              StartsWith("3:8:"));
  EXPECT_THAT(refusal_of("[serve]\na = 1\n[serve]\nb = 1\n"),
              StartsWith("3:1:"));
}

TEST_F(ConfigFileTest, TakesTrueAndFalse) {
  EXPECT_EQ(value_of("x = true"), "true");
  EXPECT_EQ(value_of("x = false"), "false");
  EXPECT_TRUE(read("x = false")->front().truth);
  EXPECT_FALSE(read("x = \"false\"")->front().truth);
}

TEST_F(ConfigFileTest, RefusesOtherValues) {
  for (const auto* content :
       {"x = 2026-11-30", "x = [[1]]", "x = [\"a\", 12:00:00]",
        "[serve.x]\ny = 1", "[[serve]]\nx = 1"}) {
    SCOPED_TRACE(content);
    EXPECT_THAT(refusal_of(content), HasSubstr("has to be a text in quotes"));
  }
  EXPECT_THAT(refusal_of("y = 1\nx = 18446744073709551616"),
              StartsWith("2:5: the number of \"x\" does not fit"));
}

TEST_F(ConfigFileTest, TellsThatThereIsNoFile) {
  const auto missing = read_config_file((dir_ / "none.toml").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ec::io_error);
  EXPECT_THAT(missing.error().detail, HasSubstr("none.toml"));
  EXPECT_FALSE(read_config_file(dir_.path().string())) << "a directory";
}

TEST_F(ConfigFileTest, TakesAnEmptyFile) {
  for (const auto* content :
       {"", "\n", "# nothing", "\xEF\xBB\xBF# a mark\n"}) {
    const auto found = read(content);
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_THAT(*found, IsEmpty());
  }
}

} // namespace
} // namespace fanfare::test
