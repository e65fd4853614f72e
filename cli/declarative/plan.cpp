// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/declarative/plan.hpp"

#include "protocol/payload/json_text.hpp"
#include "protocol/target/target.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace fanfare::cli::declarative {

namespace {

namespace json = boost::json;

constexpr std::string_view hidden = "(hidden)";
/// Of a value in a plan, in bytes.
constexpr std::size_t most_shown = 100;

std::string in(const std::string& organizer, std::string_view rest = {}) {
  return "/api/v1/organizers/" + organizer + "/" + std::string{rest};
}

std::string shortened(std::string text) {
  if (text.size() <= most_shown)
    return text;
  auto end = most_shown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end; // within a character
  return text.substr(0, end) + "…";
}

std::string shown_list(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& item : list)
    out += (out.empty() ? "" : ", ") + item;
  return out.empty() ? "none" : out;
}

std::string shown_events(bool all, const std::vector<std::string>& events) {
  return all ? "all" : shown_list(events);
}

// -- delivery -----------------------------------------------------------------

/// Names are shown, values are not.
std::string shown_headers(const json::value& of) {
  std::string out;
  if (of.is_object())
    for (const auto& item : of.get_object())
      out += (out.empty() ? "" : ", ")
           + std::string{item.key().data(), item.key().size()} + ": "
           + std::string{hidden};
  return out.empty() ? "none" : out;
}

std::string shown_setting(std::string_view key, const json::value& value) {
  return key == "headers" ? shown_headers(value)
                          : shortened(json::serialize(value));
}

/// The members of a PATCH of delivery, and what they change.
std::string change_delivery(const wanted_webhook& wanted,
                            const json::object& found,
                            std::vector<difference>& differences) {
  std::string members;
  for (const auto& item : wanted.shown) {
    const std::string key{item.key().data(), item.key().size()};
    const auto given = wanted.delivery.find(key);
    // To pause is an act of operation, unless the file speaks of it.
    if (key == "paused" && given == wanted.delivery.end())
      continue;
    static const json::value none;
    const auto* const stored = found.if_contains(item.key());
    const auto& before = stored == nullptr ? none : *stored;
    if (before == item.value())
      continue;
    members += (members.empty() ? "" : ",") + protocol::json_quoted(key) + ':'
             + (key == "name"                    ? json::serialize(item.value())
                : given == wanted.delivery.end() ? "null"
                                                 : given->second);
    differences.push_back({"delivery." + key, shown_setting(key, before),
                           shown_setting(key, item.value())});
  }
  return members;
}

// -- webhooks -----------------------------------------------------------------

/// One that the file only refers to is a secret: some receivers know callers by
/// their path.
std::string shown_url(const wanted_webhook& of, const std::string& url) {
  return of.is_url_secret ? std::string{hidden} : protocol::mask_url(url);
}

class webhook_planner {
public:
  webhook_planner(const std::string& organizer, std::vector<step>& to)
    : organizer_(organizer),
      to_(to) {}

  void add(const wanted_webhook& wanted) {
    step out{.kind = step_kind::add,
             .subject = subject(wanted.name),
             .differences = {},
             .requests = {}};
    out.differences = {
      {"target_url", "", shown_url(wanted, wanted.target_url)},
      {"action_types", "", shown_list(wanted.action_types)},
      {"events", "", shown_events(wanted.all_events, wanted.events)}};
    auto body = "{\"target_url\":" + protocol::json_quoted(wanted.target_url)
              + ",\"action_types\":"
              + json::serialize(array_of(wanted.action_types))
              + ",\"all_events\":" + (wanted.all_events ? "true" : "false")
              + ",\"limit_events\":" + json::serialize(array_of(wanted.events))
              + ",\"enabled\":"
              + (wanted.enabled.value_or(true) ? "true" : "false");
    if (!wanted.enabled.value_or(true))
      out.differences.push_back({"enabled", "", "false"});
    if (wanted.comment) {
      body += ",\"comment\":" + protocol::json_quoted(*wanted.comment);
      out.differences.push_back({"comment", "", *wanted.comment});
    }
    body += ",\"delivery\":{\"name\":" + protocol::json_quoted(wanted.name);
    for (const auto& [key, value] : wanted.delivery) {
      body += ',' + protocol::json_quoted(key) + ':' + value;
      out.differences.push_back(
        {"delivery." + key, "", shown_setting(key, wanted.shown.at(key))});
    }
    out.requests.push_back({"POST", in(organizer_, "webhooks/"), body + "}}"});
    if (wanted.secret) {
      out.differences.push_back({"secret", "", std::string{hidden}});
      // Nothing was signed with the one that it was made with.
      out.requests.push_back(rotation("{id}", *wanted.secret, true));
    }
    to_.push_back(std::move(out));
  }

