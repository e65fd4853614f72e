// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/import_sources.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace fanfare::cli {

namespace {

namespace json = boost::json;

error no_list(std::string_view what) {
  return {ec::invalid_argument,
          "this is no list of " + std::string{what} + " as the API answers it"};
}

/// The text of a member; empty: there is none.
std::string text_of(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  const auto* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string{text->data(), text->size()}
                         : std::string{};
}

bool flag_of(const json::object& from, std::string_view key, bool usual) {
  const auto* found = from.if_contains(key);
  const auto* flag = found != nullptr ? found->if_bool() : nullptr;
  return flag != nullptr ? *flag : usual;
}

const json::object* object_of(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr ? found->if_object() : nullptr;
}

const json::array* array_of(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr ? found->if_array() : nullptr;
}

/// Whether the member says something: not null, nothing empty.
bool says(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  if (found == nullptr || found->is_null())
    return false;
  if (const auto* list = found->if_array())
    return !list->empty();
  if (const auto* object = found->if_object())
    return std::ranges::any_of(*object, [object](const auto& item) {
      return says(*object, item.key());
    });
  return true;
}

std::vector<std::string> texts_of(const json::object& from,
                                  std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = array_of(from, key))
    for (const auto& item : *list)
      if (const auto* text = item.if_string())
        out.emplace_back(text->data(), text->size());
  return out;
}

void add_once(std::vector<std::string>& to, std::string what) {
  if (std::ranges::find(to, what) == to.end())
    to.push_back(std::move(what));
}

} // namespace

result<foreign_webhook> read_pretix_webhook(const json::object& item) {
  foreign_webhook out{.name = "webhook ",
                      .target_url = text_of(item, "target_url"),
                      .comment = text_of(item, "comment"),
                      .enabled = flag_of(item, "enabled", true),
                      .all_events = flag_of(item, "all_events", false),
                      .events = texts_of(item, "limit_events"),
                      .action_types = texts_of(item, "action_types")};
  if (out.target_url.empty() || array_of(item, "action_types") == nullptr)
    return no_list("webhooks");
  const auto* id = item.if_contains("id");
  out.name += id != nullptr && id->is_int64() ? std::to_string(id->get_int64())
                                              : "without a number";
  if (out.all_events && !out.events.empty()) {
    out.lost.emplace_back("it names events beside all of them, and gets all");
    out.events.clear();
  }
  return out;
}

result<std::vector<foreign_webhook>>
read_svix_endpoints(const json::value& list, const json::object& secrets) {
  const auto* whole = list.if_object();
  const auto* all = whole != nullptr ? array_of(*whole, "data")
                                     : list.if_array();
  if (all == nullptr)
    return no_list("endpoints");
  std::vector<foreign_webhook> out;
  for (const auto& one : *all) {
    const auto* item = one.if_object();
    if (item == nullptr || text_of(*item, "url").empty())
      return no_list("endpoints");
    auto& hook = out.emplace_back();
    hook.name = text_of(*item, "id");
    hook.target_url = text_of(*item, "url");
    hook.comment = text_of(*item, "description");
    hook.enabled = !flag_of(*item, "disabled", false);
    hook.action_types = texts_of(*item, "filterTypes");
    if (hook.action_types.empty())
      hook.action_types = {"*"};
    if (const auto* rate = item->if_contains("rateLimit");
        rate != nullptr && rate->is_int64() && rate->get_int64() > 0)
      hook.delivery["rate_limit"] = {{"count", rate->get_int64()},
                                     {"seconds", 1}};
    if (const auto* secret = secrets.if_contains(hook.name)) {
      const auto* text = secret->if_string();
      hook.secret = text != nullptr ? std::string{text->data(), text->size()}
                  : secret->is_object() ? text_of(secret->get_object(), "key")
                                        : std::string{};
    }
    if (hook.secret.empty())
      hook.lost.emplace_back("its secret, which --secrets would give");
    else if (!hook.secret.starts_with("whsec_")) {
      hook.secret.clear();
      hook.lost.emplace_back("its secret, which does not begin with whsec_");
    }
    for (const auto& [key, what] : {std::pair{"channels", "its channels"},
                                    {"headers", "its headers"},
                                    {"transformation", "its transformation"}})
      if (says(*item, key))
        hook.lost.emplace_back(what);
  }
  if (whole != nullptr && !flag_of(*whole, "done", true) && !out.empty())
    out.back().lost.emplace_back("the endpoints after it: the list goes on at "
                                 "its iterator");
  return out;
}

result<std::vector<foreign_webhook>>
read_convoy_subscriptions(const json::value& list) {
  const json::array* all = list.if_array();
  if (const auto* whole = list.if_object())
    if (const auto* data = object_of(*whole, "data"))
      all = array_of(*data, "content");
  if (all == nullptr)
    return no_list("subscriptions");
  std::vector<foreign_webhook> out;
  std::map<std::string, std::size_t> by_endpoint;
  for (const auto& one : *all) {
    const auto* item = one.if_object();
    const auto* to = item != nullptr ? object_of(*item, "endpoint_metadata")
                                     : nullptr;
    if (to == nullptr || text_of(*to, "url").empty())
      return no_list("subscriptions");
    auto key = text_of(*to, "uid");
    if (key.empty())
      key = text_of(*to, "url");
    const auto [place, is_new] = by_endpoint.try_emplace(key, out.size());
    if (is_new) {
      auto& made = out.emplace_back();
      made.name = key;
      made.target_url = text_of(*to, "url");
      made.comment = text_of(*to, "name");
      const auto status = text_of(*to, "status");
      made.enabled = status.empty() || status == "active";
      made.lost.emplace_back("its secret, of which there is a new one");
    }
    auto& hook = out[place->second];
    const auto* filter = object_of(*item, "filter_config");
    auto types = filter != nullptr ? texts_of(*filter, "event_types")
                                   : std::vector<std::string>{};
    if (types.empty())
      types = {"*"};
    for (auto& type : types)
      add_once(hook.action_types, std::move(type));
    if (filter != nullptr && says(*filter, "filter"))
      add_once(hook.lost, "a filter on headers or bodies");
    for (const auto& [config, what] : {std::pair{"retry_config", "its retries"},
                                       {"rate_limit_config", "its rate limit"},
                                       {"function", "a function"}})
      if (says(*item, config))
        add_once(hook.lost, what);
  }
  return out;
}

} // namespace fanfare::cli
