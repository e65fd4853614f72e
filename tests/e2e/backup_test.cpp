// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Backup, check and restore with real processes, and what goes wrong on the
// way.

#include "tests/e2e/support/backup_test.hpp"

#include "tests/support/terminal_process.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <csignal>
#include <fstream>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

class BackupTest : public backup_e2e_test {
protected:
  void serve_something(std::vector<std::string> args = {}) {
    serve(std::move(args));
    add_organizer("acme");
    add_webhook("acme", {.url = sink_.url()});
    for (int i = 0; i < 50; ++i)
      publish("acme", std::string(20'000, 'x'));
  }

  /// So slow that it does not end by itself.
  child_process begin_slow_backup(const std::string& target) const {
    return child_process{program({"backup", target, "--rate", "8K"})};
  }

  /// Waits until it has got something, which has no name yet.
  static bool wait_for_begin(const child_process& process) {
    const fs::path files = "/proc/" + std::to_string(process.pid()) + "/fd";
    return eventually(patience, [&] {
      std::error_code gone;
      for (fs::directory_iterator at{files, gone}, end; !gone && at != end;
           at.increment(gone)) {
        std::error_code code;
        const auto name = fs::read_symlink(at->path(), code).string();
        if ((name.ends_with("(deleted)") || name.ends_with(".partial"))
            && fs::file_size(at->path(), code) > 0 && !code)
          return true;
      }
      return false;
    });
  }

  /// Names in the test's directory, but for the server's own.
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{dir_.path()})
      if (const auto name = entry.path().filename().string(); name != "data")
        names.push_back(name);
    return names;
  }
};

TEST_F(BackupTest, UnderLoadLosesNothingThatWasAnsweredBefore) {
  back_up_under_load(5);
}

TEST_F(BackupTest, IsForTheServersAdministratorAlone) {
  serve();
  add_organizer("acme");
  const auto key = add_token("acme", {"admin", "webhooks", "notifications"});
  EXPECT_EQ(rest_client{running().port()}.post("/api/v1/backup/", {}).status,
            401U);
  EXPECT_EQ(running().client(key).post("/api/v1/backup/", {}).status, 403U);
  auto as_organizer = program({"backup", "a.backup"});
  as_organizer.env["FANFARE_TOKEN"] = key;
  child_process refused{as_organizer};
  EXPECT_EQ(end_of(refused).code, 4);
  EXPECT_FALSE(fs::exists(dir_ / "a.backup"));
}

TEST_F(BackupTest, WhoHasAllOfOneMayAskForTheNext) {
  serve_something();
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(api().post("/api/v1/backup/", boost::json::object{}).status, 200U)
      << i;
}

TEST_F(BackupTest, IsReadableByItsOwnerAndReplacesNothing) {
  serve_something();
  ASSERT_EQ(run({"backup", "a.backup"}).code, 0);
  struct stat found {};
  ASSERT_EQ(::stat((dir_ / "a.backup").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  const auto again = run({"backup", "a.backup"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("nothing is replaced"));
  const auto nowhere = run({"backup", "no/such/a.backup"});
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("Make it first"));
}

TEST_F(BackupTest, ShowsItsProgressOnATerminal) {
  serve_something();
  terminal_process process{program({"backup", "a.backup", "--rate", "1M"}), 80};
  ASSERT_EQ(process.wait(patience), (exit_status{.code = 0, .signal = {}}));
  EXPECT_THAT(process.shown(), HasSubstr("###"));
  EXPECT_THAT(process.shown(), HasSubstr("MiB of"));
}

TEST_F(BackupTest, ThatFindsNoRoomLeavesNothing) {
  serve_something();
  auto what = program({"-c", "ulimit -f 100; exec \"$0\" backup a.backup",
                       fanfare_program().string()});
  what.program = "/bin/bash";
  child_process process{what};
  const auto ended = end_of(process);
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("largest size allowed"));
  EXPECT_TRUE(left().empty());
  EXPECT_EQ(run({"backup", "a.backup"}).code, 0);
}

TEST_F(BackupTest, WhoseClientIsKilledLeavesNothingAndFreesTheServer) {
  serve_something();
  auto process = begin_slow_backup("a.backup");
  ASSERT_TRUE(wait_for_begin(process));
  EXPECT_THAT(run({"backup", "b.backup"}).err, HasSubstr("being made already"));
  process.kill();
  EXPECT_TRUE(left().empty());
  // It learns of that with what it sends next.
  EXPECT_TRUE(eventually(patience, [&] {
    return run({"backup", "b.backup"}).code == 0;
  }));
  check("b.backup");
}

TEST_F(BackupTest, WhoseServerIsKilledLeavesNothing) {
  serve_something();
  auto process = begin_slow_backup("a.backup");
  ASSERT_TRUE(wait_for_begin(process));
  kill();
  const auto ended = end_of(process);
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("closed the connection"));
  EXPECT_TRUE(left().empty());
  serve();
  EXPECT_EQ(run({"backup", "a.backup"}).code, 0);
}

