// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Why a webhook got a notification, or did not, and its fate: read from the
/// subscription of that time, the log and the retry set.

#include "fanfare/error.hpp"
#include "fanfare/reports.hpp"
#include "storage/store.hpp"

namespace fanfare {

/// Of its webhook it sets only the id. Reads at most the webhook's newest
/// 20,000 calls. Can wait for the disk; any thread.
[[nodiscard]] result<explanation> explain(const storage::store& store,
                                          const webhook_record& hook,
                                          const notification& what);

} // namespace fanfare
