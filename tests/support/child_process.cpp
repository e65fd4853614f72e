// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace fanfare::test {

namespace {

[[noreturn]] void fail(const std::string& what, int error = errno) {
  throw std::system_error{error, std::generic_category(), what};
}

class descriptor {
public:
  descriptor() = default;

  explicit descriptor(int fd) : fd_{fd} {
    // nop
  }

  descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {
    // nop
  }

  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  ~descriptor() {
    close();
  }

  void close() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

  int get() const {
    return fd_;
  }

private:
  int fd_ = -1;
};

struct pipe_ends {
  pipe_ends() {
    std::array<int, 2> fds;
    if (pipe2(fds.data(), O_CLOEXEC) != 0)
      fail("pipe");
    read = descriptor{fds[0]};
    write = descriptor{fds[1]};
  }

  descriptor read;
  descriptor write;
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (auto& string : strings)
    result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment(const command& what) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    if (!what.env.contains(std::string{text.substr(0, text.find('='))}))
      result.emplace_back(text);
  }
  for (const auto& [name, value] : what.env)
    result.push_back(name + '=' + value);
  return result;
}

} // namespace

std::string to_string(const exit_status& status) {
  if (status.signal)
    return "signal " + std::to_string(*status.signal);
  return "exit code " + std::to_string(status.code.value_or(-1));
}

struct child_process::impl {
  struct output {
    descriptor pipe;
    std::vector<std::string> lines = {};
    std::string rest = {};
    bool ended = false;
  };

  explicit impl(const command& what) {
    pipe_ends in;
    pipe_ends out;
    pipe_ends err;
    pipe_ends failure;
    // All memory is allocated before the fork: the child of a program with
    // several threads may call only async-signal-safe functions.
    auto program = what.program.string();
    std::vector<std::string> args{program};
    args.insert(args.end(), what.args.begin(), what.args.end());
    auto env = environment(what);
    auto directory = what.working_directory.string();
    auto argv = pointers(args);
    auto envp = pointers(env);
    auto parent = getpid();
    pid = fork();
    if (pid < 0)
      fail("fork");
    if (pid == 0) {
      auto give_up = [&] {
        int error = errno;
        auto ignored = write(failure.write.get(), &error, sizeof(error));
        static_cast<void>(ignored);
        _exit(127);
      };
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent)
        _exit(127); // the test died before the line above
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      // Ignored signals are inherited: a shell ignores some for the programs
      // that it starts in the background.
      for (const int signal : {SIGPIPE, SIGINT, SIGQUIT, SIGHUP, SIGTERM})
        ::signal(signal, SIG_DFL);
      if (!directory.empty() && chdir(directory.c_str()) != 0)
        give_up();
      if (dup2(in.read.get(), STDIN_FILENO) < 0
          || dup2(out.write.get(), STDOUT_FILENO) < 0
          || dup2(err.write.get(), STDERR_FILENO) < 0)
        give_up();
      // The test's sockets must not stay open in the child: a port that the
      // test closes has to be closed.
      auto keep = static_cast<unsigned>(failure.write.get());
      if (keep > 3)
        close_range(3, keep - 1, 0);
      close_range(keep + 1, ~0U, 0);
      execvpe(program.c_str(), argv.data(), envp.data());
      give_up();
    }
    in.read.close();
    out.write.close();
    err.write.close();
    failure.write.close();
    int error = 0;
    ssize_t got = 0;
    do
      got = read(failure.read.get(), &error, sizeof(error));
    while (got < 0 && errno == EINTR);
    if (got == sizeof(error)) {
      waitpid(pid, nullptr, 0);
      fail("cannot run " + program, error);
    }
    outputs[0].pipe = std::move(out.read);
    outputs[1].pipe = std::move(err.read);
    reader = std::thread{[this] { read_outputs(); }};
    waiter = std::thread{[this] { wait_for_end(); }};
    if (!what.input.empty())
      feeder = std::thread{[pipe = std::move(in.write), input = what.input] {
        feed(pipe.get(), input);
      }};
  }

  ~impl() {
    signal(SIGKILL);
    waiter.join();
    // A grandchild may hold the pipes open: do not wait for it.
    stop.write.close();
    reader.join();
    if (feeder.joinable())
      feeder.join();
  }

  static void feed(int fd, std::string_view input) {
    // SIGPIPE would end the test when the child does not read all.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (!input.empty()) {
      auto n = write(fd, input.data(), input.size());
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return;
      input.remove_prefix(static_cast<size_t>(n));
    }
  }

  void read_outputs() {
    for (;;) {
      std::array<pollfd, 3> fds;
      for (size_t i = 0; i < 2; ++i)
        fds[i] = {outputs[i].ended ? -1 : outputs[i].pipe.get(), POLLIN, 0};
      fds[2] = {stop.read.get(), POLLIN, 0};
      if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
        fail("poll");
      bool idle = true;
      for (size_t i = 0; i < 2; ++i) {
        if (fds[i].fd >= 0 && fds[i].revents != 0) {
          idle = false;
          read_some(outputs[i]);
        }
      }
      std::lock_guard guard{mutex};
      if (outputs[0].ended && outputs[1].ended)
        return;
      if (idle && fds[2].revents != 0) {
        outputs[0].ended = true;
        outputs[1].ended = true;
        changed.notify_all();
        return;
      }
    }
  }

  void read_some(output& from) {
    std::array<char, 16384> buffer;
    auto n = read(from.pipe.get(), buffer.data(), buffer.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      return;
    std::lock_guard guard{mutex};
    if (n <= 0) {
      from.ended = true;
      if (!from.rest.empty())
        from.lines.push_back(std::exchange(from.rest, {}));
    } else {
      from.rest.append(buffer.data(), static_cast<size_t>(n));
      size_t begin = 0;
      for (;;) {
        auto end = from.rest.find('\n', begin);
        if (end == std::string::npos)
          break;
        from.lines.push_back(from.rest.substr(begin, end - begin));
        begin = end + 1;
      }
      from.rest.erase(0, begin);
    }
    changed.notify_all();
  }

  void wait_for_end() {
    // The first wait keeps the process id reserved, so that `signal` never
    // reaches another process.
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0
           && errno == EINTR) {
      // again
    }
    std::lock_guard guard{mutex};
    int raw = 0;
    waitpid(pid, &raw, 0);
    status.emplace();
    if (WIFSIGNALED(raw))
      status->signal = WTERMSIG(raw);
    else
      status->code = WEXITSTATUS(raw);
    changed.notify_all();
  }

  bool signal(int number) {
    std::lock_guard guard{mutex};
    return !status && ::kill(pid, number) == 0;
  }

  pid_t pid = -1;
  pipe_ends stop;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::array<output, 2> outputs;
  std::optional<exit_status> status;
  std::thread reader;
  std::thread waiter;
  std::thread feeder;
};

