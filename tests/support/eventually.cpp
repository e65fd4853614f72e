// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/eventually.hpp"

#include <algorithm>
#include <thread>

namespace fanfare::test {

using namespace std::chrono_literals;

bool eventually(std::chrono::milliseconds limit,
                const std::function<bool()>& holds) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  std::chrono::nanoseconds pause = 500us;
  for (;;) {
    if (holds())
      return true;
    auto left = deadline - std::chrono::steady_clock::now();
    if (left <= 0ns)
      return false;
    std::this_thread::sleep_for(
      std::min(pause, std::chrono::nanoseconds{left}));
    pause = std::min<std::chrono::nanoseconds>(pause * 2, 20ms);
  }
}

} // namespace fanfare::test
