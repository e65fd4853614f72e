// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/faults/killed.hpp"

namespace fanfare::test {

// tests/storage/long has a thousand.
TEST(KilledTest, BetweenAnyTwoCallsLosesNothingThatWasAcknowledged) {
  kill_between_calls(25, 1);
}

} // namespace fanfare::test
