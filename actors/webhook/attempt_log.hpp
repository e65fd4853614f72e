// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Ends attempts: each leaves the queue, its call is appended to the log, and
/// the orders and the owner's notices hear of it. The webhook's actor makes one
/// of its own parts when a request has ended; it keeps nothing.

#include "actors/webhook/attempt.hpp"
#include "actors/webhook/batch.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "actors/webhook/order_book.hpp"
#include "actors/webhook/outcome.hpp"
#include "actors/webhook/owner_notices.hpp"
#include "actors/webhook/registration.hpp"
#include "actors/webhook/state_report.hpp"
#include "actors/webhook/throttle.hpp"
#include "actors/webhook/webhook_context.hpp"

#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace fanfare {

class attempt_log {
public:
  /// The parts of a webhook that the end of an attempt changes.
  struct site {
    const std::shared_ptr<const webhook_context>& context;
    registration& registered;
    const throttle& pace;
    delivery_queue& queue;
    batch_halves& halves;
    order_book& orders;
    owner_notices& notices;
    state_report& report;
    const std::minstd_rand& spread; ///< of the retries' jitter
    timestamp now;                  ///< when the request ended
  };

  explicit attempt_log(const site& at) : at_(at) {}

  /// Which attempt of the notification the request was.
  [[nodiscard]] attempt attempt_of(const notification& what,
                                   const attempt_result& r) const;

  /// Logs a call for each attempt of the request. `entry` is what they have in
  /// common. Returns the worst of their outcomes.
  outcome end_request(const attempt_result& r, logged_call&& entry);

  /// Logs that a notification is given up without an attempt.
  void end_unsent(const attempt& a, std::string reason);

private:
  [[nodiscard]] circumstances known() const;
  outcome end_batch(const attempt_result& r, logged_call&& entry);
  /// Ends and logs one attempt of a request. Of a batch, those not logged yet
  /// still hold the cursor: a crash may come between any two. `last`: of those
  /// that disable the webhook for the reason `disabling`.
  outcome end(const notification& what, const attempt& a, logged_call&& entry,
              std::string_view disabling, bool last);
  /// Logs the last of the calls that led to it, and disables the webhook in the
  /// same commit.
  void end_and_disable(logged_call&& last, const notification& what,
                       std::string_view why);

  site at_;
};

} // namespace fanfare
