// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/numbers.hpp"

#include <boost/json/array.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace fanfare::cli {

namespace {

using boost::json::object;

struct why_options {
  std::uint64_t notification = 0;
  std::uint64_t webhook = 0;
};

std::string calls_of(const object& hook) {
  const auto* calls = hook.if_contains("calls");
  if (calls == nullptr || !calls->is_array())
    return "-";
  auto out = std::to_string(calls->get_array().size());
  if (cell_of(hook, "calls_complete") == "no")
    out += "+";
  return out;
}

std::string path_of(api& server, const why_options& o) {
  auto out = server.in_organizer("notifications/"
                                 + std::to_string(o.notification) + "/");
  if (o.webhook != 0)
    out += "?webhook=" + std::to_string(o.webhook);
  return out;
}

void show(command_context& context, const why_options& o) {
  auto& server = context.server();
  const auto answer = server.get(path_of(server, o));
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& n = answer.as_object();
  context.out().fields({{"notification", cell_of(n, "notification_id")},
                        {"time", cell_of(n, "datetime")},
                        {"event", cell_of(n, "event")},
                        {"action", cell_of(n, "action_type")},
                        {"webhooks", cell_of(n, "webhooks_count")}});
  context.out().section("Body:", cell_of(n, "payload"));
  const auto* hooks = n.if_contains("webhooks");
  if (hooks == nullptr || !hooks->is_array() || hooks->get_array().empty())
    return;
  context.out().section("Webhooks:", "");
  list_printer rows{
    context.out(),
    {list_column::number("ID", "id"),
     list_column::of("MATCHED", "matched"),
     list_column::of("STATE", "state"),
     {{.title = "CALLS", .align = column::side::right}, calls_of},
     list_column::of("DUE", "due"),
     list_column::of("TARGET", "target_url"),
     list_column::of("WHY", "explanation")}};
  for (const auto& hook : hooks->get_array())
    rows.add(hook.as_object());
  rows.flush();
  if (cell_of(n, "next") != "-" && !cell_of(n, "next").empty())
    output::note("These are not all webhooks; ask for one with --webhook ID.");
}

} // namespace

void add_why_command(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<why_options>();
  auto* const why = add.command(
    app, "why", "Explain which webhooks a notification was sent to, and why",
    "  fanfare why 1207\n  fanfare why 1207 --webhook 3",
    [o](command_context& context) { show(context, *o); });
  why->add_option("notification", o->notification, "Number of the notification")
    ->type_name("ID")
    ->transform(decimal())
    ->check(CLI::PositiveNumber)
    ->required();
  why->add_option("--webhook", o->webhook, "Only for this one")
    ->type_name("ID")
    ->transform(decimal())
    ->check(CLI::PositiveNumber);
}

} // namespace fanfare::cli
