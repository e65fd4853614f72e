// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Real child processes for end-to-end tests. A child never outlives its test:
/// the destructor kills it, and the kernel does if the test dies.

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::test {

/// How a process ended: exactly one of the two is set.
struct exit_status {
  std::optional<int> code;
  std::optional<int> signal;

  bool operator==(const exit_status&) const = default;
};

/// For messages: "exit code 3" or "signal 9".
std::string to_string(const exit_status& status);

/// The program to run.
struct command {
  /// A path if it has a slash, else searched for in PATH.
  std::filesystem::path program;
  std::vector<std::string> args = {};
  /// Added to the test's own environment.
  std::map<std::string, std::string> env = {};
  /// Empty: the test's.
  std::filesystem::path working_directory = {};
  /// Its standard input, then the end of file.
  std::string input = {};
};

/// One running or ended child, its output kept line by line. Any thread may
/// call any function. Start children from a thread that lives as long as they
/// should: the kernel ends them with the thread.
class child_process {
public:
  enum class stream { out, err };

  /// Starts the program. Throws `std::system_error` if it cannot be executed.
  explicit child_process(const command& what);

  child_process(child_process&&) noexcept;

  child_process& operator=(child_process&&) noexcept;

  /// Kills it with SIGKILL if it still runs, and waits for its end.
  ~child_process();

  pid_t pid() const noexcept;

  bool running() const;

  /// The first whole line of the stream that contains `text`, whether written
  /// before or after this call. Nothing once `limit` has passed, or as soon as
  /// the stream ends without such a line.
  std::optional<std::string> wait_for_line(std::string_view text,
                                           std::chrono::milliseconds limit,
                                           stream from = stream::out) const;

  /// All lines so far, without line ends. An unfinished line is included only
  /// once the stream ends.
  std::vector<std::string> lines(stream from = stream::out) const;

  /// Sends a signal; false when the process has ended already.
  bool signal(int number);

  /// How it ended; nothing if it still runs after `limit`. Once there is a
  /// status, `lines` is complete, unless a grandchild holds the pipe open.
  std::optional<exit_status> wait(std::chrono::milliseconds limit);

  /// Sends SIGKILL and waits for the end.
  void kill();

private:
  struct impl;

  std::unique_ptr<impl> impl_;
};

/// Runs a program to its end and returns its standard output. Throws
/// `std::runtime_error`, with its standard error, when it does not exit with 0
/// within `limit`.
std::string run(const command& what,
                std::chrono::milliseconds limit = std::chrono::seconds{30});

} // namespace fanfare::test
