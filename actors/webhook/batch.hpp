// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What goes together into one request of a webhook.

#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "fanfare/types.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace fanfare {

/// What the first of those that are ready begins.
struct batch_choice {
  /// How many of them go together; 0: the first one goes no more.
  std::size_t count = 0;
  bool too_old = false; ///< that is why; else it is settled or in flight
  /// More may come: it is to be sent then.
  std::optional<timestamp> wait_until{};
};
/// As many as fit into one request: one, unless the plan is for batches. Needs
/// one that is ready.
[[nodiscard]] batch_choice
choose_batch(const delivery_queue& queue, delivery_queue::source from,
             const delivery_plan& plan, timestamp now);

/// One notification whose body has the bodies of all members.
[[nodiscard]] notification_ptr
combine(const std::vector<notification_ptr>& members, bool thin);

} // namespace fanfare
