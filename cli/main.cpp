// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/data_commands.hpp"
#include "cli/manual.hpp"
#include "cli/serve.hpp"
#include "cli/sink.hpp"
#include "cli/usage.hpp"
#include "fanfare/version.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  // Writing to a connection that the peer has closed is an error, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that has reached its size limit.
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App app{"Fanfare tells every subscriber: it calls the URLs that are "
               "registered for what "
               "happened, and keeps trying for three days.",
               "fanfare"};
  app.set_version_flag("--version", "fanfare " + std::string{fanfare::version});
  app.require_subcommand(1);
  app.failure_message([](const CLI::App* program, const CLI::Error& e) {
    return fanfare::cli::explain_usage(*program, e);
  });
  app.set_help_all_flag("--help-all", "Help of all commands");
  int exit_code = 0;
  fanfare::cli::add_serve_command(app, exit_code);
  fanfare::cli::sink_options sink;
  fanfare::cli::add_sink_command(app, sink)->callback(
    [&] { exit_code = fanfare::cli::run_sink(sink); });
  fanfare::cli::add_data_commands(app, exit_code);
  fanfare::cli::add_client_commands(app, exit_code);
  fanfare::cli::add_manual_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // CLI11's codes start at 100; shell users expect 2 for wrong usage.
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    std::cerr << "fanfare: internal error: " << e.what() << '\n';
    return 70;
  }
  return exit_code;
}
