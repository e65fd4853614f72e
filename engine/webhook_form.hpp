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

namespace fanfare {

/// Any thread.
class webhook_form {
public:
  /// Both must outlive it.
  webhook_form(const directory& names, const protocol::vault& seals)
    : names_(names),
      seals_(seals) {}

  /// Secrets stay sealed.
  [[nodiscard]] webhook show(const webhook_record& stored) const;

  /// Writes `wanted` into `to`, which shows as `before`. Only what differs is
  /// checked and written: what was stored under older rules may stay.
  /// invalid_argument with the field; then `to` is as it was.
  [[nodiscard]] result<void> write(const webhook& wanted, const webhook& before,
                                   webhook_record& to) const;

private:
  [[nodiscard]] result<subscription> subscribe(const webhook& wanted,
                                               organizer_id owner) const;

  const directory& names_;
  const protocol::vault& seals_;
};

} // namespace fanfare
