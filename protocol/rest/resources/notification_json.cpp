// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/notification_json.hpp"

#include "protocol/rest/messages/answers.hpp"

#include <optional>

namespace fanfare::protocol::rest {

boost::json::object to_json(const service& of, const notification& n) {
  const auto event = n.event == 0 ? std::nullopt : of.find_event(n.event);
  boost::json::object out;
  out["notification_id"] = n.id;
  out["datetime"] = to_iso8601(n.published);
  out["event"] = event ? json_string(event->slug) : boost::json::value(nullptr);
  out["action_type"] = json_string(n.action);
  out["payload"] = json_string(n.body);
  return out;
}

} // namespace fanfare::protocol::rest
