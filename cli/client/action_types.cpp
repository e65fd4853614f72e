// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace fanfare::cli {

namespace {

constexpr auto action_types_path = "/api/v1/action-types/";

struct action_type_options {
  std::string name;
  std::size_t limit = no_limit;
};

std::vector<list_column> columns() {
  return {list_column::of("NAME", "name")};
}

void list(command_context& context, const action_type_options& o) {
  auto& server = context.server();
  list_printer rows{context.out(), columns()};
  server.each(action_types_path, o.limit, [&](const auto& item) {
    rows.add(item);
    return true;
  });
  rows.flush();
}

void create(command_context& context, const action_type_options& o) {
  boost::json::object body;
  body["name"] = o.name;
  const auto made = context.server().post(action_types_path, body);
  if (context.out().json())
    return context.out().document_text(made.text);
  list_printer row{context.out(), columns()};
  row.add(made.as_object());
  row.flush();
}

} // namespace

void add_action_types_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(app, "action-types",
                                "What can be published and subscribed to; "
                                "those of pretix are there, add your own");
  auto o = std::make_shared<action_type_options>();
  auto* const listing = add.command(
    *group, "list", "Show all action types", "  fanfare action-types list",
    [o](command_context& context) { list(context, *o); });
  add_limit(*listing, o->limit);

  auto* const creating = add.command(
    *group, "create",
    "Register an action type, for all organizers (the server's administrator, "
    "and tokens that may register_types)",
    "  fanfare action-types create shop.order.placed\n"
    "  fanfare action-types create 'shop.stock.*'",
    [o](command_context& context) { create(context, *o); });
  creating
    ->add_option("name", o->name,
                 "Labels of letters, digits, _ and - with . or / between them: "
                 "order.created, OrderCreated, orders/create. With .* or /* at "
                 "the end, or * alone, all actions that it covers can be "
                 "published without being registered")
    ->type_name("NAME")
    ->required();
}

} // namespace fanfare::cli
