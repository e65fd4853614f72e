// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A webhook's state, read from its log and its pending notifications: delivery
/// counts nothing.

#include "fanfare/error.hpp"
#include "fanfare/reports.hpp"
#include "storage/store.hpp"

namespace fanfare {

/// Reads at most 1,000 calls. Can wait for the disk; any thread.
[[nodiscard]] result<webhook_health> measure_health(const storage::store& store,
                                                    const webhook_record& hook,
                                                    timestamp now);

} // namespace fanfare
