// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which part of a list to return.

#include "fanfare/types.hpp"

#include <cstddef>
#include <optional>

namespace fanfare {

/// Some of an organizer's webhooks, by id.
struct webhook_query {
  std::optional<bool> enabled = {}; ///< only those that are, or are not
  std::size_t offset = 0;
  std::size_t limit = 100;
};

/// Some of a webhook's calls, newest first.
struct call_query {
  call_id before = 0; ///< only those with a lower id; 0: from the newest
  std::size_t limit = 100;
};

/// The organizer's webhooks, by id, for which to explain a notification.
struct explanation_query {
  std::size_t offset = 0;
  std::size_t limit = 100;
};

} // namespace fanfare
