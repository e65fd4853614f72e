// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What to say about a command line that cannot be understood.

#include <string>

namespace CLI {
class App;
class Error;
} // namespace CLI

namespace fanfare::cli {

/// What is wrong, which command or option was perhaps meant, and whose help
/// says more. `program` has been parsed, up to this error. Ends with a line
/// feed.
[[nodiscard]] std::string explain_usage(const CLI::App& program,
                                        const CLI::Error& e);

} // namespace fanfare::cli
