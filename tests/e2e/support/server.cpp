// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/support/server.hpp"

#include "tests/support/paths.hpp"

#include <charconv>
#include <csignal>
#include <stdexcept>

namespace fanfare::test {

namespace {

command command_of(const server_options& options) {
  std::vector<std::string> words = options.wrapper;
  words.push_back(fanfare_program());
  words.insert(words.end(), {"serve", "--listen", "127.0.0.1:0", "--data",
                             options.data.string()});
  if (options.allow_loopback)
    words.insert(words.end(), {"--allow-network", "127.0.0.0/8"});
  words.insert(words.end(), options.args.begin(), options.args.end());
  command what;
  what.program = words.front();
  what.args.assign(words.begin() + 1, words.end());
  what.env["FANFARE_ADMIN_TOKEN"] = server::admin_key;
  return what;
}

std::uint16_t port_of(const std::string& line) {
  const auto digits = line.substr(line.rfind(':') + 1);
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

} // namespace

server::server(const server_options& options) : process_{command_of(options)} {
  const auto before = std::chrono::steady_clock::now();
  const auto line = process_.wait_for_line("listening on http://", patience);
  startup_time_ = std::chrono::duration_cast<std::chrono::milliseconds>(
    std::chrono::steady_clock::now() - before);
  if (!line) {
    // Once it has ended all that it said is here.
    process_.wait(std::chrono::seconds{1});
    throw std::runtime_error{"the server does not listen:\n" + log_tail()};
  }
  port_ = port_of(*line);
}

exit_status server::stop() {
  process_.signal(SIGTERM);
  const auto status = process_.wait(std::chrono::seconds{sanitized ? 45 : 15});
  if (!status)
    throw std::runtime_error{"the server did not stop in time:\n" + log_tail()};
  return *status;
}

std::string server::log_tail() const {
  constexpr std::size_t most = 40;
  const auto lines = process_.lines(child_process::stream::err);
  std::string out;
  for (auto i = lines.size() > most ? lines.size() - most : 0; i < lines.size();
       ++i)
    out += lines[i] + '\n';
  return out;
}

} // namespace fanfare::test
