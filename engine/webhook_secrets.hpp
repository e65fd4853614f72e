// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The keys that a webhook's calls are signed with: made, shown and replaced.

#include "fanfare/error.hpp"
#include "fanfare/secrets.hpp"
#include "model/records.hpp"
#include "protocol/security/vault.hpp"

namespace fanfare {

/// Any thread.
class webhook_secrets {
public:
  /// Keys that are kept at most, the one in force included: what is older than
  /// that stops to be signed with before its overlap ends.
  static constexpr std::size_t limit = 8;

  /// `vault` must outlive it.
  explicit webhook_secrets(const protocol::vault& vault) : vault_(vault) {}

  /// Makes one if calls are to be signed and the newest is none of that kind;
  /// the ones before stay in force for a day.
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
