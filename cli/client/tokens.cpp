// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/numbers.hpp"

#include <boost/json/array.hpp>

#include <CLI/CLI.hpp>

#include <memory>
#include <vector>

namespace fanfare::cli {

namespace {

struct token_options {
  std::uint64_t id = 0;
  std::string name;
  std::vector<std::string> permissions;
  std::size_t limit = no_limit;
};

void create(command_context& context, const token_options& o) {
  boost::json::object body;
  body["name"] = o.name;
  auto& permissions = body["permissions"].emplace_array();
  for (const auto& permission : o.permissions)
    permissions.emplace_back(permission);
  auto& server = context.server();
  const auto made = server.post(server.in_organizer("tokens/"), body);
  if (context.out().json())
    return context.out().document_text(made.text);
  const auto& token = made.as_object();
  context.out().fields({{"id", cell_of(token, "id")},
                        {"name", cell_of(token, "name")},
                        {"permissions", cell_of(token, "permissions")},
                        {"key", cell_of(token, "key")}});
  output::note("Keep the key: it is shown only once.");
}

} // namespace

void add_tokens_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(app, "tokens",
                                "API keys of an organizer (administrators)");
  auto o = std::make_shared<token_options>();
  auto* const list = add.command(
    *group, "list", "Show all tokens, never their keys",
    "  fanfare tokens list", [o](command_context& context) {
      auto& server = context.server();
      list_printer rows{context.out(),
                        {list_column::number("ID", "id"),
                         list_column::of("NAME", "name"),
                         list_column::of("PERMISSIONS", "permissions"),
                         list_column::time("CREATED", "created"),
                         list_column::ago("LAST USED", "last_used")}};
      server.each(server.in_organizer("tokens/"), o->limit,
                  [&](const auto& item) {
                    rows.add(item);
                    return true;
                  });
      rows.flush();
    });
  add_limit(*list, o->limit);

  auto* const made = add.command(
    *group, "create", "Create a token; its key is shown only once",
    "  fanfare tokens create shop --permission notifications\n"
    "  fanfare tokens create panel -p webhooks -p notifications",
    [o](command_context& context) { create(context, *o); });
  made->add_option("name", o->name, "Its purpose")
    ->type_name("NAME")
    ->required();
  made
    ->add_option(
      "-p,--permission", o->permissions,
      "webhooks (manage them, read the log), notifications "
      "(publish), admin (all of these, events and tokens), metrics "
      "(read /metrics), register_types (action types, for all "
      "organizers; only the server's administrator gives these two); "
      "may be repeated")
    ->type_name("NAME")
    ->check(CLI::IsMember(
      {"webhooks", "notifications", "admin", "metrics", "register_types"}))
    ->allow_extra_args(false)
    ->required();

  auto* const revoke = add.command(
    *group, "revoke", "Revoke a token, at once and for good",
    "  fanfare tokens revoke 3", [o](command_context& context) {
      auto& server = context.server();
      server.erase(
        server.in_organizer("tokens/" + std::to_string(o->id) + "/"));
      output::note("Token " + std::to_string(o->id) + " was revoked.");
    });
  revoke->add_option("token", o->id, "Number of the token")
    ->type_name("ID")
    ->transform(decimal())
    ->check(CLI::PositiveNumber)
    ->required();
}

} // namespace fanfare::cli
