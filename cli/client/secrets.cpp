// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/terminal.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace fanfare::cli {

namespace {

struct secret_options {
  std::string webhook; ///< number or name
  std::chrono::milliseconds overlap = std::chrono::hours{24};
  bool own = false;
  bool yes = false;
};

void print_secret(command_context& context, const api_answer& answer) {
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& s = answer.as_object();
  context.out().fields({{"secret", cell_of(s, "secret")},
                        {"algorithm", cell_of(s, "algorithm")},
                        {"public key", cell_of(s, "public_key")},
                        {"created", cell_of(s, "created")},
                        {"previous until", cell_of(s, "previous_until")}});
}

void show(command_context& context, const secret_options& o) {
  auto& server = context.server();
  print_secret(context, server.get(server.in_webhook(o.webhook, "secret/")));
}

/// The secret to use, from where others cannot see it.
std::string read_own_secret() {
  auto text = is_terminal(standard_stream::in) ? ask_secret("New secret: ")
                                               : read_line();
  if (text.empty())
    throw command_error{exit_code::usage, "no secret was given"};
  return text;
}

void rotate(command_context& context, const secret_options& o) {
  boost::json::object body;
  body["overlap"] = std::chrono::duration<double>{o.overlap}.count();
  if (o.own)
    body["secret"] = read_own_secret();
  confirm(o.yes || o.own,
          "Sign the calls of webhook " + o.webhook + " with a new secret?");
  auto& server = context.server();
  print_secret(
    context, server.post(server.in_webhook(o.webhook, "secret/rotate/"), body));
}

} // namespace

void add_secrets_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(app, "secrets",
                                "What the calls of a webhook are signed with");
  auto o = std::make_shared<secret_options>();
  auto* const showing = add.command(
    *group, "show", "Show the secret of a webhook, or its public key",
    "  fanfare secrets show 3\n  fanfare secrets show 3 --json | jq -r .secret",
    [o](command_context& context) { show(context, *o); });
  add_webhook(*showing, o->webhook);

  auto* const rotating = add.command(
    *group, "rotate",
    "Give a webhook a new secret; calls are signed with both for a while",
    "  fanfare secrets rotate 3 --overlap 2d\n"
    "  fanfare secrets rotate 3 --own < secret.txt",
    [o](command_context& context) { rotate(context, *o); });
  add_webhook(*rotating, o->webhook);
  add_duration(*rotating, "--overlap", o->overlap,
               "How long calls are signed with the old one, too", "24h");
  rotating->add_flag("--own", o->own,
                     "Take the secret from standard input (whsec_… or "
                     "whsk_…), or ask for it");
  rotating->add_flag("-y,--yes", o->yes, "Do not ask");
}

} // namespace fanfare::cli
