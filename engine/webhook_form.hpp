// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Between a webhook as its owner writes it, with names and plain secrets, and
/// the record that is stored, with ids and sealed ones. The rules of what a
/// webhook may be are here and in protocol/rules/delivery_rules.hpp.

#include "engine/directory.hpp"
#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "model/records.hpp"
#include "protocol/security/vault.hpp"

#include <chrono>

namespace fanfare {

/// What the engine adds to the rules.
struct webhook_rules {
  /// Of webhooks that have none of their own.
  std::chrono::milliseconds total_timeout{30'000};
  /// Networks that are not public are allowed to all organizers, so that names
  /// which only they know may be called.
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
      rules_(rules) {}

  /// Secrets stay sealed.
  [[nodiscard]] webhook show(const webhook_record& stored) const;

  /// Writes `wanted` into `to`, which shows as `before`. Only what differs is
  /// checked and written: what was stored under older rules may stay.
  /// invalid_argument with the field; then `to` is as it was.
  [[nodiscard]] result<void> write(const webhook& wanted, const webhook& before,
                                   webhook_record& to) const;

private:
  [[nodiscard]] result<void> check_texts(const webhook& wanted,
                                         const webhook& before,
                                         organizer_id owner) const;
  [[nodiscard]] result<subscription> subscribe(const webhook& wanted,
                                               organizer_id owner) const;

  const directory& names_;
  const protocol::vault& seals_;
  webhook_rules rules_;
};

} // namespace fanfare
