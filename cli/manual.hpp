// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// `fanfare manual`: the help texts as manual pages.

namespace CLI {
class App;
} // namespace CLI

namespace fanfare::cli {

/// Adds the command to the program, of which it describes all commands.
void add_manual_command(CLI::App& program, int& exit_code);

} // namespace fanfare::cli
