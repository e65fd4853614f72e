// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The keys that sign a webhook's calls: made, shown and replaced.

#include "fanfare/error.hpp"
#include "fanfare/secrets.hpp"
#include "model/records.hpp"
#include "protocol/security/vault.hpp"

namespace fanfare {

/// Any thread.
class webhook_secrets {
public:
  /// Most keys kept, the current one included: older ones stop signing before
  /// their overlap ends.
  static constexpr std::size_t limit = 8;

  /// `vault` must outlive it.
  explicit webhook_secrets(const protocol::vault& vault) : vault_(vault) {}

  /// Makes one if calls are signed and the newest is of another kind; earlier
  /// ones stay in force for a day.
  void ensure(webhook_record& hook, timestamp now) const;
  /// Replaces the newest. invalid_argument (field "secret"): not a secret of
  /// the webhook's algorithm; conflict: its calls are not signed.
  result<void> rotate(webhook_record& hook, const secret_rotation& how,
                      timestamp now) const;
  /// not_found: its calls are not signed.
  [[nodiscard]] result<secret_view> show(const webhook_record& hook,
                                         timestamp now) const;

private:
  void put(webhook_record& hook, std::string_view text, timestamp now,
           std::chrono::milliseconds overlap) const;

  const protocol::vault& vault_;
};

} // namespace fanfare
