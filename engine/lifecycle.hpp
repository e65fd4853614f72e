// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How far the life of an engine has come. Only an engine that runs takes
/// publishes, changes and orders; queries are answered to the end.

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
  /// Returns the phase that ends by this.
  phase enter(phase next) {
    return phase_.exchange(next);
  }

private:
  std::atomic<phase> phase_{phase::starting};
};

} // namespace fanfare
