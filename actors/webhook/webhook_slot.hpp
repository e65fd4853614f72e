// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the router and a webhook's actor know of each other without sending
/// messages. docs/architecture.md, "Hand-over between backlog and live", says
/// why nothing falls between the two.

#include "fanfare/types.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fanfare {

/// What a webhook's actor does.
enum class activity : std::uint8_t {
  working, ///< it loads, reads, or waits for its turn
  calling, ///< attempts are in flight
  resting, ///< it has nothing to do, or something holds it
};

struct webhook_slot {
  webhook_id id = 0;
  std::uint32_t place = 0; ///< in the router's table
  std::atomic<activity> doing{activity::working};
  /// Notifications the router may still send. The webhook gives one back for
  /// each that leaves its window.
  std::atomic<std::int64_t> credits{0};
  /// Newest position that the router did not send for want of credits.
  std::atomic<position> skipped_upto{0};
  /// The webhook has taken or read everything up to here; it is behind while
  /// this is below `skipped_upto`.
  std::atomic<position> read_upto{0};
  /// The webhook's cursor. Written after the call that moved it is in the
  /// commit queue.
  std::atomic<position> settled_upto{0};
  /// Retries, attempts in flight and open orders; not zero before the webhook's
  /// state is loaded.
  std::atomic<std::size_t> unfinished{1};
};

} // namespace fanfare
