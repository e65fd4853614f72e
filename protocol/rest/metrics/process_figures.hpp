// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the system says of this process, under the names that all exporters
/// give it.

#include "fanfare/metrics.hpp"

#include <vector>

namespace fanfare::protocol::rest {

/// Those that can be read. Takes as long as it takes to count the open files.
/// Any thread.
[[nodiscard]] std::vector<metric> process_figures();

} // namespace fanfare::protocol::rest
