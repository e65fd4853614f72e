// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The rule that decides which notifications a webhook gets. The router's index
/// answers the same question for many webhooks at once and is tested against
/// this definition; backlogs read from disk are matched with it.

#include "model/action_name.hpp"
#include "model/payload_filter.hpp"
#include "model/records.hpp"

#include <algorithm>
#include <string_view>

namespace fanfare {

/// Whether the subscription names the registered type.
[[nodiscard]] inline bool names_type(const subscription& sub,
                                     action_type_id type) {
  return std::ranges::binary_search(sub.types, type);
}

/// Whether one of its wildcards covers the action. `type`: of the notification;
/// one without a type (0) was made up for a single webhook.
[[nodiscard]] inline bool names_action(const subscription& sub,
                                       action_type_id type,
                                       std::string_view action) {
  return type != 0
      && std::ranges::any_of(sub.wildcards, [action](const auto& wildcard) {
           return covers(wildcard, action);
         });
}

/// Whether it is about an event that the subscription selects. The selection
/// does not apply to a notification without an event (0).
[[nodiscard]] inline bool takes_event(const subscription& sub, event_id event) {
  return event == 0 || sub.all_events
      || std::ranges::binary_search(sub.events, event);
}

/// Whether a notification of `type` and `action` about `event` would go to a
/// webhook with this subscription if it is enabled, the filter aside.
[[nodiscard]] inline bool asks_for(const subscription& sub, action_type_id type,
                                   std::string_view action, event_id event) {
  return takes_event(sub, event)
      && (names_type(sub, type) || names_action(sub, type, action));
}

/// Whether it goes there.
[[nodiscard]] inline bool matches(const subscription& sub, action_type_id type,
                                  std::string_view action, event_id event) {
  return sub.enabled && asks_for(sub, type, action, event);
}

/// Whether the body of the notification passes the subscription's filter.
[[nodiscard]] inline bool passes(const subscription& sub,
                                 const notification& what) {
  return !sub.filter || sub.filter.value->matches(what.id, what.body);
}

/// The version that holds for the notification at `at`; null if the webhook did
/// not exist then.
[[nodiscard]] inline const subscription* version_at(const webhook_record& hook,
                                                    position at) {
  for (auto i = hook.versions.rbegin(); i != hook.versions.rend(); ++i)
    if (i->from <= at)
      return &i->value;
  return nullptr;
}

} // namespace fanfare
