// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How fast a webhook may be called: by its settings, and by what its receiver
/// has asked for or shows by how it answers. Decides by the times it is given;
/// neither sends nor waits.
///
/// - A token bucket for the rate that its owner has set.
/// - A 429 or 503 with `Retry-After` holds everything until then (at most an
///   hour), or until a success shows that it need not, or its owner does.
/// - A limit of concurrency, between 1 and the cap, follows what the receiver
///   can take (concurrency_limit.hpp).
/// - What ends for want of something on this machine is tried again after a
///   pause that doubles each time, and says nothing about the receiver.
/// - A circuit breaker: after so many failures in a row nothing is attempted
///   for a pause that doubles each time; then one call probes. When it succeeds
///   the breaker closes, and concurrency begins again at 1.

#include "actors/webhook/concurrency_limit.hpp"
#include "fanfare/reports.hpp"
#include "fanfare/types.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace fanfare {

struct pace_policy {
  std::size_t cap = 8; ///< requests in flight
  std::optional<delivery_settings::rate> rate;
  std::optional<delivery_settings::rate> resume_rate;
  /// Failures in a row that open the breaker; 0: it never opens.
  std::uint32_t breaker_failures = 50;
  std::chrono::milliseconds breaker_pause{2'000}; ///< the first one
  std::chrono::milliseconds breaker_longest{60'000};
  std::chrono::milliseconds longest_hold = std::chrono::hours{1};
};

/// Tokens that come back evenly, at most `count` of them at once.
class token_bucket {
public:
  /// Full at first. A change of the rate gives back nothing that was taken.
  void configure(const std::optional<delivery_settings::rate>& rate);
  /// When there is a token: `now`, or later.
  [[nodiscard]] timestamp available(timestamp now);
  void take(timestamp now);
  /// Takes what these requests took, newest first, before the engine was
  /// started. What is not known is taken for used up: that of the time before
  /// them, or, unless they are `complete`, before the oldest of them.
  void restore(std::vector<timestamp> requests, bool complete, timestamp now);
  /// One that was used although nobody had asked for it: the next one comes
  /// later.
  void owe(timestamp now);
  /// When all tokens are back, and there is nothing to remember.
  [[nodiscard]] timestamp full() const {
    return rate_ ? full_again() : timestamp{};
  }

private:
  [[nodiscard]] timestamp full_again() const;
  void refill(timestamp now);

  std::optional<delivery_settings::rate> rate_;
  double tokens_ = 0;
  std::optional<timestamp> filled_;
};

class pace {
public:
  using reason = hold_reason;
  using breaker_state = delivery_state::breaker_state;
  struct verdict {
    reason why = reason::none; ///< none: go
    timestamp until{};         ///< when to ask again, but for `concurrency`
    explicit operator bool() const {
      return why == reason::none;
    }
  };

  /// How a request ended.
  struct ending {
    std::uint16_t status = 0;
    timestamp started{};
    std::chrono::microseconds took{0};      ///< from then on
    std::chrono::microseconds answer{0};    ///< without DNS, connect and TLS
    std::optional<timestamp> retry_after{}; ///< if the receiver said when
  };

  void configure(const pace_policy& policy);
  /// Failures in a row before the engine was started, and what the receiver had
  /// asked for.
  void restore(std::uint32_t failures, timestamp last_failure,
               timestamp held_until);
  /// Its newest requests before the engine was started, newest first.
  /// `complete`: there was none besides in the period of its rate.
  void restore_rate(std::vector<timestamp> requests, bool complete,
                    timestamp now) {
    rate_.restore(std::move(requests), complete, now);
  }
  /// Another receiver, of which nothing is known.
  void reset();

  /// Whether a request may start while `in_flight` others run. `resumed`: its
  /// notification was held by a pause.
  [[nodiscard]] verdict ask(timestamp now, std::size_t in_flight, bool resumed);
  /// `test`: it does not probe for the breaker.
  void started(timestamp now, bool resumed, bool test = false);
  /// A request that started then has ended, and says nothing of the receiver.
  void withdrawn(timestamp started) {
    limit_.withdrawn(started);
  }
  /// The request that ran went out twice, which counts for the rate.
  void repeated(timestamp now) {
    rate_.owe(now);
  }
  /// Notes a success; true if it closed the breaker. Takes no time of day: the
  /// usual case is not to look at the clock.
  bool succeeded(const ending& how);
  void failed(timestamp now, const ending& how);
  /// It was refused for good, which is no failure: the breaker does not see it.
  void refused(timestamp now, const ending& how);
  /// An attempt ended for want of something on this machine: nothing is
  /// attempted for a pause, which doubles each time up to `longest`. Returns
  /// its end.
  timestamp stall(timestamp now,
                  std::chrono::milliseconds longest = std::chrono::minutes{1});
  void end_stall() {
    stalled_until_ = {};
    stalls_ = 0;
  }
  [[nodiscard]] bool stalled() const {
    return stalls_ != 0;
  }
  [[nodiscard]] timestamp stalled_until() const {
    return stalled_until_;
  }
  /// Its owner wants it to go on whatever the receiver has asked for.
  void lift_hold() {
    held_until_ = {};
  }
  /// Until when it is held if the receiver names that time; nothing if that is
  /// no time to wait for.
  [[nodiscard]] std::optional<timestamp> hold_of(timestamp now,
                                                 const ending& how) const;

  [[nodiscard]] breaker_state breaker() const {
    return breaker_;
  }
  [[nodiscard]] std::uint32_t failures() const {
    return failures_;
  }
  /// End of the breaker's pause.
  [[nodiscard]] timestamp open_until() const {
    return open_until_;
  }
  /// End of what `Retry-After` asked for; in the past if nothing did.
  [[nodiscard]] timestamp held_until() const {
    return held_until_;
  }
  /// Nothing is attempted before, whatever waits.
  [[nodiscard]] timestamp quiet_until() const {
    return std::max(held_until_, stalled_until_);
  }
  /// Until then it holds something that its webhook must not forget.
  [[nodiscard]] timestamp busy_until() const {
    return std::max({held_until_, rate_.full(), resume_.full()});
  }
  [[nodiscard]] std::size_t concurrency() const {
    return limit_.places();
  }

private:
  void open(timestamp now);
  pace_policy policy_;
  token_bucket rate_;
  token_bucket resume_;
  concurrency_limit limit_;
  timestamp held_until_{};
  breaker_state breaker_ = breaker_state::closed;
  std::uint32_t failures_ = 0;
  std::chrono::milliseconds pause_{0};
  timestamp open_until_{};
  timestamp stalled_until_{};
  std::uint8_t stalls_ = 0; ///< in a row
};

} // namespace fanfare
