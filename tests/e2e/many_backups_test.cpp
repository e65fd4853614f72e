// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/support/backup_test.hpp"

namespace fanfare::test {

namespace {

class ManyBackupsTest : public backup_e2e_test {};

TEST_F(ManyBackupsTest, UnderLoadLoseNothingThatWasAnsweredBefore) {
  back_up_under_load(sanitized ? 10 : 100);
}

} // namespace

} // namespace fanfare::test
