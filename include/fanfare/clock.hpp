// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The source of the time of day. Everything that decides by wall time takes a
/// `wall_clock`, so tests move time instead of waiting for it.

#include "fanfare/types.hpp"

namespace fanfare {

class wall_clock {
public:
  virtual ~wall_clock() = default;
  /// Any thread.
  [[nodiscard]] virtual timestamp now() const = 0;
};

/// The machine's clock.
class system_wall_clock final : public wall_clock {
public:
  [[nodiscard]] timestamp now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now());
  }
};

} // namespace fanfare
