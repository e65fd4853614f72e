// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A running `fanfare serve`.

#include "tests/e2e/support/rest_client.hpp"
#include "tests/support/child_process.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fanfare::test {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

/// How long tests wait for what should be there soon.
constexpr std::chrono::seconds patience{sanitized ? 90 : 45};

struct server_options {
  std::filesystem::path data = {};
  /// On top of --listen, --data and what allows to call this machine.
  std::vector<std::string> args = {};
  bool allow_loopback = true;
  /// A program and its arguments that run the server in place of the test.
  std::vector<std::string> wrapper = {};
};

/// The program, killed at destruction.
class server {
public:
  static constexpr const char* admin_key = "the-admin-token-of-these-tests";

  /// Waits until it listens. Throws `std::runtime_error` with what it wrote to
  /// standard error if it does not.
  explicit server(const server_options& options);

  std::uint16_t port() const noexcept {
    return port_;
  }

  /// From the start of the process to its line "listening on".
  std::chrono::milliseconds startup_time() const noexcept {
    return startup_time_;
  }

  child_process& process() noexcept {
    return process_;
  }

  /// A new connection, by default as the administrator.
  rest_client client(const std::string& key = admin_key) const {
    return rest_client{port_, key};
  }

  /// Asks it to stop and waits for the end. Throws `std::runtime_error` if it
  /// still runs after the 15 seconds that it may take (45 with sanitizers).
  exit_status stop();

  /// Ends it as a loss of power would.
  void kill() {
    process_.kill();
  }

  /// The last lines of its log, for messages.
  std::string log_tail() const;

private:
  child_process process_;
  std::uint16_t port_ = 0;
  std::chrono::milliseconds startup_time_{};
};

} // namespace fanfare::test
