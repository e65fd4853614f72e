// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A webhook's signing secret, and its rotation.

#include "fanfare/types.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace fanfare {

/// A webhook's signing secret.
struct secret_view {
  signing_algorithm algorithm = signing_algorithm::hmac_sha256;
  std::string secret;     ///< "whsec_…"; empty for Ed25519
  std::string public_key; ///< "whpk_…"; empty for HMAC
  timestamp created;
  /// Until when calls also carry a signature by the previous secret; absent:
  /// they do not.
  std::optional<timestamp> previous_until;
};

struct secret_rotation {
  static constexpr std::chrono::days longest_overlap{30};
  /// "whsec_…" or "whsk_…"; empty: makes a new one.
  std::string secret = {};
  /// How long calls also carry a signature by the previous secret.
  std::chrono::milliseconds overlap = std::chrono::hours{24};
};

} // namespace fanfare
