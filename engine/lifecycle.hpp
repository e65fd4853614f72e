// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The phase of an engine's life. Only a running engine takes publishes,
/// changes and orders; queries work to the end.

#include <atomic>
#include <cstdint>

namespace fanfare {

/// Any thread.
class lifecycle {
public:
  enum class phase : std::uint8_t { starting, running, stopping, stopped };

  [[nodiscard]] bool running() const {
    return phase_.load() == phase::running;
  }
  /// Returns the phase that this ends.
  phase enter(phase next) {
    return phase_.exchange(next);
  }

private:
  std::atomic<phase> phase_{phase::starting};
};

} // namespace fanfare
