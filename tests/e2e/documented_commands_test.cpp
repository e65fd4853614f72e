// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The shell commands of README.md and docs/, run as a newcomer would: each line
// in turn. Pages of docs/ go on where the quick start of the README ends. A
// block that cannot be run here says in a comment before it who does,
// <!-- run by PATH -->, or why nobody can, <!-- not run: REASON -->. A block of
// JSON behind <!-- file: NAME --> is the file of that name.

#include "tests/e2e/support/server.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

using lines_of_text = std::vector<std::string>;

/// A block of shell code, with the line before it.
struct code_block {
  std::string before;
  lines_of_text lines;

  [[nodiscard]] bool is_run_here() const {
    return !before.starts_with("<!-- run by ")
        && !before.starts_with("<!-- not run: ");
  }
};

std::vector<code_block> blocks_of(const fs::path& page,
                                  const char* fence = "```sh") {
  std::istringstream in{read_file(source_dir() / page)};
  std::vector<code_block> out;
  std::string before;
  for (std::string line; std::getline(in, line); before = line) {
    if (line != fence)
      continue;
    auto& block = out.emplace_back(code_block{before, {}});
    while (std::getline(in, line) && line != "```")
      block.lines.push_back(line);
  }
  return out;
}

/// In the order of their names.
std::vector<fs::path> pages_of_docs() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator{source_dir() / "docs"})
    if (entry.path().extension() == ".md")
      out.push_back(fs::path{"docs"} / entry.path().filename());
  std::ranges::sort(out);
  return out;
}

/// Those to be run of a page, in order.
lines_of_text commands_to_run(const fs::path& page) {
  lines_of_text out;
  for (const auto& block : blocks_of(page))
    if (block.is_run_here())
      out.insert(out.end(), block.lines.begin(), block.lines.end());
  return out;
}

