// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/time_text.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <optional>
#include <string>

namespace fanfare::cli {

namespace {

struct retry_options {
  std::string webhook; ///< number or name
  watching watch;
  std::size_t limit = no_limit;
  bool yes = false;
  bool all_webhooks = false;
  bool all_organizers = false;
  std::optional<std::string> action; ///< an empty one is not all of them
};

void list(command_context& context, const retry_options& o) {
  auto& server = context.server();
  list_printer rows{context.out(),
                    {list_column::number("NOTIFICATION", "notification_id"),
                     list_column::number("ATTEMPT", "attempt"),
                     list_column::ago("DUE", "due"),
                     list_column::of("REASON", "reason")}};
  server.each(server.in_webhook(o.webhook, "retries/"), o.limit,
              [&](const auto& item) {
                rows.add(item);
                return true;
              });
  rows.flush();
}

/// Drops all retries, or those of an action type; the answer says how many
/// there were.
void drop(command_context& context, const retry_options& o) {
  boost::json::object of;
  if (o.action)
    of["action_type"] = *o.action;
  auto& server = context.server();
  const auto answer = server.post(server.in_webhook(o.webhook, "retries/drop/"),
                                  of);
  if (context.out().json())
    return context.out().document_text(answer.text);
  std::cout << "dropped: " << cell_of(answer.as_object(), "dropped")
            << std::endl;
}

/// Where retries are expedited: at one webhook, at those of the organizer, or
/// at all of the server.
std::string expedite_path(api& server, const retry_options& o) {
  const auto given = (!o.webhook.empty() ? 1 : 0) + (o.all_webhooks ? 1 : 0)
                   + (o.all_organizers ? 1 : 0);
  if (given != 1)
    throw command_error{exit_code::usage, "say whose retries: give a webhook, "
                                          "--all-webhooks or --all-organizers"};
  if (o.all_organizers)
    return "/api/v1/retries/expedite/";
  return o.all_webhooks ? server.in_organizer("retries/expedite/")
                        : server.in_webhook(o.webhook, "retries/expedite/");
}

/// What still holds a webhook, if its answer says so.
void show_hold(output& out, const boost::json::object& answer) {
  const auto by = cell_of(answer, "held_by");
  if (!is_told(by))
    return;
  const auto until = cell_of(answer, "held_until");
  out.paragraph(
    "It is still held by: " + by
      + (until == "-" ? "" : ", until " + full_time(until, time_now())) + ". "
      + cell_of(answer, "advice"),
    0);
  out.paragraph("$ " + cell_of(answer, "command"), 0);
}

void expedite(command_context& context, const retry_options& o) {
  auto& server = context.server();
  const auto answer = server.post(expedite_path(server, o));
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& counts = answer.as_object();
  std::cout << "expedited: " << cell_of(counts, "expedited");
  if (counts.contains("webhooks"))
    std::cout << ", of webhooks: " << cell_of(counts, "webhooks");
  std::cout << std::endl;
  show_hold(context.out(), counts);
}

} // namespace

void add_retries_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(app, "retries",
                                "Failed notifications that will be retried");
  auto o = std::make_shared<retry_options>();

  auto* const listing = add.command(
    *group, "list", "Show the retries of a webhook", "  fanfare retries list 3",
    [o](command_context& context) {
      repeat(context, o->watch, [&] { list(context, *o); });
    });
  add_webhook(*listing, o->webhook);
  add_watch(*listing, o->watch);
  add_limit(*listing, o->limit);

  auto* const expediting = add.command(
    *group, "expedite", "Make all of them due now",
    "  fanfare retries expedite 3\n"
    "  fanfare retries expedite --all-webhooks",
    [o](command_context& context) { expedite(context, *o); });
  add_webhook(*expediting, o->webhook)->required(false);
  expediting->add_flag("--all-webhooks", o->all_webhooks,
                       "Those of all webhooks of the organizer");
  expediting->add_flag("--all-organizers", o->all_organizers,
                       "Those of all webhooks of the server; takes the "
                       "administrator's token");

  auto* const dropping = add.command(
    *group, "drop", "Give up all of them, or those of an action type",
    "  fanfare retries drop 3 --yes\n"
    "  fanfare retries drop 3 --action pretix.event.order.paid",
    [o](command_context& context) {
      confirm(o->yes, "Give up all retries of "
                        + (o->action ? *o->action + " of " : "") + "webhook "
                        + o->webhook + "?");
      drop(context, *o);
    });
  add_webhook(*dropping, o->webhook);
  dropping
    ->add_option("-a,--action", o->action,
                 "Only of this action; of a registered wildcard, what webhooks "
                 "subscribed to it get")
    ->type_name("TYPE");
  dropping->add_flag("-y,--yes", o->yes, "Do not ask");
}

} // namespace fanfare::cli
