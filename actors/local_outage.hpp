// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whether this machine reaches nobody at present: no name server answers, or
/// it has no route, port or file descriptor left. Tells the operator once when
/// that begins and once when it ends, and has all webhooks try again then.

#include "fanfare/clock.hpp"
#include "fanfare/log.hpp"
#include "fanfare/types.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace fanfare {

/// Any thread.
class local_outage {
public:
  /// Receivers that were reached within this time show that it is not
  /// everybody.
  static constexpr std::chrono::seconds recent{5};
  /// An outage that comes and goes is not told more often.
  static constexpr std::chrono::minutes quiet{10};

  /// `end` is called when one ends. Both must not throw.
  local_outage(const wall_clock& clock,
               std::function<void(log_level, const std::string&)> log,
               std::function<void()> end);

  /// An attempt has ended for want of something on this machine.
  void note_fault(const std::string& reason);
  /// An attempt has got as far as its receiver.
  void note_reached(timestamp now) {
    const auto last = reached_.load(std::memory_order_relaxed);
    // Most attempts find it up to date and share the cache line.
    if (const auto at = now.time_since_epoch().count();
        at - last > write_interval || at < last)
      reached_.store(at, std::memory_order_relaxed);
    if (active_.load(std::memory_order_relaxed))
      finish();
  }
  /// Name servers cannot find out about this host. Whether that is so for
  /// others, too, and nobody was reached in between: then it is not the host.
  [[nodiscard]] bool shares_failing_names(std::string_view host, timestamp now);
  [[nodiscard]] bool reached_since(timestamp then) const {
    return reached_.load(std::memory_order_relaxed)
         > then.time_since_epoch().count();
  }
  /// Changes when one ends: what was held because of it need wait no longer.
  [[nodiscard]] std::uint32_t ended() const {
    return ended_.load(std::memory_order_relaxed);
  }

private:
  static constexpr std::int64_t write_interval = 100; // ms
  /// Names that fail at such a distance have nothing in common.
  static constexpr std::chrono::minutes memory{1};

  void finish();

  const wall_clock& clock_;
  std::function<void(log_level, const std::string&)> log_;
  std::function<void()> end_;
  std::atomic<std::int64_t> reached_{0}; ///< ms of the epoch
  std::atomic<bool> active_{false};
  std::atomic<std::uint32_t> ended_{0};
  std::mutex mutex_; ///< of what follows, and of changes of `active_`
  timestamp told_{};
  bool was_told_ = false;
  std::string failing_;    ///< the host whose name failed last
  timestamp failing_at_{}; ///< when
  timestamp others_at_{};  ///< when last one failed soon after another
};

} // namespace fanfare
