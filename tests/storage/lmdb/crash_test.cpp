// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/lmdb/crash_rounds.hpp"
#include "tests/support/temp_dir.hpp"

namespace fanfare::test {

TEST(Crash, AKilledProcessLosesNothingItHasAcknowledged) {
  temp_dir dir;
  for (int round = 0; round < 5; ++round)
    kill_and_look(dir / "data", 40 + 7 * round);
}

} // namespace fanfare::test
