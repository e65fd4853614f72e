// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A webhook, and all that a replay of it would send now.

#include "fanfare/error.hpp"
#include "fanfare/reports.hpp"
#include "model/records.hpp"
#include "storage/store.hpp"

#include <memory>

namespace fanfare {

struct replay_plan {
  webhook_record hook;
  replay value;
  std::shared_ptr<const storage::selection> chosen;
};

/// Blocks. invalid_argument (field "until", "rate").
[[nodiscard]] result<replay_plan>
plan_replay(const storage::store& store, webhook_record hook,
            const replay_request& asked, timestamp now);

/// Its selection, with the first few notifications.
[[nodiscard]] replay_preview preview(const replay_plan& plan);

} // namespace fanfare
