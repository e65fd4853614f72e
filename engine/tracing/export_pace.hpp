// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the end of a request to the collector means (OTLP 1.x, "OTLP/HTTP
/// Response"), and when the next attempt may be. Decided by values alone,
/// without clock or socket.

#include "fanfare/types.hpp"
#include "protocol/client/transport.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace fanfare {

enum class export_end : std::uint8_t {
  taken, ///< 2xx
  again, ///< 429, 502, 503, 504 or no answer: the same spans may be sent again
  refused, ///< any other answer: they may not
};

[[nodiscard]] export_end judge(const protocol::exchange_result& exchange);

/// Of one batch, and of the collector over many. Not thread-safe.
class export_pace {
public:
  static constexpr std::chrono::milliseconds first_delay{1'000};
  static constexpr std::chrono::milliseconds longest_delay{30'000};
  /// From its first attempt on; then the batch is given up, for newer spans.
  static constexpr std::chrono::milliseconds patience{60'000};

  explicit export_pace(std::uint64_t seed)
    : random_(static_cast<std::minstd_rand::result_type>(seed)) {}

  /// A batch is attempted for the first time.
  void begin(timestamp now) {
    begun_ = now;
  }
  /// The collector has answered as it should.
  void succeeded() {
    delay_ = first_delay;
  }
  /// After an end that is `again`: how long to wait before the next attempt,
  /// which is that of another batch if `gives_up`.
  struct next {
    std::chrono::milliseconds wait{0};
    bool gives_up = false;
  };
  [[nodiscard]] next failed(const protocol::exchange_result& exchange,
                            timestamp now);

private:
  timestamp begun_{};
  std::chrono::milliseconds delay_ = first_delay;
  std::minstd_rand random_;
};

} // namespace fanfare
