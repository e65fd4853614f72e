// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace fanfare::cli {

namespace {

struct organizer_options {
  std::string slug;
  std::string name;
  std::size_t limit = no_limit;
};

std::vector<list_column> columns() {
  return {list_column::of("SLUG", "slug"), list_column::of("NAME", "name")};
}

/// Organizers and events have the same two fields.
void add_slug_list(CLI::App& app, const command_adder& add,
                   const std::string& plural, const std::string& singular,
                   const std::string& help,
                   std::function<std::string(api&)> path) {
  auto* const group = add.group(app, plural, help);
  auto o = std::make_shared<organizer_options>();
  auto* const list = add.command(
    *group, "list", "Show all " + plural, "  fanfare " + plural + " list",
    [o, path](command_context& context) {
      auto& server = context.server();
      list_printer rows{context.out(), columns()};
      server.each(path(server), o->limit, [&](const auto& item) {
        rows.add(item);
        return true;
      });
      rows.flush();
    });
  add_limit(*list, o->limit);

  auto* const create = add.command(
    *group, "create", "Add an " + singular,
    "  fanfare " + plural + " create democon --name \"Demo Conference\"",
    [o, path](command_context& context) {
      auto& server = context.server();
      boost::json::object body;
      body["slug"] = o->slug;
      if (!o->name.empty())
        body["name"] = o->name;
      const auto made = server.post(path(server), body);
      if (context.out().json())
        return context.out().document_text(made.text);
      list_printer row{context.out(), columns()};
      row.add(made.as_object());
      row.flush();
    });
  create->add_option("slug", o->slug, "Its short name, used in paths")
    ->type_name("SLUG")
    ->required();
  create->add_option("--name", o->name, "Its name; the slug if left out")
    ->type_name("TEXT");
}

} // namespace

void add_organizers_commands(CLI::App& app, const command_adder& add) {
  add_slug_list(app, add, "organizers", "organizer",
                "The tenants of the server (its administrator only)",
                [](api&) { return "/api/v1/organizers/"; });
}

void add_events_commands(CLI::App& app, const command_adder& add) {
  add_slug_list(app, add, "events", "event",
                "What webhooks can be limited to (administrators)",
                [](api& server) { return server.in_organizer("events/"); });
}

} // namespace fanfare::cli
