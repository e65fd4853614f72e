// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/call_view.hpp"
#include "cli/client/commands.hpp"
#include "cli/client/tail.hpp"
#include "cli/numbers.hpp"
#include "protocol/text.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace fanfare::cli {

namespace {

struct call_options {
  std::string webhook; ///< number or name
  std::uint64_t call = 0;
  std::string since;
  std::string until;
  std::string action;
  std::uint64_t notification = 0;
  bool failed = false;
  bool succeeded = false;
  std::size_t limit = no_limit;
};

std::string filters(const call_options& o) {
  std::string out;
  const auto add = [&out](const char* name, const std::string& value) {
    if (!value.empty())
      out += (out.empty() ? "?" : "&") + std::string{name} + "="
           + protocol::percent_encode(value);
  };
  add("success", o.failed ? "false" : o.succeeded ? "true" : "");
  add("since", o.since);
  add("until", o.until);
  add("action_type", o.action);
  add("notification_id",
      o.notification == 0 ? "" : std::to_string(o.notification));
  return out;
}

void list(command_context& context, const call_options& o) {
  auto& server = context.server();
  const bool all = o.webhook.empty();
  list_printer rows{context.out(), call_columns(all)};
  const auto log = all ? server.in_organizer("calls/")
                       : server.in_webhook(o.webhook, "calls/");
  server.each(log + filters(o), o.limit, [&](const auto& call) {
    rows.add(call);
    return true;
  });
  rows.flush();
}

std::string call_path(api& server, const call_options& o) {
  return server.in_webhook(o.webhook, "calls/" + std::to_string(o.call) + "/");
}

void show(command_context& context, const call_options& o) {
  auto& server = context.server();
  const auto call = server.get(call_path(server, o));
  if (context.out().json())
    context.out().document_text(call.text);
  else
    show_call(context.out(), call.as_object());
}

void resend(command_context& context, const call_options& o) {
  auto& server = context.server();
  const auto answer = server.post(call_path(server, o) + "resend/");
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& due = answer.as_object();
  std::cout << "notification " << cell_of(due, "notification_id")
            << " is sent again, attempt " << cell_of(due, "attempt")
            << std::endl;
}

void add_call(CLI::App& app, call_options& o) {
  add_webhook(app, o.webhook);
  app.add_option("call", o.call, "Number of the call")
    ->type_name("CALL")
    ->transform(decimal())
    ->check(CLI::PositiveNumber)
    ->required();
}

} // namespace

void add_calls_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(
    app, "calls", "The call log: what was sent and what came back");
  auto o = std::make_shared<call_options>();

  auto* const listing = add.command(
    *group, "list", "Show the calls of a webhook, or of all, newest first",
    "  fanfare calls list --failed --since 1d --limit 20\n"
    "  fanfare calls list 3 --json | jq -r .reason | sort | uniq -c",
    [o](command_context& context) { list(context, *o); });
  take_webhooks(listing->add_option(
    "webhook", o->webhook,
    "Number or name of the webhook; none: all of the organizer"));
  auto* const failed = listing->add_flag("--failed", o->failed,
                                         "Only those that failed");
  listing->add_flag("--succeeded", o->succeeded, "Only those that succeeded")
    ->excludes(failed);
  add_time(*listing, "--since", o->since, "Only from then on");
  add_time(*listing, "--until", o->until, "Only before then");
  listing->add_option("--action", o->action, "Only of this action type")
    ->type_name("TYPE");
  listing
    ->add_option("--notification", o->notification, "Only of this notification")
    ->type_name("ID")
    ->transform(decimal())
    ->check(CLI::PositiveNumber);
  add_limit(*listing, o->limit);

  auto* const showing = add.command(
    *group, "show", "Show one call with what was sent and answered",
    "  fanfare calls show 3 1207",
    [o](command_context& context) { show(context, *o); });
  add_call(*showing, *o);

  auto t = std::make_shared<tail_options>();
  auto* const tailing = add.command(
    *group, "tail", "Print calls as they happen, until interrupted",
    "  fanfare calls tail\n  fanfare calls tail 3 7 --failed --since 1h",
    [t](command_context& context) { tail_calls(context, *t); });
  take_webhooks(tailing->add_option(
    "webhooks", t->webhooks,
    "Numbers or names of the webhooks to follow; none: all, including new "
    "ones"));
  tailing->add_flag("--failed", t->failed, "Only calls that failed");
  add_time(*tailing, "--since", t->since, "Begin with calls from then on");
  add_duration(*tailing, "--interval", t->interval,
               "How long to wait before connecting again; doubles up to 30s",
               "1s");

  auto* const resending = add.command(
    *group, "resend", "Send the notification of a call again, now",
    "  fanfare calls resend 3 1207",
    [o](command_context& context) { resend(context, *o); });
  add_call(*resending, *o);
}

} // namespace fanfare::cli
