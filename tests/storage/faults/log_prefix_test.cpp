// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/faults/log_prefixes.hpp"

#include <gtest/gtest.h>

// Some bytes of each; tests/storage/long has the rest.

namespace fanfare::test {

TEST(LogPrefixTest, OfASmallLogIsTheStateAfterAWholeNumberOfGroups) {
  log_prefixes{1, 40, 30}.check(100);
}

TEST(LogPrefixTest, OfALogOfSeveralSegmentsIsTheStateAfterAWholeNumber) {
  log_prefixes large{2, 40, 6'000};
  ASSERT_GT(large.segments(), 1U);
  large.check(4'000);
}

} // namespace fanfare::test
