// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads of the registry: organizers and what they own, and the action types.

#include "fanfare/error.hpp"
#include "model/records.hpp"
#include "model/token.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace fanfare::storage {

/// Any thread that may block on the disk. Reads what is committed. Lists are in
/// the order of their ids.
class registry {
public:
  virtual ~registry() = default;

  /// Also those that were removed: they have no slug, and a name until nothing
  /// of them is left to be cleared.
  [[nodiscard]] virtual result<std::vector<organizer>> organizers() const = 0;
  /// Also those that were removed: they have no slug.
  [[nodiscard]] virtual result<std::vector<event>> events() const = 0;
  [[nodiscard]] virtual result<std::vector<token>> tokens() const = 0;
  [[nodiscard]] virtual result<std::vector<action_type>>
  action_types() const = 0;

  /// not_found.
  [[nodiscard]] virtual result<webhook_record>
  find_webhook(webhook_id id) const = 0;
  /// By its name. not_found.
  [[nodiscard]] virtual result<webhook_record>
  find_webhook(organizer_id owner, std::string_view name) const = 0;
  /// `enabled` filters.
  [[nodiscard]] virtual result<std::vector<webhook_record>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) const = 0;
  [[nodiscard]] virtual result<std::size_t>
  count_webhooks(organizer_id owner, std::optional<bool> enabled) const = 0;
  /// Visits all webhooks until `visit` returns false, without holding all of
  /// them in memory.
  virtual result<void> for_each_webhook(
    const std::function<bool(const webhook_record&)>& visit) const = 0;
};

} // namespace fanfare::storage
