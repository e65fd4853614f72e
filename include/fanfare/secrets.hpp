// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a webhook's calls are signed with, and how that is changed.

#include "fanfare/types.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace fanfare {

/// What a webhook's calls are signed with.
struct secret_view {
  signing_algorithm algorithm = signing_algorithm::hmac_sha256;
  std::string secret;     ///< "whsec_…"; empty for Ed25519
  std::string public_key; ///< "whpk_…"; empty for HMAC
  timestamp created;
  /// Until when calls also carry a signature of the one before; absent: they
  /// do not.
  std::optional<timestamp> previous_until;
};

struct secret_rotation {
  static constexpr std::chrono::days longest_overlap{30};
  /// "whsec_…" or "whsk_…"; empty: a new one is made.
  std::string secret = {};
  /// How long calls also carry a signature by the secret before.
  std::chrono::milliseconds overlap = std::chrono::hours{24};
};

} // namespace fanfare
