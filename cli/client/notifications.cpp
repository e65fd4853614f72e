// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/exit_code.hpp"
#include "cli/numbers.hpp"
#include "protocol/text.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::cli {

namespace {

using boost::json::object;

struct notification_options {
  std::uint64_t id = 0;
  std::vector<std::string> keys;
  std::string action;
  std::string event;
  std::string since;
  std::string until;
  std::string filter;
  std::size_t limit = no_limit;
};

/// What the server takes for something else than a key of the body.
bool is_parameter(std::string_view key) {
  constexpr std::array names{"action",    "action_type", "cursor",
                             "event",     "filter",      "format",
                             "page_size", "since",       "until"};
  return std::ranges::find(names, key) != names.end();
}

std::string query_of(const notification_options& o) {
  std::string out;
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty())
      out += (out.empty() ? "?" : "&") + protocol::percent_encode(name) + "="
           + protocol::percent_encode(value);
  };
  add("action", o.action);
  add("event", o.event);
  add("since", o.since);
  add("until", o.until);
  add("filter", o.filter);
  for (const auto& text : o.keys) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw command_error{exit_code::usage,
                          '"' + text
                            + "\" is not KEY=VALUE, as in order=ABC23"};
    const auto key = text.substr(0, equals);
    if (is_parameter(key))
      throw command_error{exit_code::usage,
                          '"' + key
                            + "\" as a key of the body needs --filter '{\""
                            + key + "\": …}'"};
    out += (out.empty() ? "?" : "&") + protocol::percent_encode(key) + "="
         + protocol::percent_encode(text.substr(equals + 1));
  }
  return out;
}

void list(command_context& context, const notification_options& o) {
  auto& server = context.server();
  list_printer rows{context.out(),
                    {list_column::of("TIME", "datetime"),
                     list_column::number("ID", "notification_id"),
                     list_column::of("EVENT", "event"),
                     list_column::of("ACTION", "action_type"),
                     list_column::of("BODY", "payload")}};
  server.each(server.in_organizer("notifications/") + query_of(o), o.limit,
              [&](const object& n) {
                rows.add(n);
                return true;
              });
  rows.flush();
}

void show(command_context& context, const notification_options& o) {
  auto& server = context.server();
  const auto answer = server.get(server.in_organizer(
    "notifications/" + std::to_string(o.id) + "/?page_size=1"));
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& n = answer.as_object();
  context.out().fields({{"notification", cell_of(n, "notification_id")},
                        {"time", cell_of(n, "datetime")},
                        {"event", cell_of(n, "event")},
                        {"action", cell_of(n, "action_type")}});
  context.out().section("Body:", cell_of(n, "payload"));
  output::note("fanfare why " + std::to_string(o.id)
               + " says which webhooks it was sent to.");
}

} // namespace

void add_notifications_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(app, "notifications",
                                "What was published, and is still kept");
  auto o = std::make_shared<notification_options>();

  auto* const listing = add.command(
    *group, "list", "Search what was published, newest first",
    "  fanfare notifications list order=ABC23\n"
    "  fanfare notifications list --action 'order.*' --since 2d --limit 20\n"
    "  fanfare notifications list --filter '{\"total\": {\"$gt\": 100}}'",
    [o](command_context& context) { list(context, *o); });
  listing
    ->add_option(
      "keys", o->keys,
      "Keys of the body and their values; a.b=VALUE for a key within "
      "an object. One key given twice: either value")
    ->type_name("KEY=VALUE");
  listing
    ->add_option("--action", o->action,
                 "Only of this action; a.b.*: all below it")
    ->type_name("ACTION");
  listing->add_option("--event", o->event, "Only of this event")
    ->type_name("SLUG");
  add_time(*listing, "--since", o->since, "Only from then on");
  add_time(*listing, "--until", o->until, "Only before then");
  listing
    ->add_option("--filter", o->filter,
                 "Conditions on the body, as a webhook's filter has them")
    ->type_name("JSON");
  add_limit(*listing, o->limit);

  auto* const showing = add.command(
    *group, "show", "Show one notification with its body",
    "  fanfare notifications show 1207",
    [o](command_context& context) { show(context, *o); });
  showing->add_option("notification", o->id, "Number of the notification")
    ->type_name("ID")
    ->transform(decimal())
    ->check(CLI::PositiveNumber)
    ->required();
}

} // namespace fanfare::cli
