// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publishes owner notices about a webhook ("fanfare.webhook.disabled") to
/// subscribed webhooks of its organizer.

#include "actors/event_log.hpp"
#include "engine/directory.hpp"
#include "engine/router_link.hpp"
#include "model/records.hpp"

#include <string>
#include <string_view>

namespace fanfare {

/// Any thread.
class announcer {
public:
  /// All must outlive it.
  announcer(const directory& names, const event_log& events,
            router_link& router)
    : names_(names),
      events_(events),
      router_(router) {}

  /// `members` are extra members of the body, from ", " on.
  void announce(const webhook_record& hook, std::string_view action,
                std::string_view members = {});

private:
  const directory& names_;
  const event_log& events_;
  router_link& router_;
};

} // namespace fanfare
