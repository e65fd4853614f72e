// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/key_value.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace fanfare::cli {

namespace {

struct filter_options {
  std::string webhook; ///< number or name
  std::string filter;
};

void preview(command_context& context, const filter_options& o) {
  boost::json::error_code no_json;
  boost::json::parse(o.filter, no_json);
  if (no_json)
    throw command_error{exit_code::usage,
                        "the filter is not JSON; in a shell, put it into "
                        "single quotes"};
  json_members body;
  body.put("filter", o.filter); // as it is written, digit by digit
  auto& server = context.server();
  const auto answer = server.send(
    {.method = "POST",
     .target = server.in_webhook(o.webhook, "filter/preview/"),
     .body = body.text()});
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& found = answer.as_object();
  context.out().fields({{"looked at", cell_of(found, "looked_at")},
                        {"pass", cell_of(found, "count")}});
  list_printer rows{context.out(),
                    {list_column::of("TIME", "datetime"),
                     list_column::number("NOTIFICATION", "notification_id"),
                     list_column::of("ACTION", "action_type")}};
  for (const auto& n : found.at("notifications").as_array())
    rows.add(n.as_object());
  rows.flush();
}

} // namespace

void add_filter_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(
    app, "filter", "Conditions on what is published, before they are set");
  auto o = std::make_shared<filter_options>();
  auto* const previewing = add.command(
    *group, "preview",
    "Show which of the newest notifications for a webhook would pass",
    "  fanfare filter preview 3 '{\"total\": {\"$gt\": 100}}'\n"
    "  fanfare webhooks edit 3 --delivery 'filter={\"total\": {\"$gt\": 100}}'",
    [o](command_context& context) { preview(context, *o); });
  add_webhook(*previewing, o->webhook);
  previewing->add_option("filter", o->filter, "The filter; null for none")
    ->type_name("JSON")
    ->required();
}

} // namespace fanfare::cli
