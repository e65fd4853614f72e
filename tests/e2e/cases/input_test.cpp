// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What people write is taken as they meant it, or refused with a reason.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/paths.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

namespace fanfare::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// -- the configuration file ---------------------------------------------------

class ConfigurationTest : public ::testing::Test {
protected:
  child_process serve(std::vector<std::string> more) const {
    std::vector<std::string> args{"serve", "--listen", "127.0.0.1:0"};
    args.insert(args.end(), more.begin(), more.end());
    return child_process{{.program = fanfare_program(),
                          .args = std::move(args),
                          .env = {{"FANFARE_ADMIN_TOKEN", server::admin_key}},
                          .working_directory = dir_.path()}};
  }

  /// What it writes before it ends with 2. Nothing may have been started.
  std::string refusal(const std::string& content) {
    const auto file = dir_.write("fanfare.toml", content);
    auto process = serve({"--config", file.string()});
    const auto status = process.wait(patience);
    EXPECT_TRUE(status && status->code == 2) << content;
    std::string out;
    for (const auto& line : process.lines(child_process::stream::err))
      out += line + '\n';
    EXPECT_THAT(process.lines(), IsEmpty());
    for (const auto& found : std::filesystem::directory_iterator{dir_.path()})
      EXPECT_FALSE(found.is_directory()) << "a store in " << found.path();
    return out;
  }

  /// The directories that there are once it has listened and stopped.
  std::vector<std::string> directories_of(std::vector<std::string> args) {
    auto process = serve(std::move(args));
    EXPECT_TRUE(process.wait_for_line("listening on ", patience));
    EXPECT_TRUE(process.signal(SIGTERM));
    const auto status = process.wait(patience);
    EXPECT_TRUE(status && status->code == 0);
    std::vector<std::string> out;
    for (const auto& found : std::filesystem::directory_iterator{dir_.path()})
      if (found.is_directory())
        out.push_back(found.path().filename().string());
    return out;
  }

  temp_dir dir_;
};

TEST_F(ConfigurationTest, IsRefusedWithLineAndColumn) {
  EXPECT_THAT(refusal("data = \"cfgd\n"), HasSubstr("fanfare.toml:1:8: "));
  EXPECT_THAT(refusal("data = \"d1\"\n\ndata = \"d2\"\n"),
              HasSubstr("fanfare.toml:3:8: "));
  EXPECT_THAT(refusal("data = d1\n"), HasSubstr("fanfare.toml:1:8: "));
  EXPECT_THAT(refusal("data = d1, d2\n"), HasSubstr("fanfare.toml:1:8: "));
  EXPECT_THAT(refusal("data = \"d\"\nmax-in-flight = 012\n"),
              HasSubstr("fanfare.toml:2:17: "));
  EXPECT_THAT(refusal("data = \"d\"\nmax-in-fligt = 12\n"),
              HasSubstr("the nearest one is \"max-in-flight\""));
}

TEST_F(ConfigurationTest, TakesTheDirectoryAsItIsWritten) {
  const auto file = dir_.write("fanfare.toml", "data = \"da#ta\"\n");
  EXPECT_THAT(directories_of({"--config", file.string()}),
              ::testing::ElementsAre("da#ta"));
}

TEST_F(ConfigurationTest, TakesAnArrayOverSeveralLines) {
  const auto file = dir_.write("fanfare.toml", "data = \"data\"\n"
                                               "allow-network = [\n"
                                               "  \"127.0.0.0/8\",\n"
                                               "  # and these\n"
                                               "  \"10.0.0.0/8\"\n"
                                               "]\n"
                                               "deny-network = []\n"
                                               "schedule = [\"1s\", \"2m\"]\n"
                                               "max-in-flight = 12\n");
  EXPECT_THAT(directories_of({"--config", file.string()}),
              ::testing::ElementsAre("data"));
}

TEST_F(ConfigurationTest, LeavesTheLastWordToTheCommandLine) {
  const auto file = dir_.write("fanfare.toml", "data = \"file\"\n");
  EXPECT_THAT(directories_of({"--config", file.string(), "--data", "line"}),
              ::testing::ElementsAre("line"));
}

TEST_F(ConfigurationTest, TakesZerosInFrontOfANumberForNothing) {
  // In octal digits this would be no number.
  EXPECT_THAT(directories_of({"--max-in-flight", "09"}),
              ::testing::ElementsAre("data"));
  auto process = serve({"--max-in-flight", "0101"}); // 65 in octal digits
  const auto status = process.wait(patience);
  EXPECT_TRUE(status && status->code == 2);
  std::string out;
  for (const auto& line : process.lines(child_process::stream::err))
    out += line + '\n';
  EXPECT_THAT(out, HasSubstr("101"));
  EXPECT_THAT(out, Not(HasSubstr("65")));
}

} // namespace
} // namespace fanfare::test
