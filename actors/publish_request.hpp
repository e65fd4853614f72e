// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Notifications on their way to the disk, and how long their publisher can
/// wait. A request stays whole until the commit queue has taken it.

#include "actors/completion.hpp"
#include "storage/operations.hpp"

#include <cstddef>
#include <cstdint>

namespace fanfare {

/// How long a publisher can wait, which decides what happens while the commit
/// queue has no room.
enum class patience : std::uint8_t {
  none,     ///< it is refused; all the room there is may be used for it
  for_room, ///< it waits for room, and leaves the rest to those who cannot
  for_disk, ///< the same, and its thread may write the notifications itself
};

struct publish_request {
  storage::append_notifications append;
  completion done;
  /// What counts against the queue's room for publishes.
  std::size_t bytes = 0;
};

} // namespace fanfare
