// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/support/backup_test.hpp"

namespace fanfare::test {

namespace {

/// A hundred in all; each part begins with an empty store, since every backup
/// of one that grows takes longer than the one before.
class ManyBackupsTest : public backup_e2e_test,
                        public ::testing::WithParamInterface<int> {};

TEST_P(ManyBackupsTest, UnderLoadLoseNothingThatWasAnsweredBefore) {
  back_up_under_load(sanitized ? 3 : 25);
}

INSTANTIATE_TEST_SUITE_P(Parts, ManyBackupsTest, ::testing::Range(0, 4));

} // namespace

} // namespace fanfare::test
