// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The rule of which notifications a webhook gets. The router's index answers
/// the same question for many webhooks at once; this is the definition it is
/// tested against, and what a backlog read from disk is matched with.

#include "model/types.hpp"

#include <algorithm>

namespace fanfare {

/// Whether a notification of `type` about `event` goes to a webhook with this
/// subscription. A notification without event (0) ignores the event selection.
[[nodiscard]] inline bool matches(const subscription& sub, action_type_id type,
                                  event_id event) {
  return sub.enabled && std::ranges::binary_search(sub.types, type)
      && (event == 0 || sub.all_events
          || std::ranges::binary_search(sub.events, event));
}

/// The version that holds for the notification at `at`, or null if the webhook
/// did not exist yet.
[[nodiscard]] inline const subscription* version_at(const webhook& hook,
                                                    position at) {
  for (auto i = hook.versions.rbegin(); i != hook.versions.rend(); ++i)
    if (i->from <= at)
      return &i->value;
  return nullptr;
}

} // namespace fanfare
