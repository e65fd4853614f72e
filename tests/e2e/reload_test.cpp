// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// SIGHUP: the options of a running server, read again.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::HasSubstr;

class ReloadTest : public E2eTest {
protected:
  /// With what the file says, and nothing of this machine allowed.
  void serve(const std::string& settings, std::vector<std::string> args = {}) {
    write(settings);
    args.insert(args.begin(), {"--config", (dir_ / "fanfare.toml").string()});
    start(std::move(args), false);
    add_organizer("acme");
  }

  void write(const std::string& settings) {
    dir_.write("fanfare.toml", settings);
  }

  /// Waits for a line of the log that has this, after a SIGHUP.
  void reload(const std::string& outcome) {
    running().process().signal(SIGHUP);
    ASSERT_TRUE(logged(outcome)) << outcome << " is not in\n"
                                 << running().log_tail();
  }

  bool logged(const std::string& text) {
    return running()
      .process()
      .wait_for_line(text, patience, child_process::stream::err)
      .has_value();
  }

  /// The same of the line that says so again.
  bool logged_again(const std::string& text, std::ptrdiff_t times) {
    return eventually(patience, [&] {
      const auto lines = running().process().lines(child_process::stream::err);
      return std::ranges::count_if(lines,
                                   [&](const auto& line) {
                                     return line.find(text)
                                         != std::string::npos;
                                   })
          >= times;
    });
  }

  /// Whether it is in the log by now.
  bool has_logged(const std::string& text) {
    for (const auto& line :
         running().process().lines(child_process::stream::err))
      if (line.find(text) != std::string::npos)
        return true;
    return false;
  }

  std::string next_page() {
    const auto page = api().get("/api/v1/action-types/").json();
    return text_of(page, "next");
  }

  static std::string reason_of(const json::object& call) {
    return std::string{call.at("reason").as_string()};
  }
};

