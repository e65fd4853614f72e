// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The tokens that the REST API is used with. Programs that embed the engine
/// have none.

#include "fanfare/types.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fanfare {

using token_id = std::uint64_t;

/// What a token may do within its organizer; a set of bits.
enum permission : std::uint8_t {
  permission_webhooks = 1,      ///< manage webhooks, read the call log
  permission_notifications = 2, ///< publish
  permission_admin = 4, ///< manage events and tokens; implies those above
  /// Read the server's figures, and those of the organizer's webhooks. Given by
  /// the server's admin only: an organizer's does not have it.
  permission_metrics = 8,
  /// Register action types, which all organizers share. Given by the server's
  /// admin only.
  permission_register_types = 16,
};

struct token {
  token_id id = 0;
  organizer_id owner = 0;
  std::string name;
  std::uint8_t permissions = 0; ///< bits of `permission`
  std::string hash;             ///< SHA-256 of the key, 32 bytes; never the key
  timestamp created;
  std::optional<timestamp> last_used;
  bool revoked = false;
  bool operator==(const token&) const = default;
};

/// A token and its key, which is shown this one time.
struct issued_token {
  token value;
  std::string key;
};

} // namespace fanfare
