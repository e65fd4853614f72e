// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Time in the ticks of a worker, a few per second: a deadline is a number
/// compared with each tick, not a timer.

#include <chrono>
#include <cstdint>

namespace fanfare::protocol::server {

class tick_clock {
public:
  explicit tick_clock(std::chrono::milliseconds length) : length_(length) {}

  [[nodiscard]] std::chrono::milliseconds length() const {
    return length_;
  }
  [[nodiscard]] std::uint64_t now() const {
    return now_;
  }
  void advance() {
    ++now_;
  }
  /// The tick at which a wait of `span` from now is late; never early.
  [[nodiscard]] std::uint64_t due(std::chrono::milliseconds span) const {
    return now_ + static_cast<std::uint64_t>(span / length_) + 2;
  }

private:
  std::chrono::milliseconds length_;
  std::uint64_t now_ = 0;
};

} // namespace fanfare::protocol::server
