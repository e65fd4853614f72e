// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Follows the call log live.

#include "cli/client/command.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::cli {

struct tail_options {
  std::vector<std::string> webhooks; ///< empty: all of the organizer
  std::string since;                 ///< empty: from now on
  /// Before it connects again; twice as long after each failure.
  std::chrono::milliseconds interval = std::chrono::seconds{1};
  bool failed = false; ///< only calls that failed
};

/// Prints calls as they are logged, in order, until a signal ends the program.
/// A connection that breaks is made anew, without a gap. Throws if the server
/// is unreachable for a minute.
void tail_calls(command_context& context, const tail_options& options);

} // namespace fanfare::cli
