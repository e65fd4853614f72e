// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What an HTTP server counts of its clients' connections. Written under the
/// lock of its admission, read by any thread.

#include "fanfare/metrics.hpp"
#include "model/counter.hpp"

#include <vector>

namespace fanfare::protocol {

struct server_counters {
  counter open; ///< now
  counter accepted;
  counter refused; ///< because there were too many

  /// Those of the server of the API.
  [[nodiscard]] std::vector<metric> figures() const;
};

} // namespace fanfare::protocol
