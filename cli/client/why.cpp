// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/time_text.hpp"
#include "cli/numbers.hpp"

#include <boost/json/array.hpp>

#include <CLI/CLI.hpp>

#include <memory>

namespace fanfare::cli {

namespace {

using boost::json::object;

struct why_options {
  std::uint64_t notification = 0;
  std::string webhook; ///< number or name; empty: all
  watching watch;
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
  if (!o.webhook.empty())
    out += "?webhook=" + std::to_string(server.webhook_number(o.webhook));
  return out;
}

/// What holds it back, as a sentence; empty: nothing.
std::string hold_sentence(const object& hook) {
  const auto by = cell_of(hook, "held_by");
  if (!is_told(by))
    return {};
  const auto until = cell_of(hook, "held_until");
  return "Held by: " + by
       + (until == "-" ? "" : ", until " + full_time(until, time_now())) + '.';
}

void show_webhook(output& out, const object& hook) {
  const auto state = cell_of(hook, "state");
  out.blank();
  out.heading(state,
              "webhook " + number_and_name(hook) + ", calls: " + calls_of(hook),
              state == "retrying" || state == "given_up" || state == "ended");
  out.paragraph(cell_of(hook, "target_url"), 2);
  out.paragraph(cell_of(hook, "explanation"), 2);
  out.paragraph(hold_sentence(hook), 2);
  if (const auto advice = cell_of(hook, "advice"); is_told(advice))
    out.paragraph(advice, 2);
  if (const auto command = cell_of(hook, "command"); is_told(command))
    out.paragraph("$ " + command, 2);
}

void show(command_context& context, const why_options& o) {
  auto& server = context.server();
  const auto answer = server.get(path_of(server, o));
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& n = answer.as_object();
  context.out().fields({{"notification", cell_of(n, "notification_id")},
                        {"time", full_time(cell_of(n, "datetime"), time_now())},
                        {"event", cell_of(n, "event")},
                        {"action", cell_of(n, "action_type")},
                        {"webhooks", cell_of(n, "webhooks_count")}});
  context.out().section("Body:", cell_of(n, "payload"));
  const auto* hooks = n.if_contains("webhooks");
  if (hooks == nullptr || !hooks->is_array() || hooks->get_array().empty())
    return;
  for (const auto& hook : hooks->get_array())
    show_webhook(context.out(), hook.as_object());
  if (cell_of(n, "next") != "-" && !cell_of(n, "next").empty())
    output::note("These are not all webhooks; ask for one with --webhook ID.");
}

} // namespace

void add_why_command(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<why_options>();
  auto* const why = add.command(
    app, "why", "Explain which webhooks a notification was sent to, and why",
    "  fanfare why 1207\n  fanfare why 1207 --webhook 3",
    [o](command_context& context) {
      repeat(context, o->watch, [&] { show(context, *o); });
    });
  add_watch(*why, o->watch);
  why->add_option("notification", o->notification, "Number of the notification")
    ->type_name("ID")
    ->transform(decimal())
    ->check(CLI::PositiveNumber)
    ->required();
  take_webhooks(why->add_option("--webhook", o->webhook,
                                "Only for this one, by its number or name"));
}

} // namespace fanfare::cli
