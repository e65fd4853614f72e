// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the server tells the service manager that started it, here the test.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <gmock/gmock.h>

#include <poll.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

/// A thread that the test has stopped, until the end of its life.
class stopped_thread {
public:
  explicit stopped_thread(pid_t thread) : thread_{thread} {
    if (::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) != 0
        || ::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0)
      throw std::system_error{errno, std::generic_category(), "ptrace"};
    ::waitpid(thread_, nullptr, __WALL);
  }
  stopped_thread(const stopped_thread&) = delete;
  stopped_thread& operator=(const stopped_thread&) = delete;
  ~stopped_thread() {
    ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  }

private:
  pid_t thread_;
};

class ServiceManagerTest : public E2eTest {
protected:
  ServiceManagerTest() : socket_{::socket(AF_UNIX, SOCK_DGRAM, 0)} {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strcpy(at.sun_path, (dir_ / "notify").c_str());
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
      throw std::system_error{errno, std::generic_category(), "bind"};
  }
  ~ServiceManagerTest() override {
    ::close(socket_);
  }

  void start_supervised(std::vector<std::string> environment = {}) {
    environment.insert(environment.begin(),
                       {"env", "NOTIFY_SOCKET=" + (dir_ / "notify").string()});
    server_.emplace(server_options{.data = dir_ / "data",
                                   .args = {"--threads", "2"},
                                   .wrapper = environment});
  }

  /// The next message; empty: none came in time.
  std::string next(std::chrono::milliseconds limit = patience) {
    pollfd waits{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waits, 1, static_cast<int>(limit.count())) != 1)
      return {};
    std::array<char, 4096> buffer;
    const auto size = ::recv(socket_, buffer.data(), buffer.size(), 0);
    return {buffer.data(),
            static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

  std::string next_but_food() {
    for (;;)
      if (auto text = next(); text != "WATCHDOG=1")
        return text;
  }

  pid_t thread_named(const std::string& name) {
    const fs::path all = "/proc/" + std::to_string(running().process().pid())
                       + "/task";
    for (const auto& one : fs::directory_iterator{all})
      if (read_file(one.path() / "comm") == name + '\n')
        return std::stoi(one.path().filename());
    throw std::runtime_error{"there is no thread " + name};
  }

  int socket_;
};

TEST_F(ServiceManagerTest, IsToldOfEachChange) {
  start_supervised();
  const auto url = "http://127.0.0.1:" + std::to_string(running().port());
  EXPECT_EQ(next(), "READY=1\nSTATUS=listening on " + url);
  running().process().signal(SIGHUP);
  EXPECT_THAT(next(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_THAT(next(), StartsWith("READY=1\n"));
  stop();
  EXPECT_THAT(next(), StartsWith("STOPPING=1\n"));
  EXPECT_EQ(next(0ms), "");
}

TEST_F(ServiceManagerTest, IsKeptAwakeUntilTheServerEnds) {
  start_supervised({"WATCHDOG_USEC=300000"});
  EXPECT_THAT(next(), StartsWith("READY=1"));
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(next(), "WATCHDOG=1");
  stop();
  EXPECT_THAT(next_but_food(), StartsWith("STOPPING=1"));
}

// The whole process still answers its clients.
TEST_F(ServiceManagerTest, IsNotFedWhileAnIoThreadHangs) {
  start_supervised({"WATCHDOG_USEC=600000"});
  EXPECT_THAT(next(), StartsWith("READY=1"));
  {
    const stopped_thread lane{thread_named("lane-1")};
    // But for what was sent before, or asked.
    EXPECT_TRUE(eventually(patience, [this] { return next(1s).empty(); }));
    EXPECT_EQ(api().get("/healthz").status, 200U);
  }
  EXPECT_EQ(next(), "WATCHDOG=1");
}

TEST_F(ServiceManagerTest, IsNotFedByAWatchdogOfSomebodyElse) {
  start_supervised({"WATCHDOG_USEC=30000", "WATCHDOG_PID=1"});
  EXPECT_THAT(next(), StartsWith("READY=1"));
  EXPECT_EQ(next(300ms), "");
}

} // namespace

} // namespace fanfare::test
