// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// `fanfare serve`: runs the engine and its REST API until a signal ends it.

namespace CLI {
class App;
}

namespace fanfare::cli {

/// Adds the sub-command; if it runs, `exit_code` gets its result.
void add_serve_command(CLI::App& app, int& exit_code);

} // namespace fanfare::cli
