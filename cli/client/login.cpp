// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/terminal.hpp"
#include "protocol/target/target.hpp"

#include <boost/json/array.hpp>

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

namespace fanfare::cli {

namespace {

/// Reads the key from where others cannot see it, unless --token is given.
std::string find_key(const std::string& given, const std::string& url) {
  if (!given.empty()) {
    output::note("fanfare: others on this machine can see a token on the "
                 "command line; without --token it is asked for, or read from "
                 "standard input");
    return given;
  }
  auto key = is_terminal(standard_stream::in)
             ? ask_secret("Token for " + url + ": ")
             : read_line();
  while (!key.empty() && (key.back() == ' ' || key.back() == '\t'))
    key.pop_back();
  if (key.empty())
    throw command_error{exit_code::usage, "no token was given"};
  return key;
}

void warn_of_plain_http(const std::string& url) {
  const auto server = protocol::target::parse(url);
  if (!server || (*server)->secure() || (*server)->host() == "localhost")
    return;
  if (const auto& literal = (*server)->literal();
      literal && literal->is_loopback())
    return;
  output::note("fanfare: the token goes to " + url
               + " unencrypted; use https if others can listen");
}

/// Throws if the server does not know the token, or the token has no permission
/// in the organizer. Chooses the organizer if there is only one.
void verify(client_settings& settings, std::chrono::milliseconds timeout) {
  api server{settings, timeout};
  server.get("/api/v1/action-types/?page_size=1"); // for any valid token
  if (settings.organizer.empty()) {
    // Only the server's administrator can list them.
    const auto answer = server.ask(
      {.target = "/api/v1/organizers/?page_size=2"});
    if (answer.status != 200)
      return;
    std::size_t count = 0;
    server.each("/api/v1/organizers/", 2, [&](const boost::json::object& o) {
      settings.organizer = cell_of(o, "slug");
      ++count;
      return true;
    });
    if (count != 1)
      settings.organizer.clear();
    return;
  }
  const auto probe = [&](const char* path) {
    return server.ask(
      {.method = "OPTIONS", .target = server.in_organizer(path)});
  };
  // The first is open to publishers and managers of webhooks, the second to
  // administrators of the organizer.
  if (const auto any = probe("notifications/1/"); any.status != 200)
    server.refuse(any);
}

void log_in(const common_options& options, const std::string& token) {
  client_settings settings;
  settings.organizer = options.settings.organizer;
  settings.url = options.settings.url;
  if (const char* url = std::getenv("FANFARE_URL");
      settings.url.empty() && url != nullptr)
    settings.url = url;
  if (settings.url.empty())
    settings.url = default_url;
  const auto origin = protocol::api_origin(settings.url);
  if (!origin)
    throw command_error{exit_code::usage, origin.error().detail};
  if (!options.settings.ca_file.empty())
    settings.ca_file = std::filesystem::absolute(options.settings.ca_file)
                         .string();
  settings.token = find_key(token, settings.url);
  warn_of_plain_http(settings.url);
  verify(settings, options.timeout);
  const auto file = save_settings(settings);
  if (!file)
    throw command_error{exit_code::refused, file.error().detail};
  output::note("Logged in to " + settings.url
               + (settings.organizer.empty()
                    ? "; choose an organizer with --organizer SLUG"
                    : " with organizer " + settings.organizer)
               + ". Stored in " + file->string() + ".");
}

} // namespace

void add_login_commands(CLI::App& app, const command_adder& add) {
  auto token = std::make_shared<std::string>();
  auto* const login = app.add_subcommand(
    "login", "Verify a token and store it for the commands below");
  add.make_command(
    *login,
    "  fanfare login --url https://hooks.example.org --organizer acme\n"
    "  fanfare login < data/admin.token",
    [token](command_context& context) { log_in(context.options(), *token); });
  login
    ->add_option("--token", *token,
                 "The token. Better not: others can see it in the list of "
                 "processes. Without it, it is asked for on the terminal, or "
                 "read from standard input if that is none")
    ->type_name("KEY");

  add.command(
    app, "logout", "Forget what login stored", "  fanfare logout",
    [](command_context&) {
      const auto forgotten = forget_settings();
      if (!forgotten)
        throw command_error{exit_code::refused, forgotten.error().detail};
      output::note(*forgotten ? "Logged out." : "Nothing was stored.");
    });
}

} // namespace fanfare::cli
