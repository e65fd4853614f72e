// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The time of day as a test sets it, and wake timers that go off by it.

#include "actors/webhook/backoff_timer.hpp"
#include "fanfare/clock.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace fanfare::test {

class fake_clock final : public wall_clock {
public:
  [[nodiscard]] timestamp now() const override {
    now_ += tick;
    return now_;
  }
  void set(timestamp to) {
    now_ = to;
  }

  std::chrono::milliseconds tick{0}; ///< passes with each look

private:
  mutable timestamp now_{std::chrono::milliseconds{1'000'000'000}};
};

/// All wake timers of a test.
class fake_timers {
public:
  std::unique_ptr<wake_timer> make(const webhook_actor& who) {
    return std::make_unique<timer>(*this, who.address());
  }

  [[nodiscard]] std::optional<timestamp> next() const {
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
  }

  /// Wakes whoever is due at `now`.
  void fire(timestamp now) {
    while (!due_.empty() && due_.begin()->first <= now) {
      auto* t = due_.begin()->second;
      due_.erase(due_.begin());
      t->armed = false;
      if (auto who = caf::actor_cast<webhook_actor>(t->who))
        caf::anon_send(who, atom::wake_v);
    }
  }

  [[nodiscard]] std::size_t size() const {
    return due_.size();
  }

private:
  struct timer final : wake_timer {
    timer(fake_timers& o, caf::actor_addr w) : owner(o), who(std::move(w)) {}
    ~timer() override {
      disarm();
    }
    void set(timestamp due) override {
      disarm();
      place = owner.due_.emplace(due, this);
      armed = true;
    }
    void cancel() override {
      disarm();
    }
    void disarm() {
      if (std::exchange(armed, false))
        owner.due_.erase(place);
    }
    fake_timers& owner;
    caf::actor_addr who;
    std::multimap<timestamp, timer*>::iterator place;
    bool armed = false;
  };

  std::multimap<timestamp, timer*> due_;
};
} // namespace fanfare::test