  void change(const wanted_webhook& wanted, const found_webhook& found) {
    const auto id = std::to_string(found.id);
    step out{.kind = step_kind::change,
             .subject = subject(wanted.name) + " (" + id + ")",
             .differences = {},
             .requests = {}};
    std::string members;
    const auto put = [&](const std::string& name, const std::string& value,
                         const std::string& before, const std::string& after) {
      members += (members.empty() ? "" : ",") + protocol::json_quoted(name)
               + ':' + value;
      out.differences.push_back({name, before, after});
    };
    if (wanted.target_url != found.target_url)
      put("target_url", protocol::json_quoted(wanted.target_url),
          shown_url(wanted, found.target_url),
          shown_url(wanted, wanted.target_url));
    if (wanted.action_types != found.action_types)
      put("action_types", json::serialize(array_of(wanted.action_types)),
          shown_list(found.action_types), shown_list(wanted.action_types));
    if (wanted.all_events != found.all_events
        || wanted.events != found.events) {
      members += (members.empty() ? "" : ",") + std::string{"\"all_events\":"}
               + (wanted.all_events ? "true" : "false") + ",\"limit_events\":"
               + json::serialize(array_of(wanted.events));
      out.differences.push_back(
        {"events", shown_events(found.all_events, found.events),
         shown_events(wanted.all_events, wanted.events)});
    }
    if (wanted.enabled && *wanted.enabled != found.enabled)
      put("enabled", *wanted.enabled ? "true" : "false",
          found.enabled ? "true" : "false", *wanted.enabled ? "true" : "false");
    if (wanted.comment != found.comment)
      put("comment",
          wanted.comment ? protocol::json_quoted(*wanted.comment) : "null",
          found.comment.value_or("none"), wanted.comment.value_or("none"));
    if (const auto delivery = change_delivery(wanted, found.delivery,
                                              out.differences);
        !delivery.empty())
      members += (members.empty() ? "" : ",") + ("\"delivery\":{" + delivery)
               + '}';
    if (!members.empty())
      out.requests.push_back(
        {"PATCH", in(organizer_, "webhooks/" + id + "/"), '{' + members + '}'});
    if (wanted.secret && wanted.key != found.key) {
      out.differences.push_back(
        {"secret", found.key.empty() ? "none" : std::string{hidden},
         std::string{hidden}});
      out.requests.push_back(rotation(id, *wanted.secret, false));
    }
    if (!out.requests.empty())
      to_.push_back(std::move(out));
  }

  void remove(const found_webhook& found) {
    const auto id = std::to_string(found.id);
    to_.push_back(
      {.kind = step_kind::remove,
       .subject = subject(found.name.empty() ? id : found.name) + " (" + id
                + ")",
       .differences = {{"target_url", protocol::mask_url(found.target_url),
                        "it is disabled and its retries end; its log stays"}},
       .requests = {{"DELETE", in(organizer_, "webhooks/" + id + "/"), ""}}});
  }

private:
  [[nodiscard]] std::string subject(const std::string& name) const {
    return "webhook " + organizer_ + "/" + name;
  }
  [[nodiscard]] request rotation(const std::string& id,
                                 const std::string& secret,
                                 bool at_once) const {
    return {"POST", in(organizer_, "webhooks/" + id + "/secret/rotate/"),
            "{\"secret\":" + protocol::json_quoted(secret)
              + (at_once ? ",\"overlap\":0}" : "}")};
  }

  const std::string& organizer_;
  std::vector<step>& to_;
};

// -- the whole ----------------------------------------------------------------

class planner {
public:
  planner(const wanted_state& wanted, const found_state& found, bool prune)
    : wanted_(wanted),
      found_(found),
      prune_(prune) {}

  std::vector<step> plan() && {
    check_types();
    for (const auto& type : wanted_.action_types)
      if (!found_.action_types.contains(type.name))
        add("action type " + type.name, {}, "/api/v1/action-types/",
            {{"name", type.name}});
    for (const auto& one : wanted_.organizers)
      plan_organizer(one);
    return std::move(steps_);
  }

private:
  void add(const std::string& subject, std::vector<difference> differences,
           const std::string& target, const json::object& body) {
    steps_.push_back({.kind = step_kind::add,
                      .subject = subject,
                      .differences = std::move(differences),
                      .requests = {{"POST", target, json::serialize(body)}}});
  }

  void rename(const std::string& subject, const std::string& before,
              const std::string& after, const std::string& target) {
    const json::object body{{"name", after}};
    steps_.push_back({.kind = step_kind::change,
                      .subject = subject,
                      .differences = {{"name", before, after}},
                      .requests = {{"PATCH", target, json::serialize(body)}}});
  }

  /// A wildcard that needs no registration, if the server agrees.
  static bool may_be_free(std::string_view type) {
    return (type == "*" || type.ends_with(".*") || type.ends_with("/*"))
        && !type.starts_with("pretix.");
  }

