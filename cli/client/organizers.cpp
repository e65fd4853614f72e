// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/key_value.hpp"
#include "protocol/rules/slug.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace fanfare::cli {

namespace {

struct organizer_options {
  std::string slug;
  std::string name;
  std::size_t limit = no_limit;
  bool yes = false;
};

/// What the commands below are about.
struct noun {
  std::string plural;
  std::string singular;
  std::string help;
  std::function<std::string(api&)> path;
  /// What is lost with one of them, as the end of a question.
  std::function<std::string(api&, const std::string& slug)> loss;
};

std::vector<list_column> columns() {
  return {list_column::of("SLUG", "slug"), list_column::of("NAME", "name")};
}

void print_one(command_context& context, const api_answer& one) {
  if (context.out().json())
    return context.out().document_text(one.text);
  list_printer row{context.out(), columns()};
  row.add(one.as_object());
  row.flush();
}

std::string path_of(api& server, const noun& what, const std::string& slug) {
  if (!protocol::is_slug(slug))
    throw command_error{exit_code::usage, "\"" + slug + "\" is no "
                                            + what.singular + ": "
                                            + std::string{protocol::slug_rule}};
  return what.path(server) + slug + "/";
}

void list(command_context& context, const noun& what,
          const organizer_options& o) {
  auto& server = context.server();
  list_printer rows{context.out(), columns()};
  server.each(what.path(server), o.limit, [&](const auto& item) {
    rows.add(item);
    return true;
  });
  rows.flush();
}

void create(command_context& context, const noun& what,
            const organizer_options& o) {
  auto& server = context.server();
  boost::json::object body;
  body["slug"] = o.slug;
  if (!o.name.empty())
    body["name"] = o.name;
  print_one(context, server.post(what.path(server), body));
}

void rename(command_context& context, const noun& what,
            const organizer_options& o) {
  auto& server = context.server();
  print_one(context,
            server.send({.method = "PATCH",
                         .target = path_of(server, what, o.slug),
                         .body = "{\"name\":" + json_of(o.name) + '}'}));
}

void remove(command_context& context, const noun& what,
            const organizer_options& o) {
  auto& server = context.server();
  const auto path = path_of(server, what, o.slug);
  const auto found = server.get(path);
  if (!o.yes)
    confirm(false, "Delete " + what.singular + " " + o.slug + " ("
                     + cell_of(found.as_object(), "name") + ") for good? "
                     + what.loss(server, o.slug));
  // As long as its webhooks take to end.
  server.send({.method = "DELETE",
               .target = path + "?confirm=" + o.slug,
               .body = {},
               .timeout = std::chrono::minutes{2}});
  output::note("The " + what.singular + " " + o.slug + " is gone.");
}

void add_slug(CLI::App& app, organizer_options& o) {
  app.add_option("slug", o.slug, "Its short name, used in paths")
    ->type_name("SLUG")
    ->required();
}

/// Organizers and events have the same two fields.
void add_slug_commands(CLI::App& app, const command_adder& add,
                       const noun& about) {
  const auto what = std::make_shared<const noun>(about);
  auto* const group = add.group(app, what->plural, what->help);
  auto o = std::make_shared<organizer_options>();
  const auto command = "  fanfare " + what->plural + " ";
  auto* const listing = add.command(
    *group, "list", "Show all " + what->plural, command + "list",
    [o, what](command_context& context) { list(context, *what, *o); });
  add_limit(*listing, o->limit);

  auto* const showing = add.command(
    *group, "show", "Show one " + what->singular, command + "show democon",
    [o, what](command_context& context) {
      auto& server = context.server();
      print_one(context, server.get(path_of(server, *what, o->slug)));
    });
  add_slug(*showing, *o);

  auto* const creating = add.command(
    *group, "create", "Add an " + what->singular,
    command + "create democon --name \"Demo Conference\"",
    [o, what](command_context& context) { create(context, *what, *o); });
  add_slug(*creating, *o);
  creating->add_option("--name", o->name, "Its name; the slug if left out")
    ->type_name("TEXT");

  auto* const renaming = add.command(
    *group, "rename", "Give it another name; its slug stays",
    command + "rename democon \"Demo Conference 2027\"",
    [o, what](command_context& context) { rename(context, *what, *o); });
  add_slug(*renaming, *o);
  renaming->add_option("name", o->name, "Its new name")
    ->type_name("TEXT")
    ->required();

  auto* const deleting = add.command(
    *group, "delete",
    "Delete an " + what->singular
      + " for good; says what goes with it and asks",
    command + "delete democon",
    [o, what](command_context& context) { remove(context, *what, *o); });
  add_slug(*deleting, *o);
  deleting->add_flag("-y,--yes", o->yes, "Do not ask");
}

// -- what is lost -------------------------------------------------------------

/// How many a list has.
std::string count_of(api& server, const std::string& list) {
  return cell_of(server.get(list + "?page_size=1").as_object(), "count");
}

/// Retries are counted of so many webhooks: each takes a request.
constexpr std::size_t most_counted = 50;

std::string lost_with_organizer(api& server, const std::string& slug) {
  const auto path = "/api/v1/organizers/" + slug + "/";
  std::uint64_t retries = 0;
  server.each(
    path + "webhooks/?enabled=true", most_counted,
    [&](const boost::json::object& hook) {
      const auto list = server.get(
        path
        + webhook_path(hook.at("id").to_number<std::uint64_t>(),
                       "retries/?page_size=1"));
      retries += list.as_object().at("count").to_number<std::uint64_t>();
      return true;
    });
  const auto behind = cell_of(
    server.get(path + "status/?limit=0").as_object().at("webhooks").as_object(),
    "behind");
  return "With it go " + count_of(server, path + "webhooks/") + " webhooks ("
       + behind + " of them behind, " + std::to_string(retries)
       + " notifications wait for a retry), "
       + count_of(server, path + "events/") + " events and "
       + count_of(server, path + "tokens/")
       + " tokens. Its notifications and calls can no longer be read.";
}

} // namespace

void add_organizers_commands(CLI::App& app, const command_adder& add) {
  add_slug_commands(
    app, add,
    {.plural = "organizers",
     .singular = "organizer",
     .help = "The tenants of the server (its administrator only)",
     .path = [](api&) { return "/api/v1/organizers/"; },
     .loss = lost_with_organizer});
}

void add_events_commands(CLI::App& app, const command_adder& add) {
  add_slug_commands(
    app, add,
    {.plural = "events",
     .singular = "event",
     .help = "What webhooks can be limited to (administrators)",
     .path = [](api& server) { return server.in_organizer("events/"); },
     .loss =
       [](api&, const std::string&) {
         return "Webhooks that are limited to it get nothing of it any more.";
       }});
}

} // namespace fanfare::cli
