// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publishes what happened to a webhook ("fanfare.webhook.disabled"), for the
/// webhooks of its organizer that are subscribed to that.

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

  /// `members` are further ones of the body, from ", " on.
  void announce(const webhook_record& hook, std::string_view action,
                std::string_view members = {});

private:
  const directory& names_;
  router_link& router_;
};

} // namespace fanfare
