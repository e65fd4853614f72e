// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/batch_reader.hpp"

#include "cli/client/exit_code.hpp"
#include "cli/client/key_value.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

#include <sstream>

namespace fanfare::cli {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<batch> read_all(const std::string& text) {
  std::istringstream in{text};
  batch_reader reader{in};
  std::vector<batch> out;
  while (auto next = reader.next())
    out.push_back(std::move(*next));
  return out;
}

/// What is said of an input that is wrong from the start.
std::string fault_of(const std::string& text) {
  try {
    read_all(text);
  } catch (const command_error& e) {
    EXPECT_EQ(e.code, exit_code::usage);
    return e.what();
  }
  return "nothing";
}

TEST(BatchReaderTest, TakesAnObjectOnEachLineAsItIs) {
  const auto found = read_all("\n{\"action\":\"a\" , \"n\":1.50}\r\n\n"
                              "  {\"action\":\"b\"}");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].body,
            "[{\"action\":\"a\" , \"n\":1.50},{\"action\":\"b\"}]");
  EXPECT_THAT(found[0].places, ElementsAre(2U, 4U));
}

TEST(BatchReaderTest, TakesOneObjectOfSeveralLines) {
  const auto found = read_all("{\n  \"action\": \"a\"\n}\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].places, ElementsAre(1U));
  EXPECT_EQ(boost::json::parse(found[0].body).as_array().size(), 1U);
}

TEST(BatchReaderTest, TakesAnArray) {
  const auto found = read_all("[{\"action\":\"a\"},\n {\"action\":\"b\"}]");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].body, "[{\"action\":\"a\"},{\"action\":\"b\"}]");
  EXPECT_THAT(found[0].places, ElementsAre(1U, 2U));
}

TEST(BatchReaderTest, CutsAtAThousandItems) {
  std::string text;
  for (int i = 0; i < 2'001; ++i)
    text += "{\"action\":\"a\"}\n";
  const auto found = read_all(text);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].places.size(), 1'000U);
  EXPECT_EQ(found[1].places.back(), 2'000U);
  EXPECT_THAT(found[2].places, ElementsAre(2'001U));
}

TEST(BatchReaderTest, KeepsEachBodyWithinAMebibyte) {
  const auto line = "{\"action\":\"a\",\"x\":\"" + std::string(300'000, 'x')
                  + "\"}\n";
  const auto found = read_all(line + line + line + line);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].places.size(), 3U);
  for (const auto& each : found)
    EXPECT_LE(each.body.size(), batch_reader::most_bytes);
}

TEST(BatchReaderTest, TakesALineThatJustFits) {
  const std::string head = "{\"action\":\"a\",\"x\":\"";
  const auto with = [&](std::size_t size) {
    return head + std::string(size - head.size() - 2, 'x') + "\"}";
  };
  const auto found = read_all(with(batch_reader::most_bytes - 2));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].body.size(), batch_reader::most_bytes);
  EXPECT_EQ(fault_of(with(batch_reader::most_bytes - 1)),
            "line 1: it is larger than 1 MiB");
}

TEST(BatchReaderTest, NamesTheLineOrItemThatIsWrong) {
  const std::string good = "{\"action\":\"a\"}\n";
  EXPECT_THAT(fault_of(good + good + "{\"action\":}\n" + good),
              StartsWith("line 3: it is not valid JSON"));
  EXPECT_THAT(fault_of(good + "\n[1]"),
              StartsWith("line 3: it is not a JSON object"));
  EXPECT_THAT(fault_of("nonsense\n" + good),
              StartsWith("line 1: it is not valid JSON"));
  EXPECT_EQ(fault_of("{\"event\":\"e\"}"), "line 1: it has no \"action\"");
  EXPECT_EQ(fault_of("{\"action\":7}"), "line 1: its \"action\" is not a text");
  EXPECT_EQ(fault_of("[{\"action\":\"a\"},7]"),
            "item 2: it is not a JSON object");
  EXPECT_THAT(fault_of("[{\"action\":\"a\"},\n{\"action\"]\n"),
              StartsWith("line 2: it is not valid JSON"));
  EXPECT_THAT(fault_of("{\n\"action\":\"a\",\n"),
              HasSubstr("it is not valid JSON"));
}

TEST(BatchReaderTest, FindsNothingInNothing) {
  EXPECT_TRUE(read_all("").empty());
  EXPECT_TRUE(read_all(" \n\n").empty());
  EXPECT_TRUE(read_all("[]").empty());
}

TEST(KeyValueTest, TakesAValueAsJsonIfItIsSome) {
  const auto found = read_key_values(
    "--set", {"a=1", "b=x=y", "c=[1,2]", "d=", "e=\"7\"", "a=true"});
  EXPECT_EQ(found.text(), R"({"a":true,"b":"x=y","c":[1,2],"d":"","e":"7"})");
  for (const auto* wrong : {"a", "=a", ""})
    EXPECT_THROW(static_cast<void>(read_key_values("--set", {wrong})),
                 command_error)
      << wrong;
}

TEST(KeyValueTest, KeepsEachDigit) {
  EXPECT_EQ(
    read_key_values("--set", {"total=42.5", "id=12345678901234567890123",
                              "x=1e400", "y=[1.50, {\"z\":-0}]", "n=NaN"})
      .text(),
    R"({"total":42.5,"id":12345678901234567890123,"x":1e400,)"
    R"("y":[1.50, {"z":-0}],"n":"NaN"})");
}

TEST(KeyValueTest, EscapesTheKey) {
  EXPECT_EQ(read_key_values("--set", {"a\"b=1"}).text(), R"({"a\"b":1})");
}

TEST(BatchReaderTest, KeepsEachDigitOfAnArray) {
  const std::string
    one = R"({"action":"a", "x":9007199254740993.10,"x":1e400})";
  const std::string two = R"({"action":"a","y":"\u0000"})";
  const auto found = read_all("[" + one + " ,\n" + two + "]\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().body, "[" + one + "," + two + "]");
}

} // namespace

} // namespace fanfare::cli
