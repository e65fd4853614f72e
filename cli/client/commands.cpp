// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"

namespace fanfare::cli {

void add_client_commands(CLI::App& app, int& exit_code) {
  const command_adder add{exit_code};
  add_login_commands(app, add);
  add_organizers_commands(app, add);
  add_events_commands(app, add);
  add_action_types_commands(app, add);
  add_tokens_commands(app, add);
  add_webhooks_commands(app, add);
  add_import_commands(app, add);
  add_pause_commands(app, add);
  add_secrets_commands(app, add);
  add_filter_commands(app, add);
  add_networks_commands(app, add);
  add_publish_command(app, add);
  add_notifications_commands(app, add);
  add_calls_commands(app, add);
  add_retries_commands(app, add);
  add_replay_commands(app, add);
  add_status_command(app, add);
  add_health_command(app, add);
  add_statistics_command(app, add);
  add_why_command(app, add);
  add_ping_command(app, add);
  add_declarative_commands(app, add);
  add_backup_command(app, add);
  add_completion_command(app, exit_code);
}

} // namespace fanfare::cli
