// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The time limits of one exchange: what it waits for, since when and until
/// when. Reads no clock itself. INTERNAL to http_client.

#include "protocol/client/transport.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace fanfare::protocol {

/// What an exchange waits for; most are named after their limit.
enum class phase : std::uint8_t {
  dns,
  connect,
  tls,
  first_byte,
  answer, ///< what follows the status line of an answer, within `total`
  total,  ///< its turn, or for its request to be taken
};

/// "5 s", "1.5 s", "250 ms".
[[nodiscard]] std::string in_seconds(std::chrono::milliseconds value);

struct exchange_clock {
  using time_point = std::chrono::steady_clock::time_point;

  time_point started;
  time_point phase_started;
  time_point deadline; ///< of the phase, never after `ends`
  time_point ends;     ///< `total` after the start
  phase waits_for = phase::total;

  void start(std::chrono::milliseconds total, time_point now) {
    started = phase_started = now;
    ends = deadline = now + total;
  }

  /// From now on it waits for `next`, for at most `limit`.
  void enter(phase next, std::chrono::milliseconds limit, time_point now) {
    waits_for = next;
    phase_started = now;
    deadline = std::min(now + limit, ends);
  }

  /// It waits for its turn, or for what follows: a limit runs from now on.
  void postpone(std::chrono::milliseconds limit, time_point now) {
    deadline = std::min(now + limit, ends);
  }

  [[nodiscard]] std::chrono::microseconds in_phase(time_point now) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
      now - phase_started);
  }

  [[nodiscard]] std::chrono::microseconds since_start(time_point now) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(now - started);
  }

  /// True if an answer with `received` bytes so far falls below `min_rate`.
  /// Judged from the second second on.
  [[nodiscard]] bool is_too_slow(const exchange_limits& limits,
                                 std::size_t received, time_point now) const;

  /// Why the exchange ends now, in one line that begins with "timeout: " and
  /// names the limit. `proxied`: its connection still waits for a proxy.
  [[nodiscard]] std::string timeout_reason(const exchange_limits& limits,
                                           bool proxied, time_point now) const;
};

} // namespace fanfare::protocol
