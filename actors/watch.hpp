// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What actors and the engine note for the operator, who looks at it now, or
/// reads it later.

#include "actors/event_log.hpp"
#include "actors/trouble_board.hpp"
#include "actors/webhook_changes.hpp"

namespace fanfare {

struct operator_watch {
  event_log events;
  trouble_board troubles = {};
  webhook_changes changes = {};
};

} // namespace fanfare
