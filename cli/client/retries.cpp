// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace fanfare::cli {

namespace {

struct options {
  std::uint64_t webhook = 0;
  std::size_t limit = no_limit;
  bool yes = false;
};

void list(command_context& context, const options& o) {
  auto& server = context.server();
  list_printer rows{context.out(),
                    {list_column::number("NOTIFICATION", "notification_id"),
                     list_column::number("ATTEMPT", "attempt"),
                     list_column::of("DUE", "due"),
                     list_column::of("REASON", "reason")}};
  server.each(server.in_organizer(webhook_path(o.webhook, "retries/")), o.limit,
              [&](const auto& item) {
                rows.add(item);
                return true;
              });
  rows.flush();
}

/// Expedites or drops all retries; the answer says how many there were.
void change(command_context& context, const options& o, const std::string& verb,
            const std::string& done) {
  auto& server = context.server();
  const auto answer = server.post(
    server.in_organizer(webhook_path(o.webhook, "retries/" + verb + "/")));
  if (context.out().json())
    return context.out().document(answer);
  std::cout << done << ": " << cell_of(answer.as_object(), done) << std::endl;
}

} // namespace

void add_retries_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(app, "retries",
                                "Failed notifications that will be retried");
  auto o = std::make_shared<options>();

  auto* const listing = add.command(
    *group, "list", "Show the retries of a webhook", "  fanfare retries list 3",
    [o](command_context& context) { list(context, *o); });
  add_webhook(*listing, o->webhook);
  add_limit(*listing, o->limit);

  auto* const expediting = add.command(
    *group, "expedite", "Make all of them due now",
    "  fanfare retries expedite 3", [o](command_context& context) {
      change(context, *o, "expedite", "expedited");
    });
  add_webhook(*expediting, o->webhook);

  auto* const dropping = add.command(
    *group, "drop", "Give up all of them", "  fanfare retries drop 3 --yes",
    [o](command_context& context) {
      confirm(o->yes, "Give up all retries of webhook "
                        + std::to_string(o->webhook) + "?");
      change(context, *o, "drop", "dropped");
    });
  add_webhook(*dropping, o->webhook);
  dropping->add_flag("-y,--yes", o->yes, "Do not ask");
}

} // namespace fanfare::cli
