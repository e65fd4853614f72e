// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Why a webhook got a notification, or why it did not, and what became of it:
/// read from the subscription of that time, the log and the retry set.

#include "fanfare/error.hpp"
#include "fanfare/reports.hpp"
#include "storage/store.hpp"

namespace fanfare {

/// Of its webhook it says the id only. Looks at no more than the webhook's
/// newest 20,000 calls. May wait for the disk; any thread.
[[nodiscard]] result<explanation> explain(const storage::store& store,
                                          const webhook_record& hook,
                                          const notification& what);

} // namespace fanfare
