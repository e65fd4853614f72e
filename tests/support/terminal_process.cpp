// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/terminal_process.hpp"

#include <fcntl.h>
#include <pty.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace fanfare::test {

namespace {

void check(int error, const char* what) {
  if (error != 0)
    throw std::system_error{error, std::generic_category(), what};
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (auto& string : strings)
    out.push_back(string.data());
  out.push_back(nullptr);
  return out;
}

} // namespace

struct terminal_process::impl {
  impl(const command& what, unsigned short columns) {
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
      check(errno, "no terminal");
    std::array<char, 128> name{};
    check(ptsname_r(master, name.data(), name.size()), "no terminal");
    winsize size{};
    size.ws_col = columns;
    size.ws_row = 24;
    if (ioctl(master, TIOCSWINSZ, &size) != 0)
      check(errno, "no terminal");

    std::vector<std::string> args{what.program.string()};
    args.insert(args.end(), what.args.begin(), what.args.end());
    std::vector<std::string> env;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view setting = *entry;
      if (!what.env.contains(std::string{setting.substr(0, setting.find('='))}))
        env.emplace_back(setting);
    }
    for (const auto& [key, value] : what.env)
      env.push_back(key + '=' + value);
    auto argv = pointers(args);
    auto envp = pointers(env);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    check(posix_spawn_file_actions_init(&actions), "spawn");
    check(posix_spawnattr_init(&attributes), "spawn");
    // Opened by a session leader, it becomes the session's terminal.
    posix_spawn_file_actions_addopen(&actions, 0, name.data(), O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, 0, 2);
    if (!what.working_directory.empty())
      posix_spawn_file_actions_addchdir_np(&actions,
                                           what.working_directory.c_str());
    // A test that was started in the background ignores signals that a user's
    // shell does not.
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGHUP})
      sigaddset(&signals, number);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID
                                            | POSIX_SPAWN_SETSIGMASK
                                            | POSIX_SPAWN_SETSIGDEF);
    const int failed = posix_spawnp(&pid, argv[0], &actions, &attributes,
                                    argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0)
      ::close(master);
    check(failed, "cannot run it");
    reader = std::thread{[this] { read_all(); }};
    type(what.input);
  }

  ~impl() {
    {
      const std::lock_guard guard{mutex};
      if (!status)
        ::kill(pid, SIGKILL);
    }
    reader.join();
    ::close(master);
  }

  void type(std::string_view keys) const {
    while (!keys.empty()) {
      const auto n = ::write(master, keys.data(), keys.size());
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return; // it has ended
      keys.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  /// Until the last process that has the terminal open is gone.
  void read_all() {
    std::array<char, 4096> buffer;
    for (;;) {
      const auto n = ::read(master, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break; // EIO: the other end is closed
      const std::lock_guard guard{mutex};
      text.append(buffer.data(), static_cast<std::size_t>(n));
      changed.notify_all();
    }
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0
           && errno == EINTR) {
      // again
    }
    const std::lock_guard guard{mutex};
    int raw = 0;
    waitpid(pid, &raw, 0);
    status.emplace();
    if (WIFSIGNALED(raw))
      status->signal = WTERMSIG(raw);
    else
      status->code = WEXITSTATUS(raw);
    changed.notify_all();
  }

  int master = -1;
  pid_t pid = -1;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::string text;
  std::optional<exit_status> status;
  std::thread reader;
};

terminal_process::terminal_process(const command& what, unsigned short columns)
  : impl_{std::make_unique<impl>(what, columns)} {
  // nop
}

terminal_process::~terminal_process() = default;

void terminal_process::type(std::string_view keys) {
  impl_->type(keys);
}

bool terminal_process::wait_for(std::string_view text,
                                std::chrono::milliseconds limit) const {
  std::unique_lock lock{impl_->mutex};
  const auto found = [&] {
    return impl_->text.find(text) != std::string::npos;
  };
  impl_->changed.wait_for(lock, limit,
                          [&] { return found() || impl_->status; });
  return found();
}

std::string terminal_process::shown() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->text;
}

std::optional<exit_status>
terminal_process::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock{impl_->mutex};
  impl_->changed.wait_for(lock, limit,
                          [&] { return impl_->status.has_value(); });
  return impl_->status;
}

} // namespace fanfare::test
