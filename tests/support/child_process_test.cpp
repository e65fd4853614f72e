// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/child_process.hpp"

#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <system_error>

using namespace std::chrono_literals;
using namespace fanfare::test;
using ::testing::ElementsAre;

namespace {

command shell(std::string script) {
  return {.program = "sh", .args = {"-c", std::move(script)}};
}

} // namespace

TEST(ChildProcessTest, KeepsBothStreamsApartAndTellsTheExitCode) {
  child_process child{shell("echo one; echo two >&2; printf three; exit 7")};
  EXPECT_EQ(child.wait(10s), (exit_status{.code = 7}));
  EXPECT_THAT(child.lines(), ElementsAre("one", "three"));
  EXPECT_THAT(child.lines(child_process::stream::err), ElementsAre("two"));
  EXPECT_FALSE(child.running());
  EXPECT_FALSE(child.signal(SIGTERM));
}

TEST(ChildProcessTest, FindsALineThatComesLater) {
  child_process child{
    shell("echo a; sleep 0.05; echo listening; exec sleep 60")};
  EXPECT_TRUE(child.wait_for_line("a", 10s));
  EXPECT_TRUE(child.wait_for_line("listening", 10s));
  EXPECT_EQ(child.wait(0ms), std::nullopt);
  EXPECT_TRUE(child.running());
}

TEST(ChildProcessTest, ReadsItsInputToTheEnd) {
  auto what = command{.program = "cat", .input = "x\ny\n"};
  child_process child{what};
  EXPECT_EQ(child.wait(10s), (exit_status{.code = 0}));
  EXPECT_THAT(child.lines(), ElementsAre("x", "y"));
}

TEST(ChildProcessTest, StopsWaitingForALineWhenTheOutputEnds) {
  auto start = std::chrono::steady_clock::now();
  child_process child{shell("echo other")};
  EXPECT_EQ(child.wait_for_line("never", 60s), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

TEST(ChildProcessTest, TellsTheSignalThatEndedIt) {
  child_process child{shell("echo up; exec sleep 60")};
  ASSERT_TRUE(child.wait_for_line("up", 10s));
  EXPECT_TRUE(child.signal(SIGTERM));
  EXPECT_EQ(child.wait(10s), (exit_status{.signal = SIGTERM}));
}

TEST(ChildProcessTest, DiesWithItsOwner) {
  pid_t pid = 0;
  {
    child_process child{shell("trap '' TERM; echo up; exec sleep 60")};
    ASSERT_TRUE(child.wait_for_line("up", 10s));
    pid = child.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ChildProcessTest, RunsWithTheGivenEnvironmentAndDirectory) {
  temp_dir dir;
  auto what = shell("echo $FANFARE_X; pwd -P");
  what.env["FANFARE_X"] = "y";
  what.working_directory = dir.path();
  EXPECT_EQ(run(what),
            "y\n" + std::filesystem::canonical(dir.path()).string() + "\n");
}

TEST(ChildProcessTest, InheritsNoOtherDescriptor) {
  temp_dir dir;
  auto* file = std::fopen(dir.write("x", "").c_str(), "r"); // no O_CLOEXEC
  ASSERT_NE(file, nullptr);
  // The fourth is what ls itself has opened to look.
  EXPECT_EQ(run({.program = "ls", .args = {"/proc/self/fd"}}), "0\n1\n2\n3\n");
  std::fclose(file);
}

TEST(ChildProcessTest, ThrowsWhatKeepsTheProgramFromRunning) {
  try {
    child_process child{{.program = "/no/such/program"}};
    FAIL() << "it ran";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  }
}

TEST(ChildProcessTest, RunReportsStandardErrorOfAFailure) {
  try {
    run(shell("echo broken >&2; exit 1"));
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("exit code 1"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("broken"));
  }
}
