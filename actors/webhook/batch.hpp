// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What goes into one request of a webhook that is sent batches.

#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "fanfare/types.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace fanfare {

/// The batch that the first of those that are ready begin.
struct batch_choice {
  /// How many of them go together. 0: the first one goes in no batch.
  std::size_t count = 0;
  bool too_old = false; ///< that is why; else it is settled or in flight
  /// More may come: it is to be sent then.
  std::optional<timestamp> wait_until{};
};
/// Needs one that is ready, and a plan for batches.
[[nodiscard]] batch_choice
choose_batch(const delivery_queue& queue, delivery_queue::source from,
             const delivery_plan& plan, timestamp now);

/// One notification whose body has the bodies of all members.
[[nodiscard]] notification_ptr
combine(const std::vector<notification_ptr>& members, bool thin);

} // namespace fanfare
