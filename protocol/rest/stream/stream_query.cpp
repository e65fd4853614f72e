// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/stream/stream_query.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/resource.hpp"
#include "protocol/rest/resources/log_page.hpp"
#include "protocol/rest/resources/notification_query.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace fanfare::protocol::rest {

namespace {

constexpr std::array known_names{
  std::string_view{"action"},  std::string_view{"action_type"},
  std::string_view{"event"},   std::string_view{"last_event_id"},
  std::string_view{"payload"}, std::string_view{"since"},
  std::string_view{"success"}, std::string_view{"types"},
  std::string_view{"webhook"}};

std::optional<bool> read_bool(const query& q, std::string_view name,
                              field_errors& errors) {
  const auto text = to_lower(q.last(name).value_or(""));
  if (text.empty())
    return std::nullopt;
  if (text == "true" || text == "1")
    return true;
  if (text == "false" || text == "0")
    return false;
  errors.add(name, "Must be true or false.");
  return std::nullopt;
}

bool may_see_calls(const exchange& x) {
  return !x.token
      || (x.token->permissions & (permission_webhooks | permission_admin)) != 0;
}

/// "call,webhook", or the parameter again and again. False: nothing was asked
/// for.
bool read_types(const exchange& x, stream_query& out, field_errors& errors) {
  bool asked = false;
  out.calls = out.notifications = out.changes = false;
  for (auto list : x.query.all("types"))
    while (!list.empty()) {
      const auto end = list.find(',');
      const auto one = trim(list.substr(0, end));
      list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
      asked = true;
      if (one == "call")
        out.calls = true;
      else if (one == "notification")
        out.notifications = true;
      else if (one == "webhook")
        out.changes = true;
      else
        errors.add("types", "Must be some of call, notification, webhook, with "
                            "commas between them.");
    }
  return asked;
}

void read_webhooks(const exchange& x, stream_query& out, field_errors& errors) {
  for (const auto text : x.query.all("webhook")) {
    if (text.empty())
      continue;
    const auto id = to_integer(text);
    if (!id || *id < 1) {
      errors.add("webhook", "Must be the number of a webhook.");
      continue;
    }
    const auto hook = static_cast<webhook_id>(*id);
    const auto found = x.service.find_webhook(x.owner.id, hook);
    if (!found && found.error().code == ec::not_found)
      errors.add("webhook",
                 "There is no webhook " + std::to_string(hook) + '.');
    else
      out.hooks.push_back(hook);
  }
  std::ranges::sort(out.hooks);
}

} // namespace

bool stream_query::takes(const call& c) const {
  return (hooks.empty() || std::ranges::binary_search(hooks, c.hook))
      && (!success || *success == (c.result == outcome::delivered))
      && (!since || c.time >= *since);
}

bool stream_query::takes(const notification& n) const {
  return (!event || *event == n.event) && is_action(action, n.action)
      && (!since || n.published >= *since);
}

bool stream_query::takes(const webhook_change& c) const {
  return hooks.empty() || std::ranges::binary_search(hooks, c.hook);
}

std::optional<http_response> read_stream_query(const exchange& x,
                                               stream_query& out) {
  const auto& q = x.query;
  field_errors errors;
  for (const auto name : q.names())
    if (std::ranges::find(known_names, name) == known_names.end())
      errors.add(name, "There is no such parameter. A stream takes types, "
                       "webhook, event, action, success, since, payload and "
                       "last_event_id.");
  out.owner = x.owner.id;
  const bool asked = read_types(x, out, errors);
  if (!asked) {
    out.calls = out.changes = may_see_calls(x);
    out.notifications = true;
  } else if ((out.calls || out.changes) && !may_see_calls(x)) {
    return refusal(x, 403,
                   "You do not have permission to perform this action: to see "
                   "calls and webhooks a token needs the permission "
                   "webhooks.");
  }
  read_webhooks(x, out, errors);
  out.action = q.last("action").value_or("");
  if (out.action.empty())
    out.action = q.last("action_type").value_or("");
  if (!out.action.empty()
      && types_of_action(out.action, x.service.action_types()).empty())
    errors.add("action", "There is no action type of that name. "
                         "/api/v1/action-types/ lists them.");
  if (const auto slug = q.last("event"); slug && !slug->empty()) {
    const auto found = x.service.find_event(x.owner.id, *slug);
    if (found)
      out.event = found->id;
    else
      errors.add("event", "There is no event of that slug.");
  }
  out.success = read_bool(q, "success", errors);
  out.since = read_time(q, "since", errors);
  if (const auto payload = read_bool(q, "payload", errors))
    out.call_payloads = out.notification_payloads = *payload;
  if (!errors.empty())
    return errors.answer(x);
  auto conditions = q;
  conditions.remove("last_event_id");
  out.text = std::to_string(out.owner) + (may_see_calls(x) ? '+' : '-')
           + conditions.text();
  return std::nullopt;
}

} // namespace fanfare::protocol::rest
