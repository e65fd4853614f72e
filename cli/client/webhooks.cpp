// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/call_view.hpp"
#include "cli/client/commands.hpp"
#include "cli/client/key_value.hpp"
#include "protocol/payload/json_slices.hpp"
#include "protocol/target/target_url.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <CLI/CLI.hpp>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::cli {

namespace {

using boost::json::object;

/// The longest that an attempt may take.
constexpr std::chrono::minutes longest_test{11};

struct webhook_options {
  std::string webhook; ///< number or name
  std::string name;
  std::string url;
  std::vector<std::string> actions;
  std::vector<std::string> events;
  std::vector<std::string> delivery;
  bool all_events = false;
  bool enable = false;
  bool disable = false;
  bool yes = false;
  std::string comment;
  std::size_t limit = no_limit;
  bool only_enabled = false;
};

boost::json::array list_of(const std::vector<std::string>& items) {
  boost::json::array out;
  for (const auto& item : items)
    out.emplace_back(item);
  return out;
}

/// With its name in place of its settings, which may hold secrets.
object with_name(object hook) {
  boost::json::value name;
  if (const auto* delivery = hook.if_contains("delivery"))
    name = delivery->as_object().at("name");
  hook.erase("delivery");
  hook["name"] = std::move(name);
  return hook;
}

std::string events_of(const object& hook) {
  return cell_of(hook, "all_events") == "yes" ? "all"
                                              : cell_of(hook, "limit_events");
}

void print(command_context& context, const api_answer& hook) {
  if (context.out().json())
    return context.out().document_text(hook.text);
  const auto& shown = hook.as_object();
  std::vector<std::pair<std::string, std::string>> fields{
    {"webhook", cell_of(shown, "id")},
    {"enabled", cell_of(shown, "enabled")},
    {"target", cell_of(shown, "target_url")},
    {"actions", cell_of(shown, "action_types")},
    {"events", events_of(shown)},
    {"comment", cell_of(shown, "comment")},
  };
  if (const auto delivery = protocol::member_of(hook.text, "delivery"))
    for (const auto& [name, setting] : protocol::members_of(*delivery))
      fields.emplace_back("delivery." + name,
                          setting.starts_with('{')
                            ? protocol::ascii_json(setting)
                            : cell_text(boost::json::parse(setting)));
  context.out().fields(fields);
}

void list(command_context& context, const webhook_options& o) {
  auto& server = context.server();
  list_printer rows{context.out(),
                    {list_column::number("ID", "id"),
                     list_column::of("NAME", "name"),
                     list_column::of("ENABLED", "enabled"),
                     list_column::of("TARGET", "target_url"),
                     list_column::of("ACTIONS", "action_types"),
                     {{.title = "EVENTS"}, events_of},
                     list_column::of("COMMENT", "comment")}};
  server.each(server.in_organizer("webhooks/?delivery=true")
                + (o.only_enabled ? "&enabled=true" : ""),
              o.limit, [&](const object& item) {
                rows.add(with_name(item));
                return true;
              });
  rows.flush();
}

void show(command_context& context, const webhook_options& o) {
  auto& server = context.server();
  const auto path = server.in_webhook(o.webhook);
  auto hook = server.get(path);
  const auto delivery = server.get(path + "delivery/");
  hook.text.insert(hook.text.rfind('}'), R"(,"delivery":)" + delivery.text);
  print(context, hook);
}

/// The fields of a webhook that the options set.
json_members changes(const CLI::App& app, const webhook_options& o) {
  object out;
  if (!o.url.empty())
    out["target_url"] = o.url;
  if (!o.actions.empty())
    out["action_types"] = list_of(o.actions);
  if (o.all_events) {
    out["all_events"] = true;
    out["limit_events"] = boost::json::array{};
  } else if (!o.events.empty()) {
    out["all_events"] = false;
    out["limit_events"] = list_of(o.events);
  }
  if (app.count("--comment") > 0) {
    out["comment"] = nullptr;
    if (!o.comment.empty())
      out["comment"] = o.comment;
  }
  if (o.enable || o.disable)
    out["enabled"] = o.enable;
  json_members all;
  all.put(out);
  auto delivery = read_key_values("--delivery", o.delivery);
  if (app.count("--name") > 0)
    delivery.put("name", o.name.empty() ? "null" : json_of(o.name));
  if (!delivery.empty())
    all.put("delivery", delivery.text());
  return all;
}

/// What to do about a refusal whose sentence the compatible API prescribes.
std::string advice_on(std::string_view refusal, std::string_view url) {
  using protocol::host_names;
  using protocol::is_target_url;
  std::string out;
  if (refusal.find("Enter a valid URL.") != std::string_view::npos
      && is_target_url(url, host_names::local_too)
      && !is_target_url(url, host_names::public_only))
    out += "\nOnly a private network knows this host. Start the server with "
           "--allow-network CIDR, or allow the network for the organizer with "
           "\"fanfare networks allow CIDR\"";
  if (refusal.find("Invalid action type") != std::string_view::npos
      && refusal.find("action-types create") == std::string_view::npos)
    out += "\n\"fanfare action-types list\" shows what there is; register "
           "your own with \"fanfare action-types create NAME\"";
  if (refusal.find("Invalid action type \"*\"") != std::string_view::npos)
    out += ". Once there is one of your own, \"*\" stands for all";
  if (refusal.find("limit_events: Object with slug=") != std::string_view::npos)
    out += "\n\"fanfare events create SLUG\" adds an event; so does the first "
           "publish that names it";
  return out;
}

/// Sends what is to be stored of a webhook, and prints it.
void save(command_context& context, const webhook_options& o,
          protocol::api_request request) {
  try {
    print(context, context.server().send(std::move(request)));
  } catch (const command_error& e) {
    throw command_error{e.code, e.what() + advice_on(e.what(), o.url)};
  }
}

void create(command_context& context, const CLI::App& app,
            const webhook_options& o) {
  auto& server = context.server();
  auto body = changes(app, o);
  if (!body.contains("all_events")) {
    body.put("all_events", "true");
    body.put("limit_events", "[]");
  }
  if (!body.contains("enabled"))
    body.put("enabled", "true");
  save(context, o,
       {.method = "POST",
        .target = server.in_organizer("webhooks/"),
        .body = body.text()});
}

void edit(command_context& context, const CLI::App& app,
          const webhook_options& o) {
  const auto body = changes(app, o);
  if (body.empty())
    throw command_error{exit_code::usage,
                        "nothing to change; see fanfare webhooks edit --help"};
  auto& server = context.server();
  save(context, o,
       {.method = "PATCH",
        .target = server.in_webhook(o.webhook),
        .body = body.text()});
}

void remove(command_context& context, const webhook_options& o) {
  auto& server = context.server();
  const auto path = server.in_webhook(o.webhook);
  if (!o.yes) {
    const auto hook = server.get(path);
    confirm(false, "Delete webhook " + o.webhook + ", "
                     + cell_of(hook.as_object(), "target_url")
                     + "? Its retries end.");
  }
  server.erase(path);
  output::note("Webhook " + o.webhook
               + " is disabled and its retries have ended; its log stays.");
}

void test(command_context& context, const webhook_options& o) {
  auto& server = context.server();
  const auto answer = server.send(
    {.method = "POST",
     .target = server.in_webhook(o.webhook, "test/"),
     .body = "{}",
     .timeout = longest_test});
  const auto& call = answer.as_object();
  if (context.out().json())
    context.out().document_text(answer.text);
  else
    show_call(context.out(), call);
  if (cell_of(call, "success") != "yes")
    throw command_error{exit_code::refused,
                        "the call failed: " + cell_of(call, "reason")};
}

void add_fields(CLI::App& app, webhook_options& o) {
  app
    .add_option("-a,--action", o.actions,
                "Action type to call for; may be repeated")
    ->type_name("TYPE")
    ->allow_extra_args(false);
  auto* const events = app.add_option("-e,--event", o.events,
                                      "Only for this event; may be repeated");
  events->type_name("SLUG")->allow_extra_args(false);
  app
    .add_flag("--all-events", o.all_events,
              "For all events, including new ones")
    ->excludes(events);
  app
    .add_option("--name", o.name,
                "A name of its own among the organizer's webhooks, which "
                "commands take in place of its number; \"\" for none")
    ->type_name("NAME");
  app.add_option("--comment", o.comment, "A note to yourself")
    ->type_name("TEXT");
  app
    .add_option("--delivery", o.delivery,
                "Setting of how it is called, as max_in_flight=4 or "
                "schedule=[5,60]; a value is JSON, else text; may be repeated")
    ->type_name("KEY=VALUE")
    ->allow_extra_args(false);
}

} // namespace

