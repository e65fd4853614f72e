// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/import_sources.hpp"
#include "protocol/rules/action_types.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::cli {

namespace {

namespace json = boost::json;

struct import_options {
  std::string from; ///< of a pretix
  std::string token_file;
  std::string from_organizer;
  std::string file; ///< of the others
  std::string secrets;
  bool dry_run = false;
};

std::string read_text(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    throw command_error{exit_code::usage, "cannot read " + file};
  return text;
}

json::value read_json(const std::string& file) {
  json::error_code failed;
  auto read = json::parse(read_text(file), failed);
  if (failed)
    throw command_error{exit_code::usage,
                        file + " is no JSON: " + failed.message()};
  return read;
}

template <class T>
T good(result<T> read, const std::string& from) {
  if (!read)
    throw command_error{exit_code::usage, from + ": " + read.error().detail};
  return std::move(*read);
}

json::array list_of(const std::vector<std::string>& items) {
  json::array out;
  for (const auto& item : items)
    out.emplace_back(item);
  return out;
}

std::string joined(const std::vector<std::string>& items,
                   std::string_view between) {
  std::string out;
  for (const auto& item : items)
    out.append(out.empty() ? "" : between).append(item);
  return out;
}

/// What tells webhooks apart: an import that is made again leaves those that
/// are there.
std::string identity_of(const std::string& url,
                        std::vector<std::string> action_types) {
  std::ranges::sort(action_types);
  const auto repeats = std::ranges::unique(action_types);
  action_types.erase(repeats.begin(), repeats.end());
  return url + '\n' + joined(action_types, "\n");
}

/// Makes what is missing, row by row, and says so.
class importer {
public:
  importer(command_context& context, bool dry_run)
    : server_{context.server()},
      dry_run_{dry_run},
      rows_{context.out(),
            {list_column::of("WHAT", "what"), list_column::of("NAME", "name"),
             list_column::of("RESULT", "result").red({"refused"}),
             list_column::of("NOTE", "note")}} {}

  void import(const std::vector<foreign_webhook>& hooks) {
    add_types(hooks);
    add_events(hooks);
    add_webhooks(hooks);
    rows_.flush();
    if (dry_run_)
      output::note("Nothing was changed. Without --dry-run all of this is "
                   "made.");
    if (refused_ > 0)
      throw command_error{exit_code::refused,
                          std::to_string(refused_)
                            + " refused; what was made stays, and the same "
                              "command again makes the rest"};
  }

private:
  /// The texts of a member of all items of a list.
  std::set<std::string> known(const std::string& path, std::string_view key) {
    std::set<std::string> out;
    server_.each(path, no_limit, [&](const json::object& item) {
      out.insert(cell_of(item, key));
      return true;
    });
    return out;
  }

  void say(std::string_view what, std::string_view name,
           std::string_view outcome, std::string_view note = {}) {
    rows_.add({{"what", what},
               {"name", name},
               {"result", outcome},
               {"note", note.empty() ? json::value{} : json::value{note}}});
  }

  /// Does it unless this is only a plan; a refusal is said, and not the end.
  /// True: it was made, or would be.
  template <class Make>
  bool make(std::string_view what, const std::string& name,
            const std::string& note, Make how) {
    if (dry_run_) {
      say(what, name, "would be made", note);
      return true;
    }
    try {
      how();
    } catch (const command_error& e) {
      if (e.code == exit_code::not_connected)
        throw;
      ++refused_;
      std::string why = e.what(); // a line for each sentence
      std::ranges::replace(why, '\n', ' ');
      say(what, name, "refused", why);
      return false;
    }
    say(what, name, "made", note);
    return true;
  }

  void add_types(const std::vector<foreign_webhook>& hooks) {
    constexpr auto path = "/api/v1/action-types/";
    auto there = known(path, "name");
    for (const auto& hook : hooks)
      for (const auto& name : hook.action_types) {
        // Webhooks subscribe to other wildcards as they are.
        if ((is_wildcard(name) && !name.starts_with("pretix."))
            || !there.insert(name).second)
          continue;
        make("action type", name, {}, [&] {
          server_.post(path, {{"name", name}});
        });
      }
  }

  void add_events(const std::vector<foreign_webhook>& hooks) {
    if (std::ranges::all_of(hooks,
                            [](const auto& h) { return h.events.empty(); }))
      return;
    const auto path = server_.in_organizer("events/");
    auto there = known(path, "slug");
    for (const auto& hook : hooks)
      for (const auto& slug : hook.events)
        if (there.insert(slug).second)
          make("event", slug, {}, [&] {
            server_.post(path, {{"slug", slug}});
          });
  }

