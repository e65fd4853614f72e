// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tells the operator when a webhook begins to fail, is held, falls behind, or
/// is well again. While nothing changes it compares a few numbers. Not
/// thread-safe.

#include "actors/event_log.hpp"
#include "actors/trouble_board.hpp"
#include "actors/webhook/pace.hpp"
#include "actors/webhook/throttle.hpp"
#include "actors/webhook/webhook_context.hpp"
#include "model/feed.hpp"
#include "storage/progress.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace fanfare {

class state_report {
public:
  /// What it looks at.
  struct site {
    const webhook_context& context;
    const webhook_record& hook;
    const storage::progress& progress;
    const fanfare::throttle& throttle;
    bool waits = false; ///< something waits for an attempt
    bool behind = false;
    timestamp now;
  };

  /// After each step of the webhook. The first time, what it finds is no news:
  /// it was so before the actor was started.
  void look(const site& at);
  /// A call has failed like this.
  void note_failure(const call& entry) {
    if (told_.failures == 0)
      reason_ = entry.reason;
  }
  /// A call was answered after so long: to be slow is a trouble of its own.
  static void note_answer(const webhook_context& in, const webhook_record& hook,
                          std::chrono::microseconds took);

private:
  [[nodiscard]] trouble_board::state state_of(const site& at) const;
  /// For the operator's log, and for whoever follows.
  static void tell(const site& at, event_kind kind, webhook_change::kind what,
                   std::string_view sentence);
  void tell_of_failing(const site& at, const trouble_board::state& state);
  void tell_of_breaker(const site& at);
  void tell_of_hold(const site& at, const trouble_board::state& state) const;

  trouble_board::state told_;
  pace::breaker_state breaker_ = pace::breaker_state::closed;
  bool begun_ = false;
  bool said_failing_ = false; ///< the log has it
  timestamp said_at_{};       ///< when the log last had it
  std::string reason_;        ///< of the first of the failures
};

} // namespace fanfare
