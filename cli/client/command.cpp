// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/command.hpp"

#include "cli/client/terminal.hpp"
#include "cli/client/terminal_text.hpp"
#include "cli/duration.hpp"
#include "cli/numbers.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/iso8601.hpp"
#include "protocol/rules/delivery_rules.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string_view>
#include <thread>
#include <utility>

namespace fanfare::cli {

namespace {

std::optional<format> wanted_format(const common_options& options) {
  if (options.output == "yaml")
    return format::yaml;
  if (options.json || options.output == "json")
    return format::json;
  if (options.table || options.output == "table")
    return format::table;
  return std::nullopt;
}

int run(const command_body& body, const common_options& options) {
  // A closed pipe on standard output ends the program like any other;
  // connections do not raise the signal.
  std::signal(SIGPIPE, SIG_DFL);
  try {
    command_context context{options};
    body(context);
    std::cout.flush();
    if (!std::cout)
      throw command_error{exit_code::refused, "cannot write to the output"};
    return static_cast<int>(exit_code::ok);
  } catch (const command_error& e) {
    std::cout.flush();
    if (*e.what() != '\0')
      output::note("fanfare: " + std::string{e.what()});
    return static_cast<int>(e.code);
  }
}

void add_common_options(CLI::App& app, common_options& options) {
  const auto* const group = "Connection and output";
  app
    .add_option("--url", options.settings.url,
                "The server, instead of FANFARE_URL or the one logged in to")
    ->type_name("URL")
    ->group(group);
  app
    .add_option("--organizer", options.settings.organizer,
                "Slug of the organizer, instead of FANFARE_ORGANIZER or the "
                "one logged in with")
    ->type_name("SLUG")
    ->group(group);
  app
    .add_option("--ca-file", options.settings.ca_file,
                "PEM file of the authorities to verify the server with, "
                "instead of the system's")
    ->type_name("FILE")
    ->group(group);
  add_duration(app, "--timeout", options.timeout, "For each answer", "30s")
    ->group(group);
  auto* const json = app.add_flag("--json", options.json,
                                  "Print JSON even on a terminal");
  json->group(group);
  auto* const table = app.add_flag("--table", options.table,
                                   "Print tables even into a pipe");
  table->excludes(json)->group(group);
  app
    .add_option(
      "-o,--output", options.output,
      "Print a table, JSON or YAML; by default a table on a terminal, "
      "else JSON")
    ->type_name("FORMAT")
    ->check(CLI::IsMember({"table", "json", "yaml"}))
    ->excludes(json)
    ->excludes(table)
    ->group(group);
  app
    .add_flag("--utc", options.utc,
              "Show times in UTC, not in the zone of this machine")
    ->group(group);
}

} // namespace

command_context::command_context(const common_options& options)
  : options_{options},
    out_{wanted_format(options)} {
  if (options.utc) {
    setenv("TZ", "UTC0", 1);
    tzset();
  }
}

api& command_context::server() {
  if (!server_) {
    auto settings = find_settings(options_.settings);
    if (!settings)
      throw command_error{exit_code::usage, settings.error().detail};
    server_.emplace(std::move(*settings), options_.timeout);
  }
  return *server_;
}

CLI::App* command_adder::group(CLI::App& parent, const std::string& name,
                               const std::string& help) const {
  auto* const added = parent.add_subcommand(name, help);
  added->require_subcommand(1);
  added->footer(exit_codes_help);
  return added;
}

CLI::App* command_adder::command(CLI::App& parent, const std::string& name,
                                 const std::string& help,
                                 const std::string& examples,
                                 command_body body) const {
  auto* const added = parent.add_subcommand(name, help);
  // What people type who are used to other programs.
  static constexpr std::pair<std::string_view, const char*> others[] = {
    {"list", "ls"}, {"show", "get"}, {"delete", "rm"}};
  for (const auto& [ours, other] : others)
    if (name == ours)
      added->alias(other);
  make_command(*added, examples, std::move(body));
  return added;
}

void command_adder::make_command(CLI::App& app, const std::string& examples,
                                 command_body body) const {
  auto options = std::make_shared<common_options>();
  add_common_options(app, *options);
  app.footer("Examples:\n" + examples + "\n\n" + duration_help + '\n'
             + exit_codes_help);
  app.callback([options, body = std::move(body), &app, &code = exit_code_] {
    if (app.get_subcommands().empty()) // else the sub-command runs
      code = run(body, *options);
  });
}

void add_watch(CLI::App& app, watching& target) {
  auto* const flag = app.add_flag("-w,--watch", target.wanted,
                                  "Show it again and again, until interrupted");
  add_duration(app, "--interval", target.interval, "How often", "2s")
    ->needs(flag);
}

void repeat(command_context& context, const watching& how,
            const std::function<void()>& show) {
  for (;;) {
    if (how.wanted)
      context.out().clear_screen();
    show();
    std::cout.flush();
    if (!how.wanted || !std::cout)
      return;
    std::this_thread::sleep_for(how.interval);
  }
}

CLI::Option* take_webhooks(CLI::Option* option) {
  return option->type_name("WEBHOOK")->transform(CLI::Validator{
    [](std::string& text) -> std::string {
      if (protocol::is_webhook_name(text))
        return {};
      auto number = text;
      if (decimal()(number).empty() && number != "0") {
        text = number;
        return {};
      }
      return '"' + text + "\" is neither the number nor the name of a webhook";
    },
    ""});
}

CLI::Option* add_webhook(CLI::App& app, std::string& which) {
  return take_webhooks(
           app.add_option("webhook", which, "Number or name of the webhook"))
    ->required();
}

CLI::Option* add_limit(CLI::App& app, std::size_t& limit) {
  return app.add_option("--limit", limit, "Stop after this many")
    ->type_name("N")
    ->transform(decimal())
    ->check(CLI::PositiveNumber);
}

CLI::Option* add_time(CLI::App& app, const std::string& name,
                      std::string& target, const std::string& help) {
  return app
    .add_option_function<std::string>(
      name,
      [&target, name](const std::string& text) {
        if (protocol::rest::from_iso8601(text)) {
          target = text;
        } else if (const auto ago = parse_duration(text)) {
          target = protocol::rest::to_iso8601(
            std::chrono::floor<std::chrono::milliseconds>(
              std::chrono::system_clock::now())
            - *ago);
        } else {
          throw CLI::ValidationError(
            name, "\"" + text
                    + "\" is neither a time with its zone, as in "
                      "2026-11-24T10:00:00Z, nor how long ago, as in 2h");
        }
      },
      help + "; a time with its zone, or how long ago, as in 2h")
    ->type_name("TIME");
}

CLI::Option* add_duration(CLI::App& app, const std::string& name,
                          std::chrono::milliseconds& target,
                          const std::string& help,
                          const std::string& shown_default) {
  return app
    .add_option_function<std::string>(
      name,
      [&target, name](const std::string& text) {
        const auto value = parse_duration(text);
        if (!value)
          throw CLI::ValidationError(name, value.error().detail);
        if (value->count() == 0)
          throw CLI::ValidationError(name, "must be more than 0");
        target = *value;
      },
      help)
    ->type_name("DURATION")
    ->default_str(shown_default);
}

void confirm(bool yes, const std::string& question) {
  if (yes)
    return;
  if (!is_terminal(standard_stream::in) || !is_terminal(standard_stream::err))
    throw command_error{exit_code::usage,
                        "there is no terminal to ask on; add --yes"};
  if (!ask_whether(printable(question) + " [y/N] "))
    throw command_error{exit_code::refused, "nothing was done"};
}

} // namespace fanfare::cli
