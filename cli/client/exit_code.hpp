// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Exit codes of the client's commands, for scripts.

#include <stdexcept>
#include <string>

namespace fanfare::cli {

enum class exit_code : int {
  ok = 0,
  refused = 1,        ///< the server refused, or a call failed
  usage = 2,          ///< wrong usage or wrong input
  not_connected = 3,  ///< no connection or no answer
  not_authorized = 4, ///< no token, or not a sufficient one (401, 403)
  not_found = 5,      ///< (404)
  differs = 6,        ///< diff: the server has not what the file says
};

/// For the help of each command.
inline constexpr const char* exit_codes_help =
  "Exit codes: 0 done; 1 the server refused it, or a call failed; 2 wrong "
  "usage or input;\n3 no connection or no answer; 4 not authorized; 5 not "
  "found; 6 there are differences (diff);\n128 + N ended by signal N.";

/// Ends a command early. Commands are straight lines of requests and output;
/// whatever stops them is thrown to the one place that prints the sentence and
/// sets the exit code.
class command_error : public std::runtime_error {
public:
  command_error(exit_code ends_with, const std::string& sentence)
    : std::runtime_error{sentence},
      code{ends_with} {}

  exit_code code;
};

} // namespace fanfare::cli
