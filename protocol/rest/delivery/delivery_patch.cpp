// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery/delivery_patch.hpp"

#include "protocol/rules/delivery_rules.hpp"

namespace fanfare::protocol::rest {

result<void> delivery_patch::apply(webhook& to) const {
  for (const auto& one : edits_)
    if (auto done = one(to); !done)
      return done;
  return empty() ? result<void>{} : check_signing_header(to.delivery);
}

} // namespace fanfare::protocol::rest
