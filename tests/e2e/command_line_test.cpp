// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The command line as its users meet it, above all when they err.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/paths.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <csignal>

namespace fanfare::test {

namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

class CommandLineTest : public E2eTest {
protected:
  struct ending {
    exit_status status;
    std::string out;
    std::string err;
  };

  /// Runs it to its end.
  ending run_to_end(std::vector<std::string> args,
                    std::map<std::string, std::string> env = {}) const {
    env.emplace("FANFARE_ADMIN_TOKEN", server::admin_key);
    child_process process{{.program = fanfare_program(),
                           .args = std::move(args),
                           .env = std::move(env),
                           .working_directory = dir_.path()}};
    const auto status = process.wait(patience);
    if (!status)
      throw std::runtime_error{"it does not end: " + process.lines().at(0)};
    ending out{.status = *status, .out = {}, .err = {}};
    for (const auto& line : process.lines())
      out.out += line + '\n';
    for (const auto& line : process.lines(child_process::stream::err))
      out.err += line + '\n';
    return out;
  }

  std::string data() const {
    return (dir_ / "data").string();
  }
};

TEST_F(CommandLineTest, TellsItsVersion) {
  const auto told = run_to_end({"--version"});
  EXPECT_EQ(told.status.code, 0);
  EXPECT_THAT(told.out, MatchesRegex("fanfare [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(CommandLineTest, TellsItsCommandsAndOptions) {
  const auto main = run_to_end({"--help"});
  EXPECT_EQ(main.status.code, 0);
  for (const auto* word : {"serve", "sink", "--version", "--help"})
    EXPECT_THAT(main.out, HasSubstr(word));
  const auto serve = run_to_end({"serve", "--help"});
  EXPECT_EQ(serve.status.code, 0);
  for (const auto* word :
       {"--config", "--data", "--listen", "--allow-network", "--threads",
        "--ca-file", "--schedule", "--max-age", "--retention",
        "--max-store-size", "127.0.0.1:8080", "FANFARE_ADMIN_TOKEN", "SIGTERM",
        "DURATION: ", "500ms, 30s, 5m, 2h or 3d", "SIZE: ", "512M or 64G",
        "have 8 s to end"})
    EXPECT_THAT(serve.out, HasSubstr(word));
  const auto sink = run_to_end({"sink", "--help"});
  EXPECT_EQ(sink.status.code, 0);
  for (const auto* word : {"--listen", "--status", "--delay", "--secret"})
    EXPECT_THAT(sink.out, HasSubstr(word));
}

TEST_F(CommandLineTest, ExplainsWrongUsage) {
  const struct {
    const char* name;
    std::vector<std::string> args;
    const char* about;
  } table[] = {
    {"no command", {}, "subcommand"},
    {"unknown command", {"dance"}, "dance"},
    {"unknown option", {"serve", "--no-such-option"}, "--no-such-option"},
    {"command misspelt", {"webhook"}, "did you mean \"webhooks\"?"},
    {"option misspelt", {"serve", "--datta", "x"}, "did you mean --data?"},
    {"value missing", {"serve", "--data"}, "--data"},
    {"port missing", {"serve", "--listen", "127.0.0.1"}, "port"},
    {"port too large", {"serve", "--listen", "127.0.0.1:70000"}, "port"},
    {"host missing", {"serve", "--listen", ":8080"}, "host"},
    {"no network", {"serve", "--allow-network", "everything"}, "everything"},
    {"prefix too long", {"serve", "--allow-network", "10.0.0.0/33"}, "33"},
    {"threads no number", {"serve", "--threads", "many"}, "--threads"},
    {"too many threads", {"serve", "--threads", "100000"}, "threads"},
    {"schedule no durations", {"serve", "--schedule", "5s,soon"}, "soon"},
    {"schedule empty part", {"serve", "--schedule", "5s,,6s"}, "--schedule"},
    {"unknown unit",
     {"serve", "--max-age", "3w"},
     "\"3w\" has an unknown unit; use ms, s, m, h or d"},
    {"no age", {"serve", "--max-age", "0"}, "max-age must be"},
    {"no retention", {"serve", "--retention", "0s"}, "retention"},
    {"window zero", {"serve", "--window", "0"}, "--window"},
    {"too many calls", {"serve", "--max-in-flight", "65"}, "--max-in-flight"},
    {"size", {"serve", "--max-store-size", "lots"}, "lots"},
    {"store too small",
     {"serve", "--max-store-size", "1"},
     "max-store-size must be at least 4 MiB (4194304)"},
    {"log level", {"serve", "--log-level", "loud"}, "loud"},
    {"no decimal number", {"serve", "--max-in-flight", "0x10"}, "0x10"},
    {"config missing", {"serve", "--config", "/no/such/file"}, "/no/such/file"},
  };
  for (const auto& [name, args, about] : table) {
    SCOPED_TRACE(name);
    auto all = args;
    if (all.size() > 1 && all[1] != "--data") {
      // Should it be taken after all.
      if (all[1] != "--listen")
        all.insert(all.begin() + 1, {"--listen", "127.0.0.1:0"});
      all.insert(all.begin() + 1, {"--data", data()});
    }
    const auto told = run_to_end(all);
    EXPECT_EQ(told.status.code, 2) << told.err;
    EXPECT_THAT(told.err, HasSubstr(about));
    EXPECT_THAT(told.out, Not(HasSubstr("listening")));
  }
}

TEST_F(CommandLineTest, ExplainsACertificateFileThatIsNone) {
  const auto file = dir_.write("ca.pem", "no certificate");
  for (const auto& path : {file.string(), std::string{"/no/such/ca.pem"}}) {
    const auto told = run_to_end({"serve", "--data", data(), "--listen",
                                  "127.0.0.1:0", "--ca-file", path});
    EXPECT_TRUE(told.status.code && *told.status.code != 0);
    EXPECT_THAT(told.err, HasSubstr(path));
  }
}

TEST_F(CommandLineTest, ExplainsAnAdminTokenThatIsTooShort) {
  const auto told = run_to_end(
    {"serve", "--data", data(), "--listen", "127.0.0.1:0"},
    {{"FANFARE_ADMIN_TOKEN", "short"}});
  EXPECT_EQ(told.status.code, 2);
  EXPECT_THAT(told.err, HasSubstr("FANFARE_ADMIN_TOKEN"));
  EXPECT_THAT(told.err, HasSubstr("16"));
}

TEST_F(CommandLineTest, ReadsOptionsFromAFile) {
  const auto file = dir_.write(
    "fanfare.toml", "# a comment\ndata = \"" + data()
                      + "\"\nlisten = \"127.0.0.2:0\"\nschedule = \"7s,8s\"\n"
                        "allow-network = [\"127.0.0.0/8\", \"10.0.0.0/8\"]\n");
  child_process process{
    {.program = fanfare_program(),
     .args = {"serve", "--config", file.string(), "--listen", "127.0.0.1:0"},
     .env = {{"FANFARE_ADMIN_TOKEN", server::admin_key}},
     .working_directory = dir_.path()}};
  // The command line wins.
  ASSERT_TRUE(
    process.wait_for_line("listening on http://127.0.0.1:", patience));
  EXPECT_TRUE(std::filesystem::exists(dir_ / "data/fanfare.mdb"));
  ASSERT_TRUE(process.signal(SIGTERM));
  const auto status = process.wait(patience);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
}

TEST_F(CommandLineTest, ExplainsMistakesInTheFile) {
  const struct {
    const char* content;
    const char* about;
  } table[] = {
    {"no-such-option = 1\n", "no-such-option"},
    {"listen = \"127.0.0.1:0\"\nmax_age = \"3d\"\n",
     "fanfare.toml:2:11: there is no option \"max_age\"; the nearest one is "
     "\"max-age\""},
    {"config = \"x\"\n", "there is no option \"config\""},
    {"max-age = [\"1d\", \"2d\"]\n", "takes one value, no array"},
    {"data = 5\n", "fanfare.toml:1:8: the value of \"data\" has to be a text"},
    {"retention = \"1d\"\n[serve]\nretention = \"2d\"\n",
     "fanfare.toml:3:13: \"retention\" was set before, at"},
    {"\n\nwindow = 0\n", "fanfare.toml:3:10: "},
    {"max-age = \"0s\"\n", "fanfare.toml:1:11: max-age must be"},
    {"allow-network = [\"any\"]\n", "fanfare.toml:1:17: "},
    {"schedule = \"soon\"\n", "soon"},
    {"proxy-resolves = 1\n", "has to be true or false"},
    {"data = true\n", "cannot be true or false"},
    {"window = 0\n", "--window"},
    {"[sink]\nstatus = 500\n", "sink.status"},
    {"allow-network = [\"10.0.0.0/8\", \"everything\"]\n", "everything"},
  };
  for (const auto& [content, about] : table) {
    SCOPED_TRACE(content);
    const auto file = dir_.write("fanfare.toml", content);
    const auto told = run_to_end({"serve", "--data", data(), "--listen",
                                  "127.0.0.1:0", "--config", file.string()});
    EXPECT_EQ(told.status.code, 2) << told.err;
    EXPECT_THAT(told.err, HasSubstr(about));
  }
}

TEST_F(CommandLineTest, MakesAnAdminTokenThatOnlyItsOwnerCanRead) {
  const auto begin = [&] {
    return child_process{
      {.program = fanfare_program(),
       .args = {"serve", "--data", data(), "--listen", "127.0.0.1:0"},
       .env = {{"FANFARE_ADMIN_TOKEN", ""}}}};
  };
  std::string key;
  for (int start = 0; start < 2; ++start) {
    auto process = begin();
    const auto line = process.wait_for_line("listening on ", patience);
    ASSERT_TRUE(line);
    const auto file = dir_ / "data/admin.token";
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    auto found = read_file(file);
    found.erase(found.find_last_not_of('\n') + 1);
    EXPECT_GE(found.size(), 32U);
    if (start == 0)
      key = found;
    EXPECT_EQ(found, key); // made once
    const auto port = static_cast<std::uint16_t>(
      std::stoul(line->substr(line->rfind(':') + 1)));
    EXPECT_EQ(rest_client(port, key).get("/api/v1/organizers/").status, 200U);
    EXPECT_EQ(rest_client(port, key + 'x').get("/api/v1/organizers/").status,
              401U);
    for (const auto& text : process.lines(child_process::stream::err))
      EXPECT_THAT(text, Not(HasSubstr(key)));
    ASSERT_TRUE(process.signal(SIGTERM));
    const auto status = process.wait(patience);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 0);
  }
}

TEST_F(CommandLineTest, RefusesADirectoryThatAnotherProcessUses) {
  start();
  const auto told = run_to_end(
    {"serve", "--data", data(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(told.status.code, 1);
  EXPECT_THAT(told.err, HasSubstr("used by another process"));
  EXPECT_THAT(told.err, HasSubstr(std::to_string(running().process().pid())));
  EXPECT_THAT(told.out, IsEmpty());
  EXPECT_EQ(api().get("/readyz").status, 200U); // the first one goes on
}

TEST_F(CommandLineTest, RefusesADirectoryOfSomethingElse) {
  dir_.write("note.txt", "mine");
  const auto told = run_to_end(
    {"serve", "--data", dir_.path().string(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(told.status.code, 1);
  EXPECT_THAT(told.err, HasSubstr("note.txt"));
  EXPECT_EQ(read_file(dir_ / "note.txt"), "mine");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "fanfare.mdb"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "admin.token"));
}

TEST_F(CommandLineTest, RefusesAStoreThatIsNone) {
  std::filesystem::create_directory(dir_ / "data");
  dir_.write("data/fanfare.mdb", std::string(100'000, 'x'));
  const auto told = run_to_end(
    {"serve", "--data", data(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(told.status.code, 1);
  EXPECT_THAT(told.err, HasSubstr("not a Fanfare store"));
}

TEST_F(CommandLineTest, SaysWhyItCannotListen) {
  start();
  const auto taken = run_to_end(
    {"serve", "--data", (dir_ / "second").string(), "--listen",
     "127.0.0.1:" + std::to_string(running().port())});
  EXPECT_EQ(taken.status.code, 1);
  EXPECT_THAT(taken.err, HasSubstr("in use"));
  const auto foreign = run_to_end(
    {"serve", "--data", (dir_ / "second").string(), "--listen", "192.0.2.1:0"});
  EXPECT_EQ(foreign.status.code, 1);
  EXPECT_THAT(foreign.err, HasSubstr("192.0.2.1"));
}

} // namespace

} // namespace fanfare::test
