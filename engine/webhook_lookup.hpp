// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A stored webhook, for its owner only.

#include "engine/refusals.hpp"
#include "fanfare/error.hpp"
#include "model/records.hpp"
#include "storage/store.hpp"

namespace fanfare {

/// Blocks. not_found also for another organizer's.
[[nodiscard]] inline result<webhook_record>
find_record(const storage::store& store, organizer_id owner, webhook_id id) {
  auto found = store.registry().find_webhook(id);
  if (found && found->owner != owner)
    return no_such_webhook();
  return found;
}

} // namespace fanfare
