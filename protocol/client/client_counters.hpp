// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a client counts of its connections. Its thread writes, any thread
/// reads.

#include "model/counter.hpp"

namespace fanfare::protocol {

struct client_counters {
  counter opened; ///< connections that were established
  counter reused; ///< exchanges that began on one that was kept
  counter idle;   ///< connections that wait for an exchange now
};

} // namespace fanfare::protocol
