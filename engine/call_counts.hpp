// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Statistics of calls: what may be asked for, and the report of it.

#include "fanfare/error.hpp"
#include "fanfare/queries.hpp"
#include "fanfare/reports.hpp"
#include "storage/call_log.hpp"

#include <cstddef>

namespace fanfare {

inline constexpr std::size_t most_steps = 1'000;

/// Of a webhook, or of all of the organizer if `hook` is 0. Can wait for the
/// disk; any thread. invalid_argument (field "since", "until", "step").
[[nodiscard]] result<call_statistics>
count_calls(const storage::call_log& log, organizer_id owner, webhook_id hook,
            const statistics_query& which, timestamp now);

} // namespace fanfare
