// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the webhooks of a lane have to do, summed up as they change it: nobody
/// has to ask them. The lane's thread writes, any thread reads.

#include "fanfare/reports.hpp"
#include "fanfare/types.hpp"
#include "model/counter.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace fanfare {

inline constexpr std::size_t hold_reasons = static_cast<std::size_t>(
                                              hold_reason::concurrency)
                                          + 1;

/// What one webhook has to do.
struct open_work {
  std::uint32_t waiting = 0; ///< for a first attempt, in memory
  std::uint32_t retries = 0;
  bool behind = false;       ///< more of it is to be read from the journal
  bool breaker_open = false; ///< or half open
  hold_reason held_by = hold_reason::none; ///< if it has something to do
  /// When the oldest that waits for a first attempt was published, in seconds
  /// since 1970; 0: none waits, or its owner has paused it.
  std::int64_t oldest = 0;
  bool operator==(const open_work&) const = default;
};

/// When the oldest of what waits was published. One thread changes it, any
/// reads it.
class oldest_tracker {
public:
  /// A webhook's oldest one is another now. In seconds since 1970; 0: it has
  /// none.
  void move(std::int64_t from, std::int64_t to) {
    if (from == to)
      return;
    // Of seconds that nothing is left of, only the latest stays: what waits for
    // a moment only would make it again and again.
    if (to != 0) {
      if (!webhooks_.empty() && webhooks_.rbegin()->second == 0
          && webhooks_.rbegin()->first < to)
        webhooks_.erase(std::prev(webhooks_.end()));
      ++webhooks_[to];
    }
    if (const auto i = webhooks_.find(from); i != webhooks_.end()
                                             && --i->second == 0
                                             && std::next(i) != webhooks_.end())
      webhooks_.erase(i);
    const auto& [second, count] = *webhooks_.begin();
    oldest_.store(count != 0 ? second : 0, std::memory_order_relaxed);
  }

  [[nodiscard]] std::optional<std::int64_t> oldest() const {
    const auto found = oldest_.load(std::memory_order_relaxed);
    return found != 0 ? std::optional{found} : std::nullopt;
  }

private:
  /// By the second in which their oldest was published.
  std::map<std::int64_t, std::uint32_t> webhooks_;
  std::atomic<std::int64_t> oldest_{0};
};

class delivery_board {
public:
  /// A webhook's share of it changes.
  void change(const open_work& from, const open_work& to) {
    waiting_.add(std::uint64_t{to.waiting} - from.waiting);
    behind_.add(std::uint64_t{to.behind} - std::uint64_t{from.behind});
    breakers_.add(std::uint64_t{to.breaker_open}
                  - std::uint64_t{from.breaker_open});
    if (from.held_by != to.held_by) {
      held_[static_cast<std::size_t>(from.held_by)].subtract();
      held_[static_cast<std::size_t>(to.held_by)].add();
    }
    free_.move(oldest_of(from, false), oldest_of(to, false));
    held_back_.move(oldest_of(from, true), oldest_of(to, true));
  }

  // -- any thread -------------------------------------------------------------

  [[nodiscard]] std::uint64_t waiting() const {
    return waiting_.value();
  }
  [[nodiscard]] std::uint64_t behind() const {
    return behind_.value();
  }
  [[nodiscard]] std::uint64_t breakers_open() const {
    return breakers_.value();
  }
  /// How many webhooks that holds; not to be asked for `none`.
  [[nodiscard]] std::uint64_t held_by(hold_reason why) const {
    return held_[static_cast<std::size_t>(why)].value();
  }
  /// When the oldest that waits for a first attempt was published, to the
  /// second, in seconds since 1970: of webhooks that something holds, or of the
  /// others.
  [[nodiscard]] std::optional<std::int64_t> oldest(bool held) const {
    return (held ? held_back_ : free_).oldest();
  }

private:
  static std::int64_t oldest_of(const open_work& in, bool held) {
    return (in.held_by != hold_reason::none) == held ? in.oldest : 0;
  }

  counter waiting_;
  counter behind_;
  counter breakers_;
  std::array<counter, hold_reasons> held_;
  oldest_tracker free_;
  oldest_tracker held_back_;
};

} // namespace fanfare
