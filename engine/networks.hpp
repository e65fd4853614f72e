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
  /// Another policy applies to all of them.
  void replace_common(protocol::address_policy common);
  /// Something else that plans are made with has changed.
  void note_change() {
    ++changes_;
  }

  [[nodiscard]] delivery_defaults::fence of(organizer_id id) const;

  /// Grows with each change, to identify plans made before it.
  [[nodiscard]] const std::atomic<std::uint64_t>& changes() const {
    return changes_;
  }

private:
  struct own_networks {
    std::vector<protocol::network> allowed;
    std::vector<protocol::network> denied;
    delivery_defaults::fence within;
  };

  /// Under the mutex.
  void enclose(own_networks& one, std::uint64_t generation) const;

  mutable std::mutex mutex_;
  protocol::address_policy common_;
  /// Of the organizers without networks of their own, once `common_` is
  /// another one than the lanes were started with; null before.
  delivery_defaults::fence replaced_;
  std::unordered_map<organizer_id, own_networks> fences_;
  std::atomic<std::uint64_t> changes_{0};
};

} // namespace fanfare
