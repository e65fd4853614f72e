// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What goes together into one request of a webhook.

#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "fanfare/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
/// At most `most`.
[[nodiscard]] batch_choice
choose_batch(const delivery_queue& queue, delivery_queue::source from,
             const delivery_plan& plan, std::size_t most, timestamp now);

/// How many notifications a request of retries may have: what is refused as a
/// batch is halved until the one that is refused is alone, and grows again with
/// each such request that shows which it was, or that it was none. First
/// attempts are not limited, or their successes would undo it.
class batch_size {
public:
  [[nodiscard]] std::size_t most() const {
    return most_;
  }
  /// A request with so many was refused for one of them.
  void refused(std::size_t members) {
    most_ = std::min(most_, std::max<std::size_t>(1, members / 2));
  }
  /// A request has ended otherwise. `limit`: of the plan.
  void settled(std::size_t limit) {
    if (most_ != unbounded)
      most_ = most_ * 2 < limit ? most_ * 2 : unbounded;
  }

private:
  static constexpr std::size_t unbounded = SIZE_MAX;

  std::size_t most_ = unbounded;
};

/// One notification whose body has the bodies of all members.
[[nodiscard]] notification_ptr
combine(const std::vector<notification_ptr>& members, bool thin);

} // namespace fanfare
