// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How many requests a receiver gets at once: all that its webhook may have in
/// flight, unless it shows that they are too many. Decides by the times it is
/// given. Not thread-safe.
///
/// - What the receiver may be too busy for (no answer, 429, 5xx) halves it.
/// - Answers let it grow, however long they take, as long as they do not take
///   longer because there are more of them: by one or an eighth per round.
/// - Answers that take longer shrink it by as much per round.
///
/// The law is that of TCP Vegas (Brakmo and Peterson, "TCP Vegas: End to End
/// Congestion Avoidance on a Global Internet", IEEE JSAC 13(8), 1995, section
/// III.B), which adaptive limits of concurrency have taken up since: with
/// `limit` requests in flight, limit * (1 - normal / latency) of them wait
/// inside of the receiver. As in TCP, what was too much is not tried again at
/// once, and growing from 1 on is quick only up to half of that (RFC 5681,
/// section 3.1).

#include "fanfare/types.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fanfare {

/// What latency is normal for a receiver, and what it is now. Of the answer
/// alone: DNS, connect and TLS are no work of the receiver's.
///
/// It is looked at in rounds. One consists of the next requests that start, as
/// many as there are places, and is over when all of them have ended; its
/// geometric mean, which a few that take long hardly move, is compared with the
/// lowest one of the last minutes. Latencies vary without a queue, too: up to
/// twice the normal is normal.
class latency_monitor {
public:
  /// The next round begins, with so many requests.
  void begin_round(double size);
  void started(timestamp now);
  /// Whether a request that started then belongs to the round.
  [[nodiscard]] bool covers(timestamp started) const {
    return opened_ > 0 && started >= from_ && started <= to_;
  }
  /// A request has ended that says nothing of the receiver: another one takes
  /// its place in the round.
  void withdrawn(timestamp started) {
    if (covers(started) && opened_ > closed_)
      --opened_;
  }
  /// A request was answered; true if the round is over.
  bool answered(timestamp started, timestamp now,
                std::chrono::microseconds took);

  // -- after a round ----------------------------------------------------------

  /// How many of the requests, if there were `limit` at once, waited.
  [[nodiscard]] double queued(double limit) const;
  /// Whether a receiver that is busy has not shown the normal for so long that
  /// it may not hold any more. It is forgotten then.
  bool expire(timestamp now);

private:
  /// How many times as long as is normal it takes now.
  [[nodiscard]] double excess() const;

  timestamp from_{};      ///< first start of the round
  timestamp to_{};        ///< its last one so far
  timestamp normal_at_{}; ///< when the normal was last seen
  // Logarithms to base 2 of microseconds.
  float normal_ = -1; ///< negative: unknown
  float latency_ = 0; ///< mean of the round so far
  std::uint16_t size_ = 1;
  std::uint16_t opened_ = 0;
  std::uint16_t closed_ = 0;
};

class concurrency_limit {
public:
  /// At most so many. A limit at its cap moves with it.
  void configure(std::size_t cap);
  /// Another receiver, of which nothing is known: begins at the cap.
  void reset();

  [[nodiscard]] std::size_t places() const {
    return static_cast<std::size_t>(limit_);
  }

  void started(timestamp now) {
    latency_.started(now);
  }
  /// A request that started then was answered `now`, and it took the receiver
  /// so long.
  void answered(timestamp started, timestamp now,
                std::chrono::microseconds took);
  /// A request that started then says nothing of the receiver.
  void withdrawn(timestamp started) {
    latency_.withdrawn(started);
  }
  /// A request that started then was too much.
  void too_busy(timestamp started, timestamp now);
  /// The receiver answers again after an outage: begins at one.
  void restart();

private:
  void adapt(timestamp now);
  void grow();
  void set(double limit);

  double limit_ = 8;
  std::size_t cap_ = 8;
  timestamp halved_{}; ///< requests that began before say nothing new
  latency_monitor latency_;
  /// As many were too many when last tried; 0: none were.
  std::uint16_t ceiling_ = 0;
  std::uint8_t patience_ = 0; ///< rounds before they are tried again
  std::uint8_t waited_ = 0;   ///< of these
  bool ramping_ = false;      ///< grows by one per answer
  bool measuring_ = false;    ///< one at a time, to see what is normal
  bool has_answered_ = true;  ///< since it was last halved
};

} // namespace fanfare
