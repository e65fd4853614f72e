// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the engine knows of its receivers' certificates. It outlives the actors
/// of webhooks, which end whenever there is nothing to do.

#include "model/records.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace fanfare {

/// Any thread.
class certificates {
public:
  /// A handshake with the webhook's receiver showed one that is valid until
  /// then. True: its owner is to be told, once a day from 14 days before.
  [[nodiscard]] bool seen(const webhook_record& hook, timestamp expires,
                          timestamp now);
  /// As the last handshake with the webhook's present target showed it.
  [[nodiscard]] std::optional<timestamp>
  expires(const webhook_record& hook) const;

  struct expiring_one {
    webhook_id hook = 0;
    organizer_id owner = 0;
    timestamp expires{};
  };
  /// Those within 14 days, of an organizer's webhooks or of all if it is 0; the
  /// soonest first.
  [[nodiscard]] std::vector<expiring_one> expiring(organizer_id owner,
                                                   timestamp now) const;

  /// Webhooks that are remembered. Beyond it, those go first of which nothing
  /// was told within a day.
  static constexpr std::size_t most = 100'000;

private:
  struct known {
    std::size_t target = 0; ///< hash of its URL
    timestamp expires{};
    timestamp told{};
  };

  void make_room(timestamp now);

  mutable std::mutex mutex_;
  std::unordered_map<webhook_id, known> all_;
  std::unordered_map<webhook_id, expiring_one> soon_; ///< of `all_`
};

} // namespace fanfare
