// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How a webhook does, read from its log and from what waits for it: nothing is
/// counted while delivering.

#include "fanfare/error.hpp"
#include "fanfare/reports.hpp"
#include "storage/store.hpp"

namespace fanfare {

/// Looks at no more than 1,000 calls. May wait for the disk; any thread.
[[nodiscard]] result<webhook_health> measure_health(const storage::store& store,
                                                    const webhook_record& hook,
                                                    timestamp now);

} // namespace fanfare
