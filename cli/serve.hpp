// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// `fanfare serve`: the engine with its REST API, until a signal ends it.

namespace CLI {
class App;
}

namespace fanfare::cli {

/// Adds the sub-command; when it was chosen, `exit_code` is set to the result
/// of the run.
void add_serve_command(CLI::App& app, int& exit_code);

} // namespace fanfare::cli
