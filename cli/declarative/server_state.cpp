// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/declarative/server_state.hpp"

#include "cli/declarative/plan.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace fanfare::cli::declarative {

namespace {

using boost::json::object;

std::string path_of(const std::string& organizer,
                    const std::string& rest = {}) {
  return "/api/v1/organizers/" + organizer + "/" + rest;
}

std::string text_of(const object& of, const char* key) {
  const auto* const value = of.if_contains(key);
  return value != nullptr && value->is_string()
         ? boost::json::value_to<std::string>(*value)
         : std::string{};
}

std::vector<std::string> sorted_texts(const object& of, const char* key) {
  auto out = boost::json::value_to<std::vector<std::string>>(of.at(key));
  std::ranges::sort(out);
  // The API keeps repeats that were sent to it.
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void each(api& server, const std::string& target,
          const std::function<void(const object&)>& item) {
  server.each(target, no_limit, [&](const object& one) {
    item(one);
    return true;
  });
}

void read_types(api& server, found_state& to) {
  each(server, "/api/v1/action-types/", [&](const object& type) {
    to.action_types.insert(text_of(type, "name"));
  });
}

void read_events(api& server, const std::string& slug, found_organizer& to) {
  each(server, path_of(slug, "events/"), [&](const object& one) {
    to.events.emplace(text_of(one, "slug"), text_of(one, "name"));
  });
}

void read_webhooks(api& server, const std::string& slug, found_organizer& to) {
  each(server, path_of(slug, "webhooks/?delivery=true"),
       [&](const object& hook) {
         const auto* const delivery = hook.if_contains("delivery");
         if (delivery == nullptr)
           throw command_error{exit_code::refused,
                               "the server is older than this client: it does "
                               "not list the settings of webhooks"};
         found_webhook one;
         one.id = hook.at("id").to_number<std::uint64_t>();
         one.delivery = delivery->as_object();
         one.name = text_of(one.delivery, "name");
         one.target_url = text_of(hook, "target_url");
         one.action_types = sorted_texts(hook, "action_types");
         one.all_events = hook.at("all_events").as_bool();
         one.events = sorted_texts(hook, "limit_events");
         one.enabled = hook.at("enabled").as_bool();
         if (hook.at("comment").is_string())
           one.comment = text_of(hook, "comment");
         to.webhooks.push_back(std::move(one));
       });
}

object object_of(const protocol::api_response& answer) {
  boost::json::error_code failed;
  const auto value = boost::json::parse(answer.body, failed);
  if (failed || !value.is_object())
    throw command_error{
      exit_code::refused,
      "the answer is no JSON object; is it a Fanfare server?"};
  return value.get_object();
}

/// Nothing: there is no such organizer.
std::optional<found_organizer> find_organizer(api& server,
                                              const std::string& slug) {
  const auto got = server.ask({.target = path_of(slug)});
  // Who may not know which organizers there are is told no more than that.
  if (got.status == 403
      && server.ask({.target = "/api/v1/organizers/?page_size=1"}).status
           == 200)
    return std::nullopt;
  if (got.status != 200)
    server.refuse(got);
  found_organizer out;
  out.name = text_of(object_of(got), "name");
  return out;
}

/// What the server shows of the secrets that the file gives.
void read_keys(api& server, const std::string& slug,
               const std::vector<wanted_webhook>& wanted, found_organizer& to) {
  const auto matches = match_webhooks(wanted, to.webhooks);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!matches[i] || !wanted[i].secret)
      continue;
    auto& hook = to.webhooks[*matches[i]];
    const auto got = server.ask(
      {.target = path_of(slug, webhook_path(hook.id, "secret/"))});
    if (got.status == 404)
      continue; // its calls are not signed yet
    if (got.status != 200)
      server.refuse(got);
    const auto shown = object_of(got);
    hook.key = text_of(shown, "secret");
    if (hook.key.empty())
      hook.key = text_of(shown, "public_key");
  }
}

} // namespace

found_state read_found(api& server, const wanted_state& wanted) {
  found_state out;
  read_types(server, out);
  for (const auto& one : wanted.organizers) {
    auto found = find_organizer(server, one.slug);
    if (!found)
      continue;
    if (one.events)
      read_events(server, one.slug, *found);
    if (one.webhooks) {
      read_webhooks(server, one.slug, *found);
      read_keys(server, one.slug, *one.webhooks, *found);
    }
    out.organizers.emplace(one.slug, std::move(*found));
  }
  return out;
}

found_state read_all(api& server, const std::vector<std::string>& organizers) {
  found_state out;
  read_types(server, out);
  for (const auto& slug : organizers) {
    auto found = find_organizer(server, slug);
    if (!found)
      throw command_error{exit_code::not_found,
                          "there is no organizer " + slug};
    read_events(server, slug, *found);
    read_webhooks(server, slug, *found);
    out.organizers.emplace(slug, std::move(*found));
  }
  return out;
}

std::vector<std::string> list_organizers(api& server) {
  std::vector<std::string> out;
  each(server, "/api/v1/organizers/",
       [&](const object& one) { out.push_back(text_of(one, "slug")); });
  return out;
}

} // namespace fanfare::cli::declarative
