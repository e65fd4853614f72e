// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a resolver counts. Its thread writes, any thread reads.

#include "model/counter.hpp"

namespace fanfare::protocol {

struct dns_counters {
  counter found;
  counter not_found; ///< the name has no address
  counter no_answer; ///< no name server answered, or none could find out
  counter cached;    ///< answered from memory, without a look-up
};

} // namespace fanfare::protocol