TEST_F(BackupTest, DoesNotKeepTheServerFromStopping) {
  serve_something();
  auto process = begin_slow_backup("a.backup");
  ASSERT_TRUE(wait_for_begin(process));
  stop();
  EXPECT_EQ(end_of(process).code, 3);
  EXPECT_TRUE(left().empty());
}

TEST_F(BackupTest, OfADirectoryNeedsNoServer) {
  serve_something();
  const auto last = publish();
  const auto data = (dir_ / "data").string();
  const auto used = run({"backup", "a.backup", "--data", data});
  EXPECT_EQ(used.code, 1);
  EXPECT_THAT(used.err, HasSubstr("leave out --data"));
  const auto looked = run({"check", data});
  EXPECT_EQ(looked.code, 2);
  EXPECT_THAT(looked.err, HasSubstr("check a backup"));
  // What was answered last is in the log alone.
  kill();
  const auto made = run({"backup", "a.backup", "--data", data});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(number_of(check("a.backup"), "last_notification"), last);
  const auto restored = run({"restore", "a.backup", "restored"});
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_THAT(restored.out, HasSubstr("fanfare serve --data restored"));
}

TEST_F(BackupTest, IsRestoredOnlyIfItIsWhole) {
  serve_something();
  ASSERT_EQ(run({"backup", "a.backup"}).code, 0);
  EXPECT_EQ(run({"restore", "a.backup", "data"}).code, 2);
  {
    std::fstream out{dir_ / "a.backup",
                     std::ios::binary | std::ios::in | std::ios::out};
    out.seekp(100'000);
    out.put('!');
  }
  const auto checked = run({"check", "a.backup"});
  EXPECT_EQ(checked.code, 1);
  EXPECT_THAT(checked.out, HasSubstr("the checksum is not that of the file"));
  const auto restored = run({"restore", "a.backup", "restored"});
  EXPECT_EQ(restored.code, 2);
  EXPECT_THAT(restored.err, HasSubstr("checksum"));
  EXPECT_FALSE(fs::exists(dir_ / "restored"));
  EXPECT_EQ(run({"check", "nothing"}).code, 2);
  EXPECT_EQ(run({"check", "a.backup", "--no-such"}).code, 2);
}

TEST_F(BackupTest, SaysWhatTheRestoredServerNeeds) {
  std::ofstream{dir_ / "key"} << std::string(64, 'a') << '\n';
  fs::permissions(dir_ / "key", fs::perms::owner_read);
  serve_something({"--secret-key-file", (dir_ / "key").string()});
  ASSERT_EQ(run({"backup", "a.backup"}).code, 0);
  stop();
  const auto restored = run({"restore", "a.backup", "restored"});
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_THAT(restored.out, HasSubstr("--secret-key-file FILE"));
  EXPECT_THROW(server({.data = dir_ / "restored"}), std::runtime_error);
  server again{{.data = dir_ / "restored",
                .args = {"--secret-key-file", (dir_ / "key").string()}}};
  EXPECT_EQ(again.stop().code, 0);
}

// -- by itself ----------------------------------------------------------------

class ScheduleTest : public BackupTest {
protected:
  [[nodiscard]] std::size_t count() const {
    std::size_t found = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{backups(), ignored})
      found += entry.path().extension() == ".backup" ? 1 : 0;
    return found;
  }
  [[nodiscard]] fs::path backups() const {
    return dir_ / "backups";
  }
};

TEST_F(ScheduleTest, KeepsTheNewest) {
  serve({"--backup-dir", backups().string(), "--backup-every", "1s",
         "--backup-keep", "2"});
  const auto line = [this] {
    std::size_t made = 0;
    for (const auto& text :
         running().process().lines(child_process::stream::err))
      made += text.find(" was made in ") != std::string::npos ? 1 : 0;
    return made;
  };
  std::ofstream{backups() / "fanfare-mine.backup"} << "not one of its own";
  ASSERT_TRUE(eventually(patience, [&] { return line() >= 4; }))
    << running().log_tail();
  stop();
  EXPECT_EQ(count(), 2U + 1U);
  EXPECT_TRUE(fs::exists(backups() / "fanfare-mine.backup"));
  fs::remove(backups() / "fanfare-mine.backup");
  for (const auto& entry : fs::directory_iterator{backups()})
    check(entry.path().string());
}

TEST_F(ScheduleTest, TriesAgainAfterAFailure) {
  serve({"--backup-dir", backups().string(), "--backup-every", "1s"});
  ASSERT_TRUE(eventually(patience, [&] { return count() > 0; }));
  fs::rename(backups(), dir_ / "gone");
  ASSERT_TRUE(running().process().wait_for_line("no backup was made", patience,
                                                child_process::stream::err));
  fs::create_directory(backups());
  EXPECT_TRUE(eventually(patience, [&] { return count() > 0; }));
}

TEST_F(ScheduleTest, GoesOnWhereTheLastRunEnded) {
  serve({"--backup-dir", backups().string()});
  ASSERT_TRUE(eventually(patience, [&] { return count() == 1; }));
  stop();
  serve({"--backup-dir", backups().string()});
  // The next one is due in a day.
  add_organizer("acme");
  stop();
  EXPECT_EQ(count(), 1U);
}

} // namespace

} // namespace fanfare::test
