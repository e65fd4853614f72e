// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/numbers.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::cli {

namespace {

struct pause_options {
  std::vector<std::string> webhooks;
};

void set_paused(command_context& context, const std::string& which,
                bool paused) {
  auto& server = context.server();
  (void)server.send(
    {.method = "PATCH",
     .target = server.in_webhook(which, "delivery/"),
     .body = paused ? R"({"paused":true})" : R"({"paused":false})"});
  if (context.out().json())
    context.out().line(boost::json::object{
      {"webhook_id", server.webhook_number(which)}, {"paused", paused}});
  else
    output::note("Webhook " + which
                 + (paused ? " is paused: what is published for it waits."
                           : " is called again."));
}

/// One that cannot be paused does not keep the others from it.
void set_paused(command_context& context, const pause_options& o, bool paused) {
  std::optional<command_error> first;
  for (const auto& which : o.webhooks)
    try {
      set_paused(context, which, paused);
    } catch (const command_error& e) {
      const command_error named{e.code, "webhook " + which + ": " + e.what()};
      if (!first)
        first = named;
      else
        output::note(std::string{"fanfare: "} + named.what());
    }
  if (first)
    throw command_error{*first};
}

void add_webhooks(CLI::App& app, pause_options& o) {
  take_webhooks(
    app.add_option("webhooks", o.webhooks, "Numbers or names of the webhooks"))
    ->required();
}

} // namespace

void add_pause_commands(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<pause_options>();
  add_webhooks(
    *add.command(
      app, "pause",
      "Attempt nothing for webhooks until resumed; nothing is lost or expires",
      "  fanfare pause 3\n"
      "  fanfare webhooks edit 3 --delivery 'resume_rate={\"count\": 10, "
      "\"seconds\": 1}'",
      [o](command_context& context) { set_paused(context, *o, true); }),
    *o);
  add_webhooks(*add.command(app, "resume", "Call paused webhooks again",
                            "  fanfare resume 3",
                            [o](command_context& context) {
                              set_paused(context, *o, false);
                            }),
               *o);
}

} // namespace fanfare::cli
