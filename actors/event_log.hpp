// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What happens in an engine, as lines for its operator. Each kind has a rate
/// of its own: a thousand webhooks that fail at once must not hide the one line
/// that says why, nor fill the disk.

#include "fanfare/clock.hpp"
#include "fanfare/log.hpp"
#include "model/records.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace fanfare {

enum class event_kind : std::uint8_t {
  disabled, ///< by the engine
  changed,  ///< disabled, enabled, paused or resumed by its owner
  failing,  ///< a webhook begins to fail, or works again
  breaker,
  hold, ///< a receiver asks to wait
  given_up,
  notice, ///< to a webhook's owner
  token,
  login,
  commit,
  disk,
  retention,
  backup,
};

/// Any thread.
class event_log {
public:
  using sink = std::function<void(log_level, const std::string&)>;

  /// Lines of one kind in a minute; of others only the number is told.
  static constexpr std::size_t most = 20;
  static constexpr std::chrono::minutes period{1};

  /// `slug_of` names an organizer. Both functions are called on any thread and
  /// must not throw.
  event_log(sink to, const wall_clock& clock,
            std::function<std::string(organizer_id)> slug_of);

  /// One line, if the kind's rate lets it.
  void say(event_kind kind, log_level level, const std::string& line);
  /// The same about a webhook: "webhook 3 of demo (https://…) " and `what`.
  void say(event_kind kind, log_level level, const webhook_record& of,
           std::string_view what);
  /// "webhook 3 of demo (https://…)".
  [[nodiscard]] std::string name_of(const webhook_record& hook) const;

  /// Tells how many lines were left out whose minute is over; `all`: of any.
  /// To be called now and then.
  void sum_up(bool all = false);

private:
  struct lane {
    timestamp since{}; ///< of the present period
    std::size_t said = 0;
    std::size_t left_out = 0;
    log_level level = log_level::info; ///< the highest of those left out
  };
  static constexpr std::size_t kinds = std::size_t(event_kind::backup) + 1;

  /// Whether the kind's rate lets a line of this level; if not, it is counted.
  bool admit(event_kind kind, log_level level);
  /// Of the period that ends; empty: nothing was left out. With the lock held.
  std::string end_period(std::size_t kind, timestamp now);

  sink to_;
  const wall_clock& clock_;
  std::function<std::string(organizer_id)> slug_of_;
  std::mutex mutex_;
  std::array<lane, kinds> lanes_{};
};

} // namespace fanfare
