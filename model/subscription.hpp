// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The rule of which notifications a webhook gets. The router's index answers
/// the same question for many webhooks at once; this is the definition it is
/// tested against, and what a backlog read from disk is matched with.

#include "model/payload_filter.hpp"
#include "model/records.hpp"

#include <algorithm>

namespace fanfare {

/// All but the filter: whether a notification of `type` about `event` goes to a
/// webhook with this subscription. A notification without event (0) ignores the
/// event selection.
[[nodiscard]] inline bool matches(const subscription& sub, action_type_id type,
                                  event_id event) {
  return sub.enabled && std::ranges::binary_search(sub.types, type)
      && (event == 0 || sub.all_events
          || std::ranges::binary_search(sub.events, event));
}

/// Whether what the notification says passes the subscription's filter.
[[nodiscard]] inline bool passes(const subscription& sub,
                                 const notification& what) {
  return !sub.filter || sub.filter.value->matches(what.id, what.body);
}

/// The version that holds for the notification at `at`, or null if the webhook
/// did not exist yet.
[[nodiscard]] inline const subscription* version_at(const webhook_record& hook,
                                                    position at) {
  for (auto i = hook.versions.rbegin(); i != hook.versions.rend(); ++i)
    if (i->from <= at)
      return &i->value;
  return nullptr;
}

} // namespace fanfare
