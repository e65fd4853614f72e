// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Waits in tests for another thread or process. Polls with short waits, so it
/// returns soon after the condition holds; never a fixed sleep. Prefer a
/// condition variable where the code under test offers one.

#include <chrono>
#include <functional>

namespace fanfare::test {

/// Calls `holds` until it returns true or `limit` has passed. Returns its last
/// result; calls it at least once, even with a limit of zero.
bool eventually(std::chrono::milliseconds limit,
                const std::function<bool()>& holds);

} // namespace fanfare::test
