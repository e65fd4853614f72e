// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Webhooks as other systems' APIs list them, and what they are here.

#include "fanfare/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace fanfare::cli {

/// A webhook of another system.
struct foreign_webhook {
  std::string name; ///< there: an id
  std::string target_url;
  std::string comment;
  bool enabled = true;
  bool all_events = true;
  std::vector<std::string> events; ///< slugs, unless all
  std::vector<std::string> action_types;
  boost::json::object delivery; ///< settings beside the usual ones
  std::string secret;           ///< "whsec_…"; empty: a new one is made
  /// What could not be carried over, a sentence each.
  std::vector<std::string> lost;
};

/// One of the "results" of pretix's list of webhooks. invalid_argument: it is
/// none.
[[nodiscard]] result<foreign_webhook>
read_pretix_webhook(const boost::json::object& item);

/// Svix's list of endpoints, {"data": […]}, or the array alone. `secrets`: by
/// the id of the endpoint, "whsec_…" or Svix's answer with it, {"key": "…"}.
/// invalid_argument.
[[nodiscard]] result<std::vector<foreign_webhook>>
read_svix_endpoints(const boost::json::value& list,
                    const boost::json::object& secrets = {});

/// Convoy's list of subscriptions, {"data": {"content": […]}}, or the array
/// alone: those of one endpoint become one webhook. invalid_argument.
[[nodiscard]] result<std::vector<foreign_webhook>>
read_convoy_subscriptions(const boost::json::value& list);

} // namespace fanfare::cli
