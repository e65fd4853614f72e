// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The end of a process between any two calls that write: to the log, to the
/// tables, or to what is made ready for either.

#include "tests/storage/faults/disk.hpp"
#include "tests/storage/lmdb/crash_rounds.hpp"
#include "tests/support/temp_dir.hpp"

#include <csignal>
#include <optional>
#include <random>
#include <string>

namespace fanfare::test {

inline void kill_between_calls(int rounds, std::uint64_t seed) {
  constexpr int rounds_of_a_directory = 25; // it grows
  constexpr int never = 1'000'000;          // by the count of its commits
  std::mt19937_64 random{seed};
  std::optional<temp_dir> dir;
  for (int round = 0; round < rounds && !::testing::Test::HasFailure();
       ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    if (round % rounds_of_a_directory == 0)
      dir.emplace();
    const auto data = *dir / "data";
    // The first ones are those of opening.
    auto calls = 1 + random() % 150;
    kill_and_look(data, never, [&] {
      faulty_disk::hurry(true);
      faulty_disk::watch(data, [&calls] {
        if (--calls == 0)
          ::raise(SIGKILL);
      });
    });
  }
}

} // namespace fanfare::test
