// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which part of a list is asked for.

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

/// For which of the organizer's webhooks, by id, a notification is explained.
struct explanation_query {
  std::size_t offset = 0;
  std::size_t limit = 100;
};

} // namespace fanfare
