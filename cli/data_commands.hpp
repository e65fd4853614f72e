// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// `fanfare check` and `fanfare restore`: what is done with a data directory
/// that no server uses, or with a backup.

namespace CLI {
class App;
} // namespace CLI

namespace fanfare::cli {

/// Their exit codes go to `exit_code`, which must outlive the parsing.
void add_data_commands(CLI::App& app, int& exit_code);

} // namespace fanfare::cli
