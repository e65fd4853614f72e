// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/drafts.hpp"

#include "actors/commit_queue.hpp"
#include "engine/refusals.hpp"
#include "protocol/payload/publication.hpp"
#include "protocol/payload/trace_context.hpp"
#include "protocol/rules/slug.hpp"

#include <optional>
#include <string>
#include <utility>

namespace fanfare {

namespace {

/// What each publish, and each of its notifications, counts besides its text.
constexpr std::size_t publish_overhead = 512;
constexpr std::size_t notification_overhead = 256;

/// What the publications of one call share.
struct shared_parts {
  const directory& names;
  organizer_id owner = 0;
  std::string slug; ///< of the organizer
  /// Made for the first body to be rendered: those that came by REST are.
  std::optional<protocol::publication_renderer> renderer = {};
  /// Of the publication at hand, if they are known.
  std::optional<directory::names> found = {};
};

error unknown_type(const std::string& action, const directory& names) {
  auto sentence = "Unknown action type \"" + action + "\".";
  if (const auto help = protocol::how_to_register(action, names.action_types());
      !help.empty())
    sentence += ' ' + help
              + " Programs that embed the engine call ensure_action_type().";
  return {ec::invalid_argument, std::move(sentence), "action"};
}

result<directory::names> look_up(const shared_parts& shared,
                                 const publication& item) {
  if (protocol::is_own_action(item.action))
    return error{ec::invalid_argument,
                 "Actions that begin with \"fanfare.\" are published by the "
                 "engine alone.",
                 "action"};
  if (item.action.size() > protocol::action_type_limit
      || !protocol::is_action_name(item.action))
    return error{ec::invalid_argument,
                 "An action is made of "
                   + std::string{protocol::action_name_rule}
                   + "; at most 255 characters.",
                 "action"};
  const auto found = shared.names.find_names(shared.owner, item.action,
                                             item.event);
  if (!found.type)
    return unknown_type(item.action, shared.names);
  if (!item.event.empty() && !protocol::is_slug(item.event))
    return error{ec::invalid_argument, std::string{protocol::slug_rule},
                 "event"};
  return found;
}

/// Checks one; with its `rest` if it has to be rendered.
result<storage::draft> draft_one(shared_parts& shared,
                                 const publication& item) {
  if (!shared.found) {
    auto found = look_up(shared, item);
    if (!found)
      return found.error();
    shared.found = *found;
  }
  if (!item.trace.empty() && !protocol::is_trace(item.trace))
    return error{ec::invalid_argument,
                 "Give a traceparent as in W3C Trace Context, and a tracestate "
                 "in a second line if there is one.",
                 "trace"};
  storage::draft d;
  d.owner = shared.owner;
  d.event = shared.found->event;
  d.type = *shared.found->type;
  if (!item.rest.empty()) {
    if (item.rest.size() > protocol::notification_body_limit)
      return error{ec::too_large, "A notification may have 1 MiB.", "rest"};
    return d;
  }
  if (!shared.renderer)
    shared.renderer.emplace(shared.slug);
  auto rendered = shared.renderer->render(item);
  if (!rendered)
    return rendered.error();
  d.rest = std::move(*rendered);
  return d;
}

} // namespace

result<drafts> drafts::make(const directory& names, organizer_id owner,
                            std::vector<publication>& items) {
  const auto count = items.size();
  if (count == 0 || count > protocol::publications_limit)
    return error{ec::invalid_argument,
                 "Publish 1 to " + std::to_string(protocol::publications_limit)
                   + " notifications at once."};
  auto slug = names.find_slug(owner);
  if (slug.empty())
    return no_such_organizer(owner);
  drafts out;
  out.bytes = publish_overhead;
  out.all.reserve(count);
  out.was_rendered_.reserve(count);
  shared_parts shared{.names = names, .owner = owner, .slug = std::move(slug)};
  for (auto& item : items) {
    // Those of a list often name the same as the one before.
    if (shared.found) {
      const auto& before = out.all.back();
      const auto& its_event = before.new_event.empty() ? (&item - 1)->event
                                                       : before.new_event;
      if (before.action != item.action || its_event != item.event)
        shared.found.reset();
    }
    auto drafted = draft_one(shared, item);
    if (!drafted) {
      out.give_back(items);
      auto fault = drafted.error();
      if (count > 1)
        fault.detail = "items[" + std::to_string(&item - items.data())
                     + "]: " + fault.detail;
      return fault;
    }
    auto& d = *drafted;
    if (d.event == 0)
      d.new_event = std::move(item.event);
    d.action = std::move(item.action);
    d.trace = std::move(item.trace);
    out.was_rendered_.push_back(d.rest.empty());
    if (d.rest.empty())
      d.rest = std::move(item.rest);
    out.bytes += d.rest.size() + notification_overhead;
    out.all.push_back(std::move(d));
  }
  if (out.bytes > commit_queue::publish_bytes_limit) {
    out.give_back(items);
    return error{ec::too_large, "Notifications that are published at once may "
                                "have 64 MiB together."};
  }
  return out;
}

std::size_t drafts::estimate_bytes(const std::vector<publication>& items) {
  auto bytes = publish_overhead + items.size() * notification_overhead;
  for (const auto& item : items)
    bytes += item.rest.size() + item.payload.size();
  return bytes;
}

void drafts::give_back(std::vector<publication>& items) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& from = all[i];
    auto& to = items[i];
    to.action = std::move(from.action);
    if (!from.new_event.empty())
      to.event = std::move(from.new_event);
    if (was_rendered_[i])
      to.rest = std::move(from.rest);
    to.trace = std::move(from.trace);
  }
}

} // namespace fanfare