  void add_webhooks(const std::vector<foreign_webhook>& hooks) {
    const auto path = server_.in_organizer("webhooks/");
    std::set<std::string> there;
    server_.each(path, no_limit, [&](const json::object& item) {
      std::vector<std::string> types;
      for (const auto& type : item.at("action_types").as_array())
        types.push_back(cell_text(type));
      there.insert(identity_of(cell_of(item, "target_url"), std::move(types)));
      return true;
    });
    for (const auto& hook : hooks) {
      const auto title = hook.target_url + " (" + hook.name + ")";
      if (!there.insert(identity_of(hook.target_url, hook.action_types))
             .second) {
        say("webhook", title, "is there");
        continue;
      }
      const auto note = hook.lost.empty()
                        ? std::string{}
                        : "not carried over: " + joined(hook.lost, "; ");
      make("webhook", title, note, [&] { add_webhook(path, hook); });
    }
  }

  void add_webhook(const std::string& path, const foreign_webhook& hook) {
    json::object body{{"target_url", hook.target_url},
                      {"enabled", hook.enabled},
                      {"all_events", hook.all_events},
                      {"limit_events", list_of(hook.events)},
                      {"action_types", list_of(hook.action_types)},
                      {"comment", nullptr}};
    if (!hook.comment.empty())
      body["comment"] = hook.comment;
    if (!hook.delivery.empty())
      body["delivery"] = hook.delivery;
    const auto made = server_.post(path, body);
    if (hook.secret.empty())
      return;
    server_.post(path + cell_of(made.as_object(), "id") + "/secret/rotate/",
                 {{"secret", hook.secret}, {"overlap", 0}});
  }

  api& server_;
  bool dry_run_;
  list_printer rows_;
  std::size_t refused_ = 0;
};

void import_pretix(command_context& context, const import_options& o) {
  auto token = read_text(o.token_file);
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  const auto& here = context.server().settings();
  client_settings there;
  there.url = o.from;
  there.token = std::move(token);
  there.organizer = o.from_organizer.empty() ? here.organizer
                                             : o.from_organizer;
  there.ca_file = here.ca_file;
  api source{std::move(there), context.options().timeout};
  std::vector<foreign_webhook> hooks;
  source.each(source.in_organizer("webhooks/"), no_limit,
              [&](const json::object& item) {
                hooks.push_back(good(read_pretix_webhook(item), o.from));
                return true;
              });
  importer{context, o.dry_run}.import(hooks);
}

void import_svix(command_context& context, const import_options& o) {
  json::object secrets;
  if (!o.secrets.empty()) {
    auto read = read_json(o.secrets);
    if (!read.is_object())
      throw command_error{exit_code::usage,
                          o.secrets
                            + " has to be an object: the id of each "
                              "endpoint, and its secret"};
    secrets = std::move(read.get_object());
  }
  importer{context, o.dry_run}.import(
    good(read_svix_endpoints(read_json(o.file), secrets), o.file));
}

void import_convoy(command_context& context, const import_options& o) {
  importer{context, o.dry_run}.import(
    good(read_convoy_subscriptions(read_json(o.file)), o.file));
}

void add_dry_run(CLI::App& app, import_options& o) {
  app.add_flag("--dry-run", o.dry_run, "Only show what would be made");
}

} // namespace

void add_import_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(
    app, "import",
    "Webhooks of another system, with the action types and events that they "
    "name; those that are there by URL and action types are left as they are");
  auto o = std::make_shared<import_options>();

  auto* const pretix = add.command(
    *group, "pretix", "From the API of a pretix",
    "  fanfare import pretix --from https://pretix.example --token-file token "
    "--organizer acme --dry-run",
    [o](command_context& context) { import_pretix(context, *o); });
  pretix->add_option("--from", o->from, "Its address")
    ->type_name("URL")
    ->required();
  pretix
    ->add_option("--token-file", o->token_file,
                 "A file with a token of its API, which may read webhooks")
    ->type_name("FILE")
    ->required();
  pretix
    ->add_option("--from-organizer", o->from_organizer,
                 "The organizer there, if it has another name than here")
    ->type_name("SLUG");
  add_dry_run(*pretix, *o);

  auto* const svix = add.command(
    *group, "svix", "From Svix's list of the endpoints of an application",
    "  fanfare import svix endpoints.json --secrets secrets.json --dry-run",
    [o](command_context& context) { import_svix(context, *o); });
  svix
    ->add_option("file", o->file,
                 "What GET /api/v1/app/{app_id}/endpoint/ has answered")
    ->type_name("FILE")
    ->required();
  svix
    ->add_option("--secrets", o->secrets,
                 "A file with the secrets, {\"ep_1\": \"whsec_…\"}, or with "
                 "what GET …/endpoint/{id}/secret/ has answered for each")
    ->type_name("FILE");
  add_dry_run(*svix, *o);

  auto* const convoy = add.command(
    *group, "convoy", "From Convoy's list of the subscriptions of a project",
    "  fanfare import convoy subscriptions.json --dry-run",
    [o](command_context& context) { import_convoy(context, *o); });
  convoy
    ->add_option("file", o->file,
                 "What GET /api/v1/projects/{id}/subscriptions has answered")
    ->type_name("FILE")
    ->required();
  add_dry_run(*convoy, *o);
}

} // namespace fanfare::cli
