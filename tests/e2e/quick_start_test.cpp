// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The quick start of the README, run as a newcomer would: each line in turn.

#include "tests/e2e/support/server.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// The lines of the block of shell code that follows the comment.
std::vector<std::string> quick_start_of(const std::string& readme) {
  std::istringstream in{readme.substr(
    std::min(readme.find("<!-- quick start -->"), readme.size()))};
  std::vector<std::string> lines;
  std::string line;
  while (std::getline(in, line) && !line.starts_with("```sh")) {
    // up to the block
  }
  while (std::getline(in, line) && !line.starts_with("```"))
    lines.push_back(line);
  return lines;
}

bool in_background(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line.ends_with(" &");
}

/// Lines that belong together, up to one that does not end in a backslash.
std::vector<std::string> commands_of(const std::vector<std::string>& lines) {
  std::vector<std::string> out;
  bool continued = false;
  for (const auto& line : lines) {
    if (continued)
      out.back() += '\n' + line;
    else
      out.push_back(line);
    continued = line.ends_with('\\');
  }
  return out;
}

/// The same lines with the pauses that a person makes: a background program
/// says that it listens, the sink shows the call, the log has it.
std::string script_of(const std::vector<std::string>& lines) {
  std::string out = R"(set -e
trap 'echo "FAILED: $BASH_COMMAND"' ERR
trap 'trap - ERR; set +e; kill $(jobs -p) 2>/dev/null; wait' EXIT
exec > output 2>&1
unset FANFARE_ADMIN_TOKEN
until_there() { # how often, what
  for ((i = 0; i < 600; ++i)); do
    [[ $(grep -c -e "$2" output) -ge $1 ]] && return 0
    sleep 0.1
  done
  echo "FAILED: no $2"
  return 1
}
)";
  int programs = 0;
  bool published = false;
  for (const auto& command : commands_of(lines)) {
    if (command.find("/calls/") != std::string::npos) {
      out += "for ((i = 0; i < 100; ++i)); do\n" + command
           + "\ngrep -q '\"success\": *true' output && break\nsleep 0.1\n"
             "done\n";
      continue;
    }
    out += command + '\n';
    if (in_background(command))
      out += "until_there " + std::to_string(++programs) + " 'listening on'\n";
    if (command.find("/notifications/") != std::string::npos && !published) {
      published = true;
      out += "until_there 1 '\"method\": *\"POST\"'\n";
    }
  }
  return out + "echo 'END OF THE QUICK START'\n";
}

bool is_free(std::uint16_t port) {
  namespace ip = boost::asio::ip;
  boost::asio::io_context io;
  ip::tcp::acceptor acceptor{io};
  boost::system::error_code ec;
  acceptor.open(ip::tcp::v4(), ec);
  acceptor.set_option(boost::asio::socket_base::reuse_address{true}, ec);
  acceptor.bind({ip::address_v4::loopback(), port}, ec);
  if (!ec)
    acceptor.listen(1, ec);
  return !ec;
}

class QuickStartTest : public ::testing::Test {
protected:
  QuickStartTest() {
    fs::create_directories(dir_ / "build/release");
    dir_.write("build/release/fanfare",
               "#!/bin/sh\necho $$ >> '" + (dir_ / "pids").string()
                 + "'\nexec '" + fanfare_program().string() + "' \"$@\"\n");
    fs::permissions(dir_ / "build/release/fanfare", fs::perms::owner_all);
    dir_.write(".curlrc", "max-time = 60\n");
  }

  ~QuickStartTest() override {
    // Bash has ended them, unless it was ended itself.
    std::ifstream pids{dir_ / "pids"};
    for (pid_t pid = 0; pids >> pid;) {
      std::error_code failed;
      const auto what = fs::read_symlink(
        "/proc/" + std::to_string(pid) + "/exe", failed);
      if (!failed && what == fs::canonical(fanfare_program()))
        ::kill(pid, SIGKILL);
    }
  }

  temp_dir dir_;
};

TEST_F(QuickStartTest, ShowsADelivery) {
  const auto lines = quick_start_of(read_file(source_dir() / "README.md"));
  ASSERT_FALSE(lines.empty())
    << "README.md has no shell block behind <!-- quick start -->";
  const auto count = [&](const char* part) {
    return std::ranges::count_if(lines, [&](const std::string& line) {
      return line.find(part) != std::string::npos;
    });
  };
  ASSERT_GE(count("build/release/fanfare serve"), 1);
  ASSERT_GE(count("build/release/fanfare sink"), 1);
  ASSERT_GE(count("/webhooks/"), 1);
  ASSERT_GE(count("/notifications/"), 1);
  ASSERT_GE(count("/calls/"), 1);
  for (const auto port : {std::uint16_t{8080}, std::uint16_t{9000}})
    ASSERT_TRUE(eventually(patience, [&] { return is_free(port); }))
      << "port " << port << " of the quick start is taken";

  dir_.write("quick_start.sh", script_of(lines));
  child_process bash{{.program = "bash",
                      .args = {"quick_start.sh"},
                      .env = {{"HOME", dir_.path().string()}},
                      .working_directory = dir_.path()}};
  const auto status = bash.wait(std::chrono::seconds{sanitized ? 240 : 120});
  const auto output = read_file(dir_ / "output");
  ASSERT_TRUE(status) << output;
  EXPECT_EQ(status->code, 0) << output;
  EXPECT_THAT(output, HasSubstr("END OF THE QUICK START"));
  EXPECT_THAT(output, ::testing::Not(HasSubstr("FAILED")));
  EXPECT_THAT(output, ::testing::ContainsRegex("\"success\": *true")) << output;
}

} // namespace

} // namespace fanfare::test
