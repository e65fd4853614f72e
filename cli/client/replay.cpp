// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/progress_bar.hpp"
#include "cli/client/terminal.hpp"
#include "cli/numbers.hpp"

#include <boost/json/array.hpp>

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <thread>

namespace fanfare::cli {

namespace {

using boost::json::object;
using namespace std::chrono_literals;

constexpr auto look_interval = 250ms;

struct replay_options {
  std::string webhook; ///< number or name
  std::string since;
  std::string until;
  bool only_failed = false;
  double rate = 0;
  bool dry_run = false;
  bool detach = false;
  bool yes = false;
};

std::uint64_t number(const object& o, const char* key) {
  const auto* value = o.if_contains(key);
  return value && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

std::string path_of(api& server, const replay_options& o) {
  return server.in_webhook(o.webhook, "replay/");
}

object request(const replay_options& o, bool dry_run) {
  object body{{"since", o.since}};
  if (!o.until.empty())
    body["until"] = o.until;
  body["only_failed"] = o.only_failed;
  if (o.rate > 0)
    body["rate"] = o.rate;
  body["dry_run"] = dry_run;
  return body;
}

std::string preview_text(const object& preview) {
  std::string out = cell_of(preview, "count") + " notifications";
  if (const auto first = cell_of(preview, "first"); first != "-")
    out += " (the first are " + first + ")";
  return out;
}

void print(command_context& context, const api_answer& replay) {
  if (context.out().json())
    return context.out().document_text(replay.text);
  const auto& r = replay.as_object();
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto* key :
       {"state", "since", "until", "only_failed", "rate", "count", "queued",
        "skipped", "waiting", "finished", "started", "ended"})
    fields.emplace_back(key, cell_of(r, key));
  context.out().fields(fields);
}

std::string progress_text(const object& r) {
  auto out = cell_of(r, "finished") + " of " + cell_of(r, "count")
           + " finished";
  if (number(r, "waiting") > 0)
    out += ", " + cell_of(r, "waiting") + " in flight or due again";
  if (number(r, "skipped") > 0)
    out += ", " + cell_of(r, "skipped") + " were waiting anyway";
  return out;
}

/// Watches the replay until it ends. An interrupt does not end the replay.
void watch(command_context& context, const replay_options& o) {
  auto& server = context.server();
  progress_bar bar;
  api_answer last;
  for (;; std::this_thread::sleep_for(look_interval)) {
    last = server.get(path_of(server, o));
    const auto& r = last.as_object();
    bar.show(number(r, "finished") + number(r, "skipped"), number(r, "count"),
             progress_text(r));
    if (cell_of(r, "state") != "running")
      break;
  }
  bar.finish();
  print(context, last);
  if (cell_of(last.as_object(), "state") == "cancelled")
    throw command_error{exit_code::refused, "the replay was cancelled"};
}

void start(command_context& context, const replay_options& o) {
  if (o.webhook.empty() || o.since.empty())
    throw command_error{exit_code::usage,
                        o.webhook.empty()
                          ? "which webhook? See fanfare replay --help"
                          : "--since is missing"};
  auto& server = context.server();
  // Before the question, since this thread reads standard input.
  const auto preview = server.post(path_of(server, o), request(o, true));
  if (o.dry_run) {
    if (context.out().json())
      context.out().document_text(preview.text);
    else
      std::cout << preview_text(preview.as_object()) << " would be sent again"
                << std::endl;
    return;
  }
  if (number(preview.as_object(), "count") == 0) {
    output::note("Nothing to send again.");
    if (context.out().json())
      context.out().document_text(preview.text);
    return;
  }
  confirm(o.yes, "Send " + preview_text(preview.as_object())
                   + " again to webhook " + o.webhook + "?");
  end_on_signals([id = o.webhook] {
    output::note("\nThe replay goes on. To see how far it is: fanfare replay "
                 "status "
                 + id + "; to end it: fanfare replay cancel " + id);
  });
  const auto started = server.post(path_of(server, o), request(o, false));
  if (o.detach)
    return print(context, started);
  watch(context, o);
}

} // namespace

void add_replay_commands(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<replay_options>();
  auto* const replay = app.add_subcommand(
    "replay", "Send notifications of the past again to a webhook: shows how "
              "many, asks, and follows it to its end");
  add.make_command(*replay,
                   "  fanfare replay 3 --since 2d --only-failed\n"
                   "  fanfare replay 3 --since 2026-11-24T10:00:00Z --rate 50 "
                   "--yes\n"
                   "  fanfare replay status 3",
                   [o](command_context& context) { start(context, *o); });
  take_webhooks(
    replay->add_option("webhook", o->webhook, "Number or name of the webhook"));
  add_time(*replay, "--since", o->since, "From here on (required)");
  add_time(*replay, "--until", o->until, "Up to here, by default up to now");
  replay->add_flag("--only-failed", o->only_failed,
                   "Only what was not delivered");
  replay->add_option("--rate", o->rate, "At most this many per second")
    ->type_name("N")
    ->check(CLI::Range(0.001, 10'000.0));
  auto* const dry = replay->add_flag("--dry-run", o->dry_run,
                                     "Only show how many would be sent");
  replay
    ->add_flag("--detach", o->detach, "Start it without waiting for its end")
    ->excludes(dry);
  replay->add_flag("-y,--yes", o->yes, "Do not ask");

  auto* const status = add.command(
    *replay, "status", "Show the last replay of a webhook",
    "  fanfare replay status 3", [o](command_context& context) {
      auto& server = context.server();
      print(context, server.get(path_of(server, *o)));
    });
  add_webhook(*status, o->webhook);
  auto* const cancel = add.command(
    *replay, "cancel", "Cancel the running replay of a webhook",
    "  fanfare replay cancel 3", [o](command_context& context) {
      auto& server = context.server();
      server.erase(path_of(server, *o));
      output::note("The replay of webhook " + o->webhook + " was cancelled.");
    });
  add_webhook(*cancel, o->webhook);
}

} // namespace fanfare::cli
