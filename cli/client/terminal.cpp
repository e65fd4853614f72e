// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/terminal.hpp"

#include <pthread.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <thread>
#include <utility>

namespace fanfare::cli {

namespace {

/// The terminal settings that a signal which ends the program restores.
termios shown{};

extern "C" void show_again(int number) {
  tcsetattr(STDIN_FILENO, TCSANOW, &shown);
  std::signal(number, SIG_DFL);
  std::raise(number);
}

/// Hides what is typed during its lifetime.
class hidden_input {
public:
  hidden_input() {
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
      return;
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
      std::signal(number, show_again);
    auto silent = shown;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    // Text typed ahead was already shown, so it is not the secret.
    hidden_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }

  hidden_input(const hidden_input&) = delete;
  hidden_input& operator=(const hidden_input&) = delete;

  ~hidden_input() {
    if (hidden_)
      tcsetattr(STDIN_FILENO, TCSANOW, &shown);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
      std::signal(number, SIG_DFL);
  }

private:
  bool hidden_ = false;
};

} // namespace

bool is_terminal(standard_stream which) {
  return isatty(static_cast<int>(which)) == 1;
}

std::size_t terminal_width(standard_stream which) {
  winsize size{};
  if (ioctl(static_cast<int>(which), TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

std::string read_line() {
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r'))
    line.pop_back();
  return line;
}

std::string ask_secret(const std::string& question) {
  const hidden_input hidden;
  std::cerr << question << std::flush;
  auto answer = read_line();
  std::cerr << std::endl; // the user's newline was not shown
  return answer;
}

bool ask_whether(const std::string& question) {
  std::cerr << question << std::flush;
  const auto answer = read_line();
  return answer.starts_with('y') || answer.starts_with('Y');
}

void end_on_signals(std::function<void()> last_words) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // No other thread exists yet that could receive them.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread{[signals, last_words = std::move(last_words)] {
    int number = 0;
    sigwait(&signals, &number);
    // On Ctrl-C the terminal discards pending output right after the signal:
    // words printed too soon would be lost.
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    last_words();
    _exit(128 + number);
  }}.detach();
}

} // namespace fanfare::cli