  void check_types() const {
    std::set<std::string_view> known{found_.action_types.begin(),
                                     found_.action_types.end()};
    for (const auto& type : wanted_.action_types)
      known.insert(type.name);
    for (const auto& owner : wanted_.organizers)
      for (const auto& hook :
           owner.webhooks.value_or(std::vector<wanted_webhook>{}))
        for (const auto& type : hook.action_types)
          if (!known.contains(type) && !may_be_free(type))
            throw fault_at(wanted_.file, hook.at,
                           "There is no action type \"" + type
                             + "\": list it under action_types.");
  }

  void plan_organizer(const wanted_organizer& wanted) {
    static const found_organizer nothing;
    const auto i = found_.organizers.find(wanted.slug);
    const bool is_new = i == found_.organizers.end();
    const auto& found = is_new ? nothing : i->second;
    const auto name = wanted.name.value_or(is_new ? wanted.slug : found.name);
    if (is_new)
      add("organizer " + wanted.slug, {{"name", "", name}},
          "/api/v1/organizers/", {{"slug", wanted.slug}, {"name", name}});
    else if (name != found.name)
      rename("organizer " + wanted.slug, found.name, name, in(wanted.slug));
    if (wanted.events)
      plan_events(wanted.slug, *wanted.events, found);
    if (wanted.webhooks)
      plan_webhooks(wanted.slug, *wanted.webhooks, found);
    if (wanted.events && prune_)
      prune_events(wanted, found);
  }

  void plan_events(const std::string& owner,
                   const std::vector<wanted_event>& wanted,
                   const found_organizer& found) {
    for (const auto& one : wanted) {
      const auto subject = "event " + owner + "/" + one.slug;
      const auto i = found.events.find(one.slug);
      if (i == found.events.end()) {
        const auto name = one.name.value_or(one.slug);
        add(subject, {{"name", "", name}}, in(owner, "events/"),
            {{"slug", one.slug}, {"name", name}});
      } else if (one.name && *one.name != i->second) {
        rename(subject, i->second, *one.name,
               in(owner, "events/" + one.slug + "/"));
      }
    }
  }

  /// After the webhooks, which may no longer be limited to them.
  void prune_events(const wanted_organizer& owner,
                    const found_organizer& found) {
    std::set<std::string_view> kept;
    for (const auto& event : *owner.events)
      kept.insert(event.slug);
    // One that a webhook of the file is limited to is wanted, too.
    if (owner.webhooks)
      for (const auto& hook : *owner.webhooks)
        kept.insert(hook.events.begin(), hook.events.end());
    for (const auto& [slug, name] : found.events)
      if (!kept.contains(slug))
        steps_.push_back(
          {.kind = step_kind::remove,
           .subject = "event " + owner.slug + "/" + slug,
           .differences = {{"name", name,
                            "webhooks that are limited to it get nothing of it "
                            "any more"}},
           .requests = {
             {"DELETE", in(owner.slug, "events/" + slug + "/"), ""}}});
  }

  void plan_webhooks(const std::string& owner,
                     const std::vector<wanted_webhook>& wanted,
                     const found_organizer& found) {
    webhook_planner hooks{owner, steps_};
    const auto matches = match_webhooks(wanted, found.webhooks);
    std::set<std::size_t> kept;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (matches[i]) {
        kept.insert(*matches[i]);
        hooks.change(wanted[i], found.webhooks[*matches[i]]);
      } else {
        hooks.add(wanted[i]);
      }
    if (!prune_)
      return;
    for (std::size_t i = 0; i < found.webhooks.size(); ++i)
      if (!kept.contains(i) && found.webhooks[i].enabled)
        hooks.remove(found.webhooks[i]);
  }

  const wanted_state& wanted_;
  const found_state& found_;
  bool prune_;
  std::vector<step> steps_;
};

} // namespace

std::vector<std::optional<std::size_t>>
match_webhooks(const std::vector<wanted_webhook>& wanted,
               const std::vector<found_webhook>& found) {
  std::map<std::string_view, std::size_t> by_name;
  std::map<std::string_view, std::vector<std::size_t>> nameless; // last first
  for (std::size_t i = found.size(); i-- > 0;)
    if (!found[i].name.empty())
      by_name.emplace(found[i].name, i);
  // One that was deleted is disabled: those that are not go first.
  for (const bool enabled : {false, true})
    for (std::size_t i = found.size(); i-- > 0;)
      if (found[i].name.empty() && found[i].enabled == enabled)
        nameless[found[i].target_url].push_back(i);
  std::vector<std::optional<std::size_t>> out(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (const auto known = by_name.find(wanted[i].name);
        known != by_name.end()) {
      out[i] = known->second;
    } else if (const auto same = nameless.find(wanted[i].target_url);
               same != nameless.end() && !same->second.empty()) {
      out[i] = same->second.back();
      same->second.pop_back();
    }
  return out;
}

std::vector<step> make_plan(const wanted_state& wanted,
                            const found_state& found, bool prune) {
  return planner{wanted, found, prune}.plan();
}

} // namespace fanfare::cli::declarative
