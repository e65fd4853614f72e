// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What follows from the end of a request: whose fault it was, what pace,
/// batches, other webhooks and the owner learn from it, and the calls of its
/// attempts. The webhook's actor makes one of its own parts when a request has
/// ended; it keeps nothing.

#include "actors/webhook/attempt.hpp"
#include "actors/webhook/attempt_log.hpp"
#include "actors/webhook/outcome.hpp"
#include "actors/webhook/throttle.hpp"
#include "fanfare/types.hpp"

namespace fanfare {

class request_end {
public:
  request_end(const attempt_log::site& at, throttle& pace)
    : at_(at),
      pace_(pace) {}

  /// Logs a call for each of its attempts, and learns from it. Takes texts out
  /// of `r`.
  void settle(attempt_result& r);

private:
  /// Returns the time before which the receiver wants no calls, if it has named
  /// one.
  timestamp learn(const attempt_result& r, const verdict& how);
  void release(const shared_hold::released& others);

  attempt_log::site at_;
  throttle& pace_;
};

} // namespace fanfare
