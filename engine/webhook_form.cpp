// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/webhook_form.hpp"

#include "model/action_name.hpp"
#include "model/payload_filter.hpp"
#include "protocol/rules/action_types.hpp"
#include "protocol/rules/delivery_rules.hpp"
#include "protocol/target/target_url.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare {

namespace {

constexpr std::size_t comment_limit = 255;

error fault(std::string field, std::string sentence) {
  return {ec::invalid_argument, std::move(sentence), std::move(field)};
}

template <class T>
void sort_unique(std::vector<T>& list) {
  std::ranges::sort(list);
  // Not std::ranges::unique, whose result clang 14 does not compile.
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

} // namespace

result<void> webhook_form::check_texts(const webhook& wanted,
                                       const webhook& before,
                                       organizer_id owner) const {
  if (wanted.target_url != before.target_url || before.target_url.empty()) {
    const auto whose = names_.find_organizer(owner);
    const bool local = local_names_
                    || (whose && !whose->allow_networks.empty());
    if (protocol::count_code_points(wanted.target_url)
          > protocol::target_url_limit
        || !protocol::is_target_url(wanted.target_url,
                                    local ? protocol::host_names::local_too
                                          : protocol::host_names::public_only)
        || !protocol::is_plain_text(wanted.target_url))
      return fault("target_url", "Give an http or https URL of at most "
                                   + std::to_string(protocol::target_url_limit)
                                   + " characters. Its host is an address, a "
                                     "name with a dot in it (any name once "
                                     "networks are allowed), or localhost.");
  }
  if (wanted.comment != before.comment && wanted.comment
      && (protocol::count_code_points(*wanted.comment) > comment_limit
          || !protocol::is_plain_text(*wanted.comment)))
    return fault("comment", "A comment has at most "
                              + std::to_string(comment_limit)
                              + " characters of UTF-8, none of them NUL.");
  return {};
}

webhook webhook_form::show(const webhook_record& stored) const {
  const auto& sub = stored.current();
  webhook out;
  out.id = stored.id;
  out.owner = stored.owner;
  out.target_url = stored.target_url;
  out.action_types = stored.action_types;
  out.enabled = sub.enabled;
  out.all_events = sub.all_events;
  for (const auto id : sub.events)
    if (auto found = names_.find_event(id))
      out.events.push_back(std::move(found->slug));
  if (sub.filter)
    out.filter = sub.filter.value->text();
  out.comment = stored.comment;
  out.delivery = stored.delivery;
  return out;
}

result<void> webhook_form::select_actions(const webhook& wanted,
                                          subscription& to) const {
  const auto& asked = wanted.action_types;
  const auto known = std::ranges::any_of(asked, is_wildcard)
                     ? names_.action_types()
                     : std::vector<action_type>{};
  std::vector<std::string> all;
  for (const auto& name : asked)
    if (protocol::is_free_wildcard(name, known))
      all.push_back(name);
  sort_unique(all);
  const auto is_covered = [&all](std::string_view name) {
    return std::ranges::any_of(all, [name](const auto& wildcard) {
      return wildcard != name && covers(wildcard, name);
    });
  };
  for (const auto& name : asked) {
    if (std::ranges::binary_search(all, name))
      continue;
    const auto found = names_.find_action_type(name);
    if (!found) {
      const auto help = protocol::how_to_register(name, names_.action_types());
      return fault("action_types",
                   "There is no action type \"" + name + "\"."
                     + (help.empty() ? help
                                     : ' ' + help
                                         + " Programs that embed the engine "
                                           "call ensure_action_type()."));
    }
    if (!is_covered(name))
      to.types.push_back(found->id);
  }
  sort_unique(to.types);
  for (const auto& wildcard : all)
    if (!is_covered(wildcard))
      to.wildcards.push_back(wildcard);
  return {};
}

result<subscription> webhook_form::subscribe(const webhook& wanted,
                                             organizer_id owner) const {
  subscription out;
  out.enabled = wanted.enabled;
  out.all_events = wanted.all_events;
  if (out.all_events && !wanted.events.empty())
    return fault("events", "Name events or take all of them, not both: set "
                           "all_events to false.");
  for (const auto& slug : wanted.events) {
    const auto id = names_.find_event_id(owner, slug);
    if (id == 0)
      return fault("events", "There is no event \"" + slug
                               + "\": add it, or publish about it, first.");
    out.events.push_back(id);
  }
  if (auto selected = select_actions(wanted, out); !selected)
    return selected.error();
  sort_unique(out.events);
  if (!wanted.filter.empty()) {
    auto compiled = payload_filter::parse(wanted.filter);
    if (!compiled)
      return compiled.error();
    out.filter.value = std::move(*compiled);
  }
  return out;
}

result<void> webhook_form::write(const webhook& wanted, const webhook& before,
                                 webhook_record& to) const {
  if (auto fine = check_texts(wanted, before, to.owner); !fine)
    return fine;
  auto sub = subscribe(wanted, to.owner);
  if (!sub)
    return sub.error();
  if (wanted.delivery != before.delivery) {
    if (auto fine = protocol::check_delivery(wanted.delivery, seals_); !fine)
      return fine;
    if (wanted.delivery.timeouts != before.delivery.timeouts)
      if (auto fine = protocol::check_timeouts(wanted.delivery.timeouts,
                                               total_timeout_);
          !fine)
        return fine;
    if (!proxies_resolve_)
      if (auto fine = protocol::check_proxy_asked(wanted.delivery.proxy); !fine)
        return fine;
    to.delivery = wanted.delivery;
    protocol::seal_secrets(to.delivery, seals_);
  }
  to.target_url = wanted.target_url;
  to.comment = wanted.comment;
  auto names = wanted.action_types;
  std::ranges::sort(names);
  if (names == to.action_types) {
    // As it was understood when it was written: before there were wildcards,
    // one meant the registered type of that name.
    sub->types = to.current().types;
    sub->wildcards = to.current().wildcards;
  }
  to.action_types = std::move(names);
  to.current() = std::move(*sub);
  return {};
}

} // namespace fanfare
