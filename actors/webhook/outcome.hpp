// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the end of an attempt means: its entry in the call log, which says what
/// follows (a retry and when it is due, nothing more, or the end of the
/// webhook). Decided by values alone, without clock, store or actor.

#include "actors/webhook/attempt.hpp"
#include "actors/webhook/delivery_plan.hpp"
#include "model/records.hpp"
#include "storage/progress.hpp"

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace fanfare {

/// What is known of a webhook when one of its attempts has ended.
struct circumstances {
  const webhook_record& hook;
  const delivery_plan& plan;
  const storage::progress& progress; ///< before this attempt is counted
  timestamp now{};
  /// Nothing is attempted before that: the receiver wants no calls, or this
  /// machine reaches nobody.
  timestamp held_until{};
  /// A webhook that has only failed for that long is disabled; 0: never.
  std::chrono::milliseconds disable_after{0};
  bool disabling = false; ///< it was told to end; the store will say so
  bool draining = false;  ///< the engine stops
  /// Of the retry's jitter. The same for all members of a batch, which come
  /// back together.
  std::minstd_rand spread{};
};

[[nodiscard]] constexpr bool is_success(std::uint16_t status) {
  return status >= 200 && status <= 299;
}

/// Whether a batch that is answered so is refused for what is in it.
[[nodiscard]] constexpr bool refuses_content(std::uint16_t status) {
  return status >= 400 && status <= 499 && status != 408 && status != 410
      && status != 429;
}

/// Whether it ended for a reason of ours, which says nothing about the
/// receiver.
[[nodiscard]] bool is_own_fault(const protocol::exchange_result& exchange);

/// Whether its webhook wants no further attempt after this answer: the status
/// is one of its `final_statuses`, and it is still the receiver that has said
/// it.
[[nodiscard]] bool is_final(const attempt_result& r, const delivery_plan& plan);

/// What the end of a request is about.
struct verdict {
  bool test = false;
  /// The receiver that is called now has answered, or failed to. Else nothing
  /// is learned from it.
  bool current = true;
  bool refused = false; ///< what it was about is not wanted for good
  bool halved = false;  ///< one of the batch is not wanted, but not which
  bool busy = false;    ///< it has named a time before which it wants no calls
};
/// All but `busy`.
[[nodiscard]] verdict judge(const attempt_result& r, bool test,
                            const delivery_plan& plan);

/// Whether a request with one notification was refused for it, but not for
/// good.
[[nodiscard]] inline bool refuses_one(const attempt_result& r,
                                      const verdict& how) {
  return r.members.size() == 1 && !how.refused
      && refuses_content(r.exchange.status);
}

/// What the log says of a request, without what settle() fills in. Takes texts
/// out of `r`.
[[nodiscard]] logged_call describe(attempt_result& r,
                                   const webhook_record& hook,
                                   const verdict& how = {});

/// Why the webhook is to be disabled now that this attempt has ended; empty if
/// it is not. 410, or it has only failed for days.
[[nodiscard]] std::string_view reason_to_disable(const attempt_result& r,
                                                 const attempt& a,
                                                 const circumstances& c);

/// Fills in which attempt it was and its result: `delivered`, `gone` if
/// `disabling` says why, else `retried` with its due time, or `given_up`, which
/// it stays if it was that before, because the answer is final.
/// `published`: when its notification was.
void settle(call& entry, const attempt& a, timestamp published,
            std::string_view disabling, const circumstances& c);

/// Of the webhook that this last call disables: what was published before then
/// it has not missed.
[[nodiscard]] timestamp missed_since(const call& last, timestamp published,
                                     const circumstances& c);

/// Whether no attempt of it is made any more because it waited for too long.
[[nodiscard]] bool is_too_old(const attempt& a, timestamp published,
                              const delivery_plan& plan, timestamp now);
/// What the log says of it then.
[[nodiscard]] std::string too_old(const delivery_plan& plan);

/// The log's entry of a notification that is given up without an attempt.
[[nodiscard]] logged_call unsent(const attempt& a, const webhook_record& hook,
                                 position settled_upto, timestamp now,
                                 std::string reason);

} // namespace fanfare
