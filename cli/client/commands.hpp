// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The commands that talk to a server over its API, each group in the file of
/// its name (events are with organizers). All are added before the command line
/// is parsed.

#include "cli/client/command.hpp"

namespace fanfare::cli {

void add_login_commands(CLI::App& app, const command_adder& add);
void add_organizers_commands(CLI::App& app, const command_adder& add);
void add_events_commands(CLI::App& app, const command_adder& add);
void add_action_types_commands(CLI::App& app, const command_adder& add);
void add_tokens_commands(CLI::App& app, const command_adder& add);
void add_webhooks_commands(CLI::App& app, const command_adder& add);
void add_publish_command(CLI::App& app, const command_adder& add);
void add_notifications_commands(CLI::App& app, const command_adder& add);
void add_calls_commands(CLI::App& app, const command_adder& add);
void add_retries_commands(CLI::App& app, const command_adder& add);
void add_replay_commands(CLI::App& app, const command_adder& add);
void add_secrets_commands(CLI::App& app, const command_adder& add);
void add_filter_commands(CLI::App& app, const command_adder& add);
void add_networks_commands(CLI::App& app, const command_adder& add);
void add_import_commands(CLI::App& app, const command_adder& add);
void add_pause_commands(CLI::App& app, const command_adder& add);
void add_status_command(CLI::App& app, const command_adder& add);
void add_health_command(CLI::App& app, const command_adder& add);
void add_statistics_command(CLI::App& app, const command_adder& add);
void add_ping_command(CLI::App& app, const command_adder& add);
void add_why_command(CLI::App& app, const command_adder& add);
/// apply, diff and export, in cli/declarative/.
void add_declarative_commands(CLI::App& app, const command_adder& add);
void add_backup_command(CLI::App& app, const command_adder& add);
/// Call last: it completes the commands added before.
void add_completion_command(CLI::App& app, int& exit_code);

/// All of the above.
void add_client_commands(CLI::App& app, int& exit_code);

} // namespace fanfare::cli
