// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publishes owner notices about a webhook ("fanfare.webhook.disabled") to
/// subscribed webhooks of its organizer.

#include "engine/directory.hpp"
#include "engine/router_link.hpp"
#include "model/records.hpp"

#include <string>
#include <string_view>

namespace fanfare {

/// Any thread.
class announcer {
public:
  /// Both must outlive it.
  announcer(const directory& names, router_link& router)
    : names_(names),
      router_(router) {}

  /// `members` are extra members of the body, from ", " on.
  void announce(const webhook_record& hook, std::string_view action,
                std::string_view members = {});

private:
  const directory& names_;
  router_link& router_;
};

} // namespace fanfare
