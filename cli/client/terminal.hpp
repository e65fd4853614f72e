// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The terminal that the program runs in, if any.

#include <cstddef>
#include <functional>
#include <string>

namespace fanfare::cli {

enum class standard_stream { in = 0, out = 1, err = 2 };

[[nodiscard]] bool is_terminal(standard_stream which);

/// Columns of the terminal on that stream; 0: no terminal, or unknown.
[[nodiscard]] std::size_t terminal_width(standard_stream which);

/// Asks on standard error and reads a line without showing it. The terminal is
/// restored even if a signal ends the program. Empty at the end of input.
[[nodiscard]] std::string ask_secret(const std::string& question);

/// Asks on standard error; true if the answer begins with y or Y.
[[nodiscard]] bool ask_whether(const std::string& question);

/// The next line of standard input, without its end.
[[nodiscard]] std::string read_line();

/// From now on SIGINT and SIGTERM run `last_words` on a thread of their own and
/// end the program at once with 128 + their number, whatever it is waiting for.
/// Call it once.
void end_on_signals(std::function<void()> last_words);

} // namespace fanfare::cli
