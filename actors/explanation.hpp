// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Why a webhook got a notification, or why it did not, and what became of it:
/// read from the subscription of that time, the log and the retry set.

#include "model/error.hpp"
#include "protocol/service.hpp"
#include "storage/store.hpp"

namespace fanfare {

/// Looks at no more than the webhook's newest 20,000 calls. May wait for the
/// disk; any thread.
[[nodiscard]] result<explanation> explain(const storage::store& store,
                                          const webhook& hook,
                                          const notification& what);

} // namespace fanfare
