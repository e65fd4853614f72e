// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "protocol/target/network.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::cli {

namespace {

using boost::json::object;

struct network_options {
  std::vector<std::string> networks;
};

std::string path_of(const api& server) {
  return server.in_organizer("networks/");
}

void print_networks(command_context& context, const api_answer& answer) {
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& lists = answer.as_object();
  context.out().fields(
    {{"allow", cell_of(lists, "allow")}, {"deny", cell_of(lists, "deny")}});
}

/// As the server writes it; what is no network it will refuse.
std::string normalized(const std::string& text) {
  const auto network = protocol::network::parse(text);
  return network ? to_string(*network) : text;
}

/// A list of the server without these.
boost::json::array without(const object& lists, std::string_view key,
                           const std::vector<std::string>& these) {
  boost::json::array out;
  for (const auto& item : lists.at(key).as_array())
    if (std::ranges::find(these, cell_text(item)) == these.end())
      out.push_back(item);
  return out;
}

/// Moves networks into the list of that name, or if there is none out of both.
void change(command_context& context, const network_options& o,
            std::string_view to) {
  std::vector<std::string> these;
  for (const auto& text : o.networks)
    if (auto each = normalized(text);
        std::ranges::find(these, each) == these.end())
      these.push_back(std::move(each));
  auto& server = context.server();
  const auto before = server.get(path_of(server));
  const auto& lists = before.as_object();
  // A list that stays as it is is not sent: somebody else may change it.
  object body;
  for (const std::string_view key : {"allow", "deny"}) {
    auto list = without(lists, key, these);
    if (key == to)
      for (const auto& each : these)
        list.emplace_back(each);
    if (list != lists.at(key).as_array())
      body[key] = std::move(list);
  }
  if (body.empty() && to.empty())
    throw command_error{exit_code::not_found,
                        "none of these is in a list; \"fanfare networks show\" "
                        "shows both"};
  print_networks(context,
                 body.empty()
                   ? before
                   : server.send({.method = "PATCH",
                                  .target = path_of(server),
                                  .body = boost::json::serialize(body)}));
}

void add_networks(CLI::App& app, network_options& o) {
  app
    .add_option("networks", o.networks,
                "Networks as 10.1.0.0/16 or fd00::/8, or single addresses")
    ->type_name("CIDR")
    ->required();
}

} // namespace

void add_networks_commands(CLI::App& app, const command_adder& add) {
  auto* const group = add.group(
    app, "networks",
    "Which networks webhooks of an organizer may call beside the public "
    "internet, or not (the server's administrator only)");
  auto o = std::make_shared<network_options>();
  add.command(*group, "show", "Show both lists", "  fanfare networks show",
              [](command_context& context) {
                auto& server = context.server();
                print_networks(context, server.get(path_of(server)));
              });
  add_networks(
    *add.command(
      *group, "allow", "Let webhooks call these networks",
      "  fanfare networks allow 10.1.0.0/16 --organizer acme",
      [o](command_context& context) { change(context, *o, "allow"); }),
    *o);
  add_networks(
    *add.command(
      *group, "deny", "Let no webhook call these networks",
      "  fanfare networks deny 203.0.113.0/24 --organizer acme",
      [o](command_context& context) { change(context, *o, "deny"); }),
    *o);
  add_networks(
    *add.command(*group, "remove", "Take these networks out of both lists",
                 "  fanfare networks remove 10.1.0.0/16 --organizer acme",
                 [o](command_context& context) { change(context, *o, ""); }),
    *o);
}

} // namespace fanfare::cli
