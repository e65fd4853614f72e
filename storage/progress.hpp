// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A webhook's progress, as a function of its calls. The live webhook actor and
/// recovery run the same reducer, `progress::apply`: the state after a crash
/// equals the state before it because both fold the same log.

#include "model/records.hpp"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

namespace fanfare::storage {

/// Receives the changes of `progress::apply` to the retry set.
template <class T>
concept retry_sink = requires(T& sink, const retry& r, position p) {
  sink.put(r);   ///< add, or replace the entry of the same notification
  sink.erase(p); ///< no effect if there is none
  sink.clear();
};

struct progress {
  /// Every matching notification at or before it is settled: delivered, given
  /// up, not subscribed, or in the retry set.
  position cursor = 0;
  /// Settled positions above the cursor, ascending. Bounded by the window of
  /// the webhook actor.
  std::vector<position> ahead;
  /// Newest entry of the webhook in the call log.
  call_id last_call = 0;
  /// Requests that failed since the last success, and when the first and the
  /// last of them began. Ones that ended for local reasons do not count, nor
  /// does what another receiver has answered.
  std::uint32_t failures = 0;
  timestamp failing_since{};
  timestamp last_failure{};
  /// How much of that time says nothing about the receiver, because attempts
  /// ended for local reasons, or the engine was off.
  std::chrono::milliseconds excused{0};
  /// The receiver wants no calls before then. Any success ends it. It may have
  /// said so without a failure: when that answer was final.
  timestamp held_until{};

  bool operator==(const progress&) const = default;

  [[nodiscard]] bool settled(position p) const {
    return p <= cursor || std::ranges::binary_search(ahead, p);
  }

  /// The cursor never moves back.
  void advance(position upto) {
    if (upto <= cursor)
      return;
    cursor = upto;
    ahead.erase(ahead.begin(), std::ranges::upper_bound(ahead, cursor));
  }

  /// Applies one entry of the call log.
  template <retry_sink Retries>
  void apply(const logged_call& c, Retries& retries) {
    last_call = std::max(last_call, c.id);
    if (!settled(c.subject))
      ahead.insert(std::ranges::lower_bound(ahead, c.subject), c.subject);
    advance(c.settled_upto);
    if (!c.unsent && !c.uncounted)
      count(c);
    switch (c.result) {
      case outcome::retried:
      case outcome::gone: // ended by the disabling that is committed with it
        retries.put({.subject = c.subject,
                     .due = c.retry_due,
                     .attempt = next_number(c),
                     .resent = c.resent,
                     .by_replay = c.by_replay,
                     .tried = c.attempt == 1 && keeps_number(c)});
        break;
      case outcome::delivered:
      case outcome::given_up: retries.erase(c.subject); break;
    }
  }

  /// The webhook was disabled when the journal ended at `tail`: nothing
  /// published until then will be sent.
  template <retry_sink Retries>
  void disable(position tail, Retries& retries) {
    advance(tail);
    retries.clear();
    forget_failures();
  }

  /// Whether there is anything that forget_failures() forgets.
  [[nodiscard]] bool has_failures() const {
    return failures != 0 || held_until != timestamp{};
  }
  /// They no longer predict anything: it has succeeded, or another receiver is
  /// called. False: that changes nothing.
  bool forget_failures() {
    const bool any = has_failures();
    failures = 0;
    failing_since = last_failure = held_until = {};
    excused = {};
    return any;
  }

  /// Nothing could be attempted in this time for reasons that are not the
  /// receiver's: what lies behind the last failure does not count as failing.
  /// False: that changes nothing.
  bool excuse(timestamp since, timestamp until) {
    since = std::max(since, last_failure);
    if (failures == 0 || until <= since)
      return false;
    excused += until - since;
    last_failure = until;
    return true;
  }
  /// False: there was none.
  bool lift_hold() {
    return std::exchange(held_until, timestamp{}) != timestamp{};
  }

private:
  /// Resent notifications have no age limit to end them otherwise.
  [[nodiscard]] static bool keeps_number(const call& c) {
    return c.shows == evidence::none || c.shows == evidence::unclear
        || (c.shows == evidence::busy && !c.resent);
  }

  [[nodiscard]] static std::uint16_t next_number(const call& c) {
    return static_cast<std::uint16_t>(c.attempt + (keeps_number(c) ? 0 : 1));
  }

  void count(const logged_call& c) {
    held_until = std::max(held_until, c.held_until);
    if (c.shows == evidence::unclear)
      return;
    if (c.shows == evidence::none) {
      if (c.result == outcome::retried) // held back until then
        (void)excuse(c.time, c.retry_due);
      return;
    }
    if (c.result == outcome::delivered)
      return void(forget_failures());
    if (failures++ == 0)
      failing_since = c.time;
    last_failure = std::max(last_failure, c.time);
  }
};

} // namespace fanfare::storage
