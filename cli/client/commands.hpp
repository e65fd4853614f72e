// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The commands that ask a server over its API, each group in a source of its
/// name (events stand with the organizers). All of them are added before the
/// command line is parsed.

#include "cli/client/command.hpp"

namespace fanfare::cli {

void add_login_commands(CLI::App& app, const command_adder& add);
void add_organizers_commands(CLI::App& app, const command_adder& add);
void add_events_commands(CLI::App& app, const command_adder& add);
void add_tokens_commands(CLI::App& app, const command_adder& add);
void add_webhooks_commands(CLI::App& app, const command_adder& add);
void add_publish_command(CLI::App& app, const command_adder& add);
void add_calls_commands(CLI::App& app, const command_adder& add);
void add_retries_commands(CLI::App& app, const command_adder& add);
void add_replay_commands(CLI::App& app, const command_adder& add);
void add_health_command(CLI::App& app, const command_adder& add);
void add_why_command(CLI::App& app, const command_adder& add);
/// To be called last: it speaks of all that was added.
void add_completion_command(CLI::App& app, int& exit_code);

/// All of the above.
void add_client_commands(CLI::App& app, int& exit_code);

} // namespace fanfare::cli
