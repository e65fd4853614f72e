// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Waiting in tests for what another thread or process does. Polls with short
/// waits, so it returns soon after the condition holds; it is never a fixed
/// sleep. Prefer a condition variable where the code under test offers one.

#include <chrono>
#include <functional>

namespace fanfare::test {

/// Calls `holds` until it returns true or `limit` has passed. Returns its last
/// result; it is called at least once, also with a limit of zero.
bool eventually(std::chrono::milliseconds limit,
                const std::function<bool()>& holds);

} // namespace fanfare::test
