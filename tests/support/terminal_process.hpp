// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// A child process on its own terminal: a pseudo-terminal whose other end is
/// the test.

#include "tests/support/child_process.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::test {

/// Its standard streams are the terminal; `command::input` is typed ahead.
/// Never outlives the test. Any thread may call any function.
class terminal_process {
public:
  /// Throws `std::system_error` if it cannot be started.
  explicit terminal_process(const command& what, unsigned short columns = 80);

  terminal_process(const terminal_process&) = delete;
  terminal_process& operator=(const terminal_process&) = delete;

  /// Kills it if it still runs, and waits for its end.
  ~terminal_process();

  /// As if typed; "\x03" is Ctrl-C.
  void type(std::string_view keys);

  /// True if `text` was shown, before this call or until `limit` has passed;
  /// returns as soon as it is.
  bool wait_for(std::string_view text, std::chrono::milliseconds limit) const;

  /// All output so far, with carriage returns and escape sequences.
  std::string shown() const;

  /// How it ended; nothing if it still runs after `limit`. Once there is a
  /// status, `shown` is complete.
  std::optional<exit_status> wait(std::chrono::milliseconds limit);

private:
  struct impl;

  std::unique_ptr<impl> impl_;
};

} // namespace fanfare::test
