// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Translates between the owner's form of a webhook, with names and plain
/// secrets, and the stored record, with ids and sealed ones. The rules for
/// webhooks are here and in protocol/rules/delivery_rules.hpp.

#include "engine/directory.hpp"
#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "model/records.hpp"
#include "protocol/security/vault.hpp"

#include <atomic>
#include <chrono>

namespace fanfare {

/// The engine's additions to the rules.
struct webhook_rules {
  /// Of webhooks without their own.
  std::chrono::milliseconds total_timeout{30'000};
  /// True if all organizers may use networks that are not public, and so names
  /// that only those know.
  bool local_names = false;
  /// Their proxies may look up names.
  bool proxies_resolve = false;
};

/// Any thread.
class webhook_form {
public:
  /// Names and seals must outlive it.
  webhook_form(const directory& names, const protocol::vault& seals,
               webhook_rules rules = {})
    : names_(names),
      seals_(seals),
      total_timeout_(rules.total_timeout),
      local_names_(rules.local_names),
      proxies_resolve_(rules.proxies_resolve) {}

  /// From now on; `proxies_resolve` stays.
  void change(const webhook_rules& rules) {
    total_timeout_ = rules.total_timeout;
    local_names_ = rules.local_names;
  }

  /// Secrets stay sealed.
  [[nodiscard]] webhook show(const webhook_record& stored) const;

  /// Writes `wanted` into `to`, whose form is `before`. Only differences are
  /// checked and written: values stored under older rules may stay.
  /// invalid_argument with the field; then `to` is unchanged.
  [[nodiscard]] result<void> write(const webhook& wanted, const webhook& before,
                                   webhook_record& to) const;

private:
  [[nodiscard]] result<void> check_texts(const webhook& wanted,
                                         const webhook& before,
                                         organizer_id owner) const;
  [[nodiscard]] result<subscription> subscribe(const webhook& wanted,
                                               organizer_id owner) const;
  /// Types and wildcards, none of them twice in effect.
  [[nodiscard]] result<void> select_actions(const webhook& wanted,
                                            subscription& to) const;

  const directory& names_;
  const protocol::vault& seals_;
  std::atomic<std::chrono::milliseconds> total_timeout_;
  std::atomic<bool> local_names_;
  const bool proxies_resolve_;
};

} // namespace fanfare