TEST_F(ReloadTest, AppliesWhatCanChangeAndSaysSo) {
  serve("schedule = [\"1h\"]\nlog-level = \"info\"\n");
  http_sink sink;
  const auto hook = add_webhook("acme", {.url = sink.url()});
  publish("acme");
  EXPECT_THAT(reason_of(wait_for_calls("acme", hook, 1)[0]),
              HasSubstr("policy"));
  EXPECT_THAT(next_page(), HasSubstr("http://127.0.0.1:"));

  const auto backups = dir_ / "backups";
  write("schedule = [\"1s\", \"2h\"]\n"
        "allow-network = [\"127.0.0.0/8\"]\n"
        "public-url = \"https://hooks.example.com/fanfare\"\n"
        "retention = \"10d\"\n"
        "backup-dir = \""
        + backups.string() + "\"\nlog-level = \"debug\"\nwindow = 9\n");
  reload("--schedule was 1h and is 1s,2h now");
  for (const auto* line :
       {"--allow-network was nothing and is 127.0.0.0/8 now",
        "--public-url was nothing and is https://hooks.example.com/fanfare now",
        "--retention was 30d and is 10d now",
        "--log-level was info and is debug now",
        "--window was 256 and is 9 now: that needs a restart"})
    EXPECT_TRUE(logged(line)) << line;

  // What was refused is due in an hour, what comes now is delivered.
  publish("acme");
  ASSERT_TRUE(sink.wait_for(1, patience));
  EXPECT_THAT(next_page(), HasSubstr("https://hooks.example.com/fanfare/api/"));
  EXPECT_EQ(
    number_of(api().get("/api/v1/status/").json().at("retention"), "period"),
    10U * 86'400);
  EXPECT_TRUE(logged("GET /api/v1/status/")) << "a request is logged at debug";
  EXPECT_TRUE(eventually(patience, [&] { return !fs::is_empty(backups); }));
  // The new schedule is that of failures from now on.
  sink.set_handler(
    [](const request_record&) { return response_plan::answer(500); });
  const auto failing = publish("acme");
  ASSERT_TRUE(eventually(patience, [&] {
    std::size_t seen = 0;
    for (const auto& r : sink.records())
      seen += id_in(r.body) == failing ? 1U : 0U;
    return seen == 2;
  }));
  // Networks can be taken away again.
  write("log-level = \"info\"\n");
  reload("--allow-network was 127.0.0.0/8 and is nothing now");
  const auto calls = wait_for_calls("acme", hook, 4).size();
  publish("acme");
  EXPECT_THAT(reason_of(wait_for_calls("acme", hook, calls + 1).back()),
              HasSubstr("policy"));
}

TEST_F(ReloadTest, ABrokenFileChangesNothing) {
  serve("public-url = \"https://a.example.com\"\n");
  const std::pair<std::string, std::string> broken[] = {
    {"public-url = \"https://b.example.com\"\nretention = [\n",
     "nothing has changed: "},
    {"public-url = \"https://b.example.com\"\nretenion = \"1d\"\n",
     "fanfare.toml:2:12: there is no option \"retenion\""},
    {"public-url = \"https://b.example.com\"\nretention = \"soon\"\n",
     "fanfare.toml:2:13: "},
    {"public-url = \"https://b.example.com\"\nmax-in-flight = 65\n",
     "fanfare.toml:2:17: "},
    {"public-url = \"https://b.example.com\"\nfirst-byte-timeout = \"99s\"\n",
     "fanfare.toml:2:22: "},
    {"public-url = \"https://b.example.com\"\nallow-network = "
     "[\"10.0.0.1/8\"]\n",
     "bits are set behind the prefix"},
    {"public-url = \"https://b.example.com\"\ntrusted-proxy = [\"nobody\"]\n",
     "nobody"},
    {"public-url = \"https://b.example.com\"\nbackup-dir = \"/proc/none\"\n",
     "fanfare.toml:2:14: "},
    {"public-url = \"https://b.example.com\"\ntls-cert = \"cert.pem\"\n",
     "--tls-cert and --tls-key go together"},
  };
  for (const auto& [settings, why] : broken) {
    SCOPED_TRACE(settings);
    write(settings);
    running().process().signal(SIGHUP);
    ASSERT_TRUE(logged(why)) << running().log_tail();
    EXPECT_THAT(next_page(), HasSubstr("https://a.example.com/"));
  }
  EXPECT_FALSE(has_logged("https://b.example.com"));
  fs::remove(dir_ / "fanfare.toml");
  running().process().signal(SIGHUP);
  EXPECT_TRUE(logged_again("nothing has changed: ", std::size(broken) + 1));
  write("public-url = \"https://c.example.com\"\n");
  reload("--public-url was https://a.example.com and is https://c.example.com");
  EXPECT_THAT(next_page(), HasSubstr("https://c.example.com/"));
}

TEST_F(ReloadTest, WhatTheCommandLineSaysWins) {
  serve("public-url = \"https://a.example.com\"\n",
        {"--public-url", "https://b.example.com", "--log-level", "debug"});
  write("public-url = \"https://c.example.com\"\nthreads = 3\n"
        "proxy = \"http://user:hunter2@127.0.0.1:3128\"\n");
  reload("--threads was 0 and is 3 now: that needs a restart");
  EXPECT_TRUE(logged("--proxy has changed: that needs a restart"));
  EXPECT_THAT(next_page(), HasSubstr("https://b.example.com/"));
  EXPECT_FALSE(has_logged("hunter2"));
  EXPECT_FALSE(has_logged("c.example.com"));
  // It still does, until then.
  write("threads = 3\n");
  running().process().signal(SIGHUP);
  EXPECT_TRUE(
    logged_again("--threads was 0 and is 3 now: that needs a restart", 2));
  write("");
  reload("none has changed");
}

TEST_F(ReloadTest, TheManualSaysOfEachOptionWhatItDoes) {
  const auto help = run(
    {.program = fanfare_program(), .args = {"serve", "-h"}});
  const auto page = read_file(source_dir() / "docs" / "operations.md");
  const auto begin = page.find("### Reloading");
  const auto table = page.substr(begin, page.find("\n### ", begin) - begin);
  std::size_t found = 0;
  const std::regex option{"\n +--([a-z-]+)"};
  for (std::sregex_iterator i{help.begin(), help.end(), option}, end; i != end;
       ++i) {
    const auto name = (*i)[1].str();
    if (name == "config" || name == "help" || name == "help-all")
      continue;
    ++found;
    EXPECT_THAT(table, HasSubstr("`" + name + "`"));
  }
  EXPECT_GT(found, 40U) << help;
}

} // namespace

} // namespace fanfare::test
