// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/declarative/export.hpp"

#include "cli/declarative/reader.hpp"
#include "protocol/rest/delivery/delivery_patch.hpp"
#include "protocol/rules/action_types.hpp"
#include "protocol/target/target.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace fanfare::cli::declarative {

namespace {

namespace json = boost::json;

/// The server makes these itself.
bool is_builtin(const std::string& type) {
  for (const auto names :
       {protocol::builtin_action_types(), protocol::own_action_types()})
    if (std::ranges::find(names, type) != names.end())
      return true;
  return false;
}

class exporter {
public:
  exported make(const found_state& of) && {
    json::array types;
    for (const auto& type : of.action_types)
      if (!is_builtin(type))
        types.emplace_back(type);
    out_.document["action_types"] = std::move(types);
    auto& organizers = out_.document["organizers"].emplace_object();
    for (const auto& [slug, found] : of.organizers)
      organizers[slug] = organizer(slug, found);
    return std::move(out_);
  }

private:
  json::object organizer(const std::string& slug,
                         const found_organizer& found) {
    json::object out;
    out["name"] = found.name;
    auto& events = out["events"].emplace_object();
    for (const auto& [event, name] : found.events)
      events[event] = name;
    std::set<std::string> names;
    for (const auto& hook : found.webhooks)
      names.insert(hook.name);
    auto& hooks = out["webhooks"].emplace_object();
    for (const auto& hook : found.webhooks) {
      auto name = hook.name;
      if (name.empty()) {
        name = "webhook-" + std::to_string(hook.id);
        while (!names.insert(name).second)
          name += '-';
        out_.notes.push_back("Webhook " + std::to_string(hook.id) + " of "
                             + slug + " has no name; the file calls it " + name
                             + ".");
      }
      hooks[name] = webhook(slug, name, hook);
    }
    return out;
  }

  json::object webhook(const std::string& owner, const std::string& name,
                       const found_webhook& hook) {
    const auto subject = owner + "/" + name;
    json::object out;
    if (protocol::mask_url(hook.target_url) == hook.target_url)
      out["target_url"] = hook.target_url;
    else
      out["target_url"] = reference(subject, "target_url");
    out["action_types"] = array_of(hook.action_types);
    if (!hook.all_events)
      out["events"] = array_of(hook.events);
    if (!hook.enabled)
      out["enabled"] = false;
    if (hook.comment)
      out["comment"] = *hook.comment;
    auto settings = delivery(subject, hook.delivery);
    if (!settings.empty())
      out["delivery"] = std::move(settings);
    return out;
  }

  /// Those that are not what a webhook has by default.
  json::object delivery(const std::string& subject, const json::object& of) {
    json::object out;
    for (const auto& item : of) {
      const std::string_view key{item.key().data(), item.key().size()};
      const auto* const usual = default_.if_contains(item.key());
      if (key == "name" || (usual != nullptr && *usual == item.value()))
        continue;
      if (key == "headers")
        out[key] = headers(subject, item.value().as_object());
      else if (key == "tls")
        out[key] = tls(subject, item.value().as_object());
      else if (key == "proxy" && hides(item.value()))
        out[key] = reference(subject, "proxy");
      else
        out[key] = item.value();
    }
    return out;
  }

  /// A value can be a secret, a name is none.
  json::object headers(const std::string& subject, const json::object& of) {
    json::object out;
    for (const auto& item : of) {
      const std::string name{item.key().data(), item.key().size()};
      out[name] = reference(subject, name);
    }
    return out;
  }

  json::object tls(const std::string& subject, const json::object& of) {
    json::object out;
    for (const auto& item : of)
      if (hides(item.value()))
        out[item.key()] = reference(subject,
                                    {item.key().data(), item.key().size()});
      else if (!item.value().is_null())
        out[item.key()] = item.value();
    return out;
  }

  static bool hides(const json::value& value) {
    return value.is_string()
        && value.get_string().find(protocol::rest::kept_secret.data())
             != json::string::npos;
  }

  /// A variable of its own: "FANFARE_ACME_BILLING_X_API_KEY".
  json::object reference(const std::string& subject, std::string_view what) {
    std::string name = "FANFARE_";
    for (const char c : subject + '_' + std::string{what})
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A')
            : (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c
                                                               : '_';
    auto free = name;
    for (int i = 2; !variables_.insert(free).second; ++i)
      free = name + '_' + std::to_string(i);
    out_.references.emplace_back(free,
                                 std::string{what} + " of webhook " + subject);
    return {{"env", free}};
  }

  exported out_;
  json::object default_ = default_delivery();
  std::set<std::string> variables_;
};

} // namespace

exported export_state(const found_state& of) {
  return exporter{}.make(of);
}

} // namespace fanfare::cli::declarative
