// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How fast a receiver can be called that says when it is too fast:
/// docs/decisions/0023-pace-of-a-shared-hold.md. Requests take places in a
/// line, which moves on at the pace.

#include "fanfare/types.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fanfare {

/// The most that was taken within one of the last seconds. Any thread; some may
/// go uncounted.
class taken_lately {
public:
  void note(timestamp now);
  /// 0: nothing is known.
  [[nodiscard]] std::size_t most(timestamp now) const;

private:
  /// The second since the epoch, and how many were taken in it and in the one
  /// before: 32, 16 and 16 bits.
  std::atomic<std::uint64_t> seen_{0};
};

/// Not thread-safe.
class learned_pace {
public:
  /// Two were refused for the first time. `lately`: how many were taken within
  /// a second before that, 0 if that is unknown.
  void begin(std::size_t lately);
  /// There was a refusal, the one before it at `before`.
  void lower(timestamp now, timestamp before);
  /// Nothing goes for so long, since the receiver says so.
  void pause(std::chrono::milliseconds how_long);
  /// A request was taken after that: the line begins to move.
  void resume(timestamp now);
  /// Another one was taken.
  void note_taken(timestamp now) {
    ++taken_;
    advance(now);
  }
  /// Forgets what lies in the future of a clock that was set back.
  void set_clock_back(timestamp now);

  /// The last place in the line.
  [[nodiscard]] double take_place(timestamp now);
  /// When to ask again for a place: at most `now` if it may go. The pace may
  /// grow until then.
  [[nodiscard]] timestamp due(double place, timestamp now);
  /// Whether the pace makes others wait.
  [[nodiscard]] bool makes_wait() const;

private:
  /// Growth per second.
  [[nodiscard]] double growth(timestamp now) const;
  void advance(timestamp now);

  double rate_ = 0;      ///< requests per second
  bool learned_ = false; ///< else it is a guess
  /// How long the last refusal held all, within limits.
  std::chrono::milliseconds price_{};
  timestamp paced_at_{};  ///< since when there was no refusal
  std::size_t taken_ = 0; ///< since the last refusal
  double issued_ = 0;     ///< places
  double served_ = 0;     ///< those up to there may go
  timestamp advanced_at_{};
};

} // namespace fanfare