child_process::child_process(const command& what)
  : impl_{std::make_unique<impl>(what)} {
  // nop
}

child_process::child_process(child_process&&) noexcept = default;

child_process& child_process::operator=(child_process&&) noexcept = default;

child_process::~child_process() = default;

pid_t child_process::pid() const noexcept {
  return impl_->pid;
}

bool child_process::running() const {
  std::lock_guard guard{impl_->mutex};
  return !impl_->status;
}

std::optional<std::string> child_process::wait_for_line(
  std::string_view text, std::chrono::milliseconds limit, stream from) const {
  auto deadline = std::chrono::steady_clock::now() + limit;
  const auto& output = impl_->outputs[from == stream::out ? 0 : 1];
  size_t next = 0;
  std::unique_lock lock{impl_->mutex};
  for (;;) {
    for (; next < output.lines.size(); ++next)
      if (output.lines[next].find(text) != std::string::npos)
        return output.lines[next];
    if (output.ended)
      return std::nullopt;
    if (impl_->changed.wait_until(lock, deadline) == std::cv_status::timeout
        && next == output.lines.size())
      return std::nullopt;
  }
}

std::vector<std::string> child_process::lines(stream from) const {
  std::lock_guard guard{impl_->mutex};
  return impl_->outputs[from == stream::out ? 0 : 1].lines;
}

bool child_process::signal(int number) {
  return impl_->signal(number);
}

std::optional<exit_status>
child_process::wait(std::chrono::milliseconds limit) {
  using namespace std::chrono_literals;
  std::unique_lock lock{impl_->mutex};
  if (!impl_->changed.wait_for(lock, limit,
                               [&] { return impl_->status.has_value(); }))
    return std::nullopt;
  impl_->changed.wait_for(lock, 1s, [&] {
    return impl_->outputs[0].ended && impl_->outputs[1].ended;
  });
  return impl_->status;
}

void child_process::kill() {
  impl_->signal(SIGKILL);
  std::unique_lock lock{impl_->mutex};
  impl_->changed.wait(lock, [&] { return impl_->status.has_value(); });
}

std::string run(const command& what, std::chrono::milliseconds limit) {
  auto join = [](const std::vector<std::string>& lines) {
    std::string result;
    for (const auto& line : lines)
      result += line + '\n';
    return result;
  };
  child_process child{what};
  auto status = child.wait(limit);
  if (!status || status->code != 0)
    throw std::runtime_error{what.program.string() + ": "
                             + (status ? to_string(*status) : "too slow") + "\n"
                             + join(child.lines(child_process::stream::err))};
  return join(child.lines());
}

} // namespace fanfare::test