void add_webhooks_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(
    app, "webhooks", "Subscriptions: who is called for what, and how");
  auto o = std::make_shared<webhook_options>();

  auto* const listing = add.command(
    *group, "list", "Show all webhooks of the organizer",
    "  fanfare webhooks list\n"
    "  fanfare webhooks list --json | jq .target_url",
    [o](command_context& context) { list(context, *o); });
  listing->add_flag("--enabled", o->only_enabled,
                    "Only those that are enabled");
  add_limit(*listing, o->limit);

  auto* const showing = add.command(
    *group, "show", "Show one with its delivery settings",
    "  fanfare webhooks show 3\n"
    "  fanfare webhooks show billing",
    [o](command_context& context) { show(context, *o); });
  add_webhook(*showing, o->webhook);

  auto* const creating = group->add_subcommand("create", "Register a webhook");
  add.make_command(*creating,
                   "  fanfare webhooks create https://example.org/hook "
                   "--action pretix.event.order.paid\n"
                   "  fanfare webhooks create https://example.org/hook -a "
                   "'pretix.event.order.changed.*' -e democon",
                   [o, creating](command_context& context) {
                     create(context, *creating, *o);
                   });
  creating->add_option("url", o->url, "The URL to call")
    ->type_name("URL")
    ->required();
  add_fields(*creating, *o);
  creating->get_option("--action")->required();
  creating->add_flag("--disabled", o->disable, "Do not call it yet");

  auto* const editing = group->add_subcommand(
    "edit", "Change a webhook; other settings stay");
  add.make_command(
    *editing,
    "  fanfare webhooks edit 3 --disable\n"
    "  fanfare webhooks edit 3 --name billing\n"
    "  fanfare webhooks edit billing --target https://example.org/new",
    [o, editing](command_context& context) { edit(context, *editing, *o); });
  add_webhook(*editing, o->webhook);
  editing->add_option("--target", o->url, "The URL to call")->type_name("URL");
  add_fields(*editing, *o);
  auto* const enable = editing->add_flag("--enable", o->enable,
                                         "Call it from now on");
  editing->add_flag("--disable", o->disable, "Stop calling it; its retries end")
    ->excludes(enable);

  auto* const deleting = add.command(
    *group, "delete",
    "Disable a webhook, which ends its retries; its log stays",
    "  fanfare webhooks delete 3 --yes",
    [o](command_context& context) { remove(context, *o); });
  add_webhook(*deleting, o->webhook);
  deleting->add_flag("-y,--yes", o->yes, "Do not ask");

  auto* const testing = add.command(
    *group, "test",
    "Call it now with a made-up notification and show the outcome; exits with "
    "1 if the call failed",
    "  fanfare webhooks test 3",
    [o](command_context& context) { test(context, *o); });
  add_webhook(*testing, o->webhook);
}

} // namespace fanfare::cli
