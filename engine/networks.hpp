// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which networks receivers may be in: the engine's, and those of each
/// organizer with its own networks.

#include "actors/webhook/delivery_plan.hpp"
#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "protocol/target/address_policy.hpp"
#include "protocol/target/network.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fanfare {

/// invalid_argument, with `field` as its field.
[[nodiscard]] result<std::vector<protocol::network>>
read_networks(const std::vector<std::string>& texts, std::string_view field);

/// The address policies of organizers. Any thread.
class organizer_fences {
public:
  /// `common` applies to all of them.
  explicit organizer_fences(protocol::address_policy common)
    : common_(std::move(common)) {}

  /// Follows a new or changed organizer. invalid_argument (field
  /// "allow_networks", "deny_networks").
  result<void> update(const organizer& changed);

  [[nodiscard]] delivery_defaults::fence of(organizer_id id) const;

  /// Grows with each change, to identify plans made before it.
  [[nodiscard]] const std::atomic<std::uint64_t>& changes() const {
    return changes_;
  }

private:
  const protocol::address_policy common_;
  mutable std::mutex mutex_;
  std::unordered_map<organizer_id, delivery_defaults::fence> fences_;
  std::atomic<std::uint64_t> changes_{0};
};

} // namespace fanfare
