// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// CAF's clock, but an actor that ends without timeouts costs nothing. Every
/// actor that ends has the clock forget its timeouts, and CAF's own clock wakes
/// its thread for that: with an actor per attempt, a seventh of all processor
/// time. This one knows which actors have timeouts.

#include <caf/detail/thread_safe_actor_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <unordered_set>

namespace fanfare {

class lane_clock final : public caf::detail::thread_safe_actor_clock {
public:
  using super = caf::detail::thread_safe_actor_clock;

  /// The kernel's coarse clock, up to some milliseconds behind: CAF asks for
  /// the time several times per turn of an actor, for streams that none has.
  [[nodiscard]] time_point now() const noexcept override {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &at);
    return time_point{std::chrono::seconds{at.tv_sec}
                      + std::chrono::nanoseconds{at.tv_nsec}};
  }

  void set_ordinary_timeout(time_point t, caf::abstract_actor* self,
                            caf::atom_value type, std::uint64_t id) override {
    note(self);
    super::set_ordinary_timeout(t, self, type, id);
  }

  void set_request_timeout(time_point t, caf::abstract_actor* self,
                           caf::message_id id) override {
    note(self);
    super::set_request_timeout(t, self, id);
  }

  void set_multi_timeout(time_point t, caf::abstract_actor* self,
                         caf::atom_value type, std::uint64_t id) override {
    note(self);
    super::set_multi_timeout(t, self, type, id);
  }

  void cancel_timeouts(caf::abstract_actor* self) override {
    // `self` set its timeouts before it ended, so it sees its own.
    if (!knows_any())
      return;
    {
      std::lock_guard guard{mutex_};
      if (with_timeouts_.erase(self) == 0)
        return;
      known_.store(with_timeouts_.size(), std::memory_order_relaxed);
    }
    super::cancel_timeouts(self);
  }

  /// Whether any actor has a timeout, or had one and has not ended.
  [[nodiscard]] bool knows_any() const {
    return known_.load(std::memory_order_relaxed) != 0;
  }

private:
  void note(caf::abstract_actor* self) {
    std::lock_guard guard{mutex_};
    with_timeouts_.insert(self);
    known_.store(with_timeouts_.size(), std::memory_order_relaxed);
  }

  std::mutex mutex_;
  std::unordered_set<caf::abstract_actor*> with_timeouts_;
  std::atomic<std::size_t> known_{0};
};

} // namespace fanfare