/// Up to the block behind the comment that ends the quick start, with it.
lines_of_text quick_start() {
  lines_of_text out;
  for (const auto& block : blocks_of("README.md")) {
    if (block.is_run_here())
      out.insert(out.end(), block.lines.begin(), block.lines.end());
    if (block.before == "<!-- end of the quick start -->")
      return out;
  }
  return {};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string without_comment(const std::string& line) {
  auto out = line.substr(0, line.find(" # "));
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

/// Lines that belong together, up to one that does not end in a backslash.
lines_of_text join_lines(const lines_of_text& lines) {
  lines_of_text out;
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

constexpr const char* prelude = R"(set -e
trap 'echo "FAILED: $BASH_COMMAND"' ERR
trap 'trap - ERR; set +e; kill $(jobs -p) 2>/dev/null; wait' EXIT
exec > output 2>&1
unset ${!FANFARE_*}
until_there() { # how often, what
  for ((i = 0; i < 600; ++i)); do
    [[ $(grep -c -e "$2" output) -ge $1 ]] && return 0
    sleep 0.1
  done
  echo "FAILED: no $2"
  return 1
}
until_interrupted() { # command
  local code=0
  timeout --signal INT 3 "$@" || code=$?
  [[ $code -eq 124 || $code -eq 130 ]]
}
)";

/// The same lines with what a person adds: the other shell of the server, the
/// pause until the receiver has shown a call and the log has it, Ctrl+C.
class script {
public:
  std::string text = prelude;

  void add(const lines_of_text& lines) {
    for (const auto& command : join_lines(lines))
      add(command);
  }

private:
  void add(const std::string& command) {
    const auto plain = without_comment(command);
    if (plain.starts_with("script/server"))
      return add_program(plain + " &");
    if (plain.ends_with(" &"))
      return add_program(plain);
    if (has(command, "# until Ctrl+C")) {
      text += "until_interrupted " + plain + '\n';
    } else if (has(command, "/calls/ ") || has(command, " calls list ")) {
      text += "for ((i = 0; i < 100; ++i)); do\n" + command
            + "\ngrep -q '\"success\": *true' output && break\nsleep 0.1\n"
              "done\n";
    } else {
      text += command + '\n';
    }
    if (command.starts_with("fanfare publish -a")
        || has(command, "/notifications/ -d"))
      text += "until_there " + std::to_string(++published_)
            + " '\"method\": *\"POST\"'\n";
  }

  void add_program(const std::string& command) {
    text += command + "\nuntil_there " + std::to_string(++programs_)
          + " 'listening on'\n";
  }

  int programs_ = 0;
  int published_ = 0;
};

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

/// The ports that the pages name belong to one test at a time.
class turn_with_the_ports {
public:
  turn_with_the_ports()
    : file_{
      ::open((fs::temp_directory_path() / "fanfare-documented-ports").c_str(),
             O_RDWR | O_CREAT | O_CLOEXEC, 0666)} {}
  turn_with_the_ports(const turn_with_the_ports&) = delete;
  turn_with_the_ports& operator=(const turn_with_the_ports&) = delete;
  ~turn_with_the_ports() {
    ::close(file_);
  }

  bool wait() const {
    return eventually(patience * 3,
                      [this] { return ::flock(file_, LOCK_EX | LOCK_NB) == 0; })
        && eventually(patience, [] { return is_free(8080) && is_free(9000); });
  }

private:
  int file_;
};

class DocumentedCommandsTest : public ::testing::Test {
protected:
  DocumentedCommandsTest() {
    fs::create_directories(dir_ / "build/release");
    fs::create_directories(dir_ / "script");
    dir_.write("build/release/fanfare",
               "#!/bin/sh\necho $$ >> '" + (dir_ / "pids").string()
                 + "'\nexec '" + fanfare_program().string() + "' \"$@\"\n");
    // What script/server does when all is installed and built.
    auto last = read_file(source_dir() / "script/server");
    last.pop_back();
    last.erase(0, last.rfind('\n') + 1);
    EXPECT_THAT(last,
                ::testing::StartsWith("exec build/release/fanfare serve"));
    dir_.write("script/server", "#!/bin/bash\n" + last + '\n');
    for (const auto* program : {"build/release/fanfare", "script/server"})
      fs::permissions(dir_ / program, fs::perms::owner_all);
    dir_.write(".curlrc", "max-time = 60\nfail\n");
  }

  ~DocumentedCommandsTest() override {
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

  void write_files_of(const fs::path& page) {
    const std::string mark = "<!-- file: ";
    for (const auto& block : blocks_of(page, "```json")) {
      if (!block.before.starts_with(mark))
        continue;
      const auto end = block.before.find(" -->");
      std::string text;
      for (const auto& line : block.lines)
        text += line + '\n';
      dir_.write(block.before.substr(mark.size(), end - mark.size()), text);
    }
  }

  /// Runs the lines, each of which has to succeed.
  void run_all(const std::vector<lines_of_text>& parts) {
    const turn_with_the_ports turn;
    ASSERT_TRUE(turn.wait()) << "port 8080 or 9000 is taken";
    script all;
    for (const auto& part : parts) {
      ASSERT_FALSE(part.empty());
      all.add(part);
    }
    dir_.write("script.sh", all.text + "echo 'END OF THE COMMANDS'\n");
    child_process bash{{.program = "bash",
                        .args = {"script.sh"},
                        .env = {{"HOME", dir_.path().string()}},
                        .working_directory = dir_.path()}};
    const auto status = bash.wait(std::chrono::seconds{sanitized ? 240 : 120});
    output_ = read_file(dir_ / "output");
    ASSERT_TRUE(status) << output_;
    EXPECT_EQ(status->code, 0) << output_;
    EXPECT_THAT(output_, HasSubstr("END OF THE COMMANDS"));
    EXPECT_THAT(output_, ::testing::Not(HasSubstr("FAILED")));
  }

  temp_dir dir_;
  std::string output_;
};

TEST_F(DocumentedCommandsTest, OfTheReadmeShowADelivery) {
  const auto lines = commands_to_run("README.md");
  const auto count = [&](const char* part) {
    return std::ranges::count_if(
      lines, [&](const std::string& line) { return has(line, part); });
  };
  ASSERT_GE(count("script/server --allow-network"), 1);
  ASSERT_GE(count("fanfare sink"), 1);
  ASSERT_GE(count("fanfare webhooks create"), 1);
  ASSERT_GE(count("fanfare publish"), 1);
  ASSERT_GE(count("/notifications/ -d"), 1);
  ASSERT_GE(count("/calls/"), 1);
  run_all({lines});
  EXPECT_THAT(output_, ::testing::ContainsRegex("\"success\": *true"));
  EXPECT_THAT(output_, HasSubstr("\"order\": 1001"));
  EXPECT_THAT(output_, HasSubstr("\"order\": 1002"));
}

TEST_F(DocumentedCommandsTest, OfPagesForUsersSucceed) {
  std::vector<lines_of_text> parts{quick_start()};
  for (const auto& page : pages_of_docs()) {
    write_files_of(page);
    if (auto lines = commands_to_run(page); !lines.empty())
      parts.push_back(std::move(lines));
  }
  ASSERT_GE(parts.size(), 2U);
  run_all(parts);
}

TEST(DocumentedCommandsPagesTest, SayWhoRunsWhatIsNotRunHere) {
  int elsewhere = 0;
  auto pages = pages_of_docs();
  pages.emplace_back("README.md");
  for (const auto& page : pages)
    for (const auto& block : blocks_of(page)) {
      const std::string by = "<!-- run by ";
      if (!block.before.starts_with(by))
        continue;
      ++elsewhere;
      const auto end = block.before.find(" -->");
      EXPECT_TRUE(fs::exists(source_dir()
                             / block.before.substr(by.size(), end - by.size())))
        << page << ": " << block.before;
    }
  EXPECT_GE(elsewhere, 1);
}

} // namespace

} // namespace fanfare::test
