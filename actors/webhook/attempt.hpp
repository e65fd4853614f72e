// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which attempt of which notification (16 bytes that go from the queue to the
/// wire and from there to the log), and how it ended.

#include "fanfare/types.hpp"
#include "protocol/client/transport.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace fanfare {

/// Why a notification is given up although its schedule goes on.
enum class ended_by : std::uint8_t {
  nothing,
  dropping,     ///< its owner dropped the retries
  cancellation, ///< its replay was cancelled
  disabling,    ///< the webhook was disabled
};

/// As it is logged; empty for `nothing`.
constexpr std::string_view sentence(ended_by why) {
  switch (why) {
    case ended_by::nothing: break;
    case ended_by::dropping: return "given up: its retries were dropped";
    case ended_by::cancellation: return "given up: its replay was cancelled";
    case ended_by::disabling:
      return "given up: the webhook was disabled meanwhile";
  }
  return {};
}

struct attempt {
  position subject = 0;     ///< the notification
  std::uint16_t number = 1; ///< 1 is the first
  bool resent = false;      ///< as in `call`
  bool by_replay = false;   ///< as in `call`
  /// The notification is not settled before this attempt has ended: the cursor
  /// waits for it.
  bool holds_cursor = false;
  bool tried : 1 = false; ///< as in `retry`
  bool thin : 1 = false;  ///< as in `call`
  bool test : 1 = false;  ///< somebody waits for its call; it is the only one
  /// Set while it is in flight: it is not retried if it fails.
  ended_by last_because = ended_by::nothing;

  bool operator==(const attempt&) const = default;

  /// The first attempt of what comes from the journal.
  static attempt first_of(position subject) {
    return {.subject = subject, .holds_cursor = true};
  }
  static attempt of(const retry& r) {
    return {.subject = r.subject,
            .number = r.attempt,
            .resent = r.resent,
            .by_replay = r.by_replay,
            .tried = r.tried};
  }
  [[nodiscard]] bool failed_before() const {
    return number > 1 || tried;
  }
  /// The entry of the retry set that it was, or would be.
  [[nodiscard]] retry as_retry(timestamp due = {}) const {
    return {.subject = subject,
            .due = due,
            .attempt = number,
            .resent = resent,
            .by_replay = by_replay,
            .tried = tried};
  }
};

static_assert(sizeof(attempt) == 16);

/// How an attempt, or a request with a batch of them, ended.
struct attempt_result {
  notification_ptr what;
  std::vector<notification_ptr> members = {}; ///< of a batch; else none
  std::shared_ptr<const protocol::target> to; ///< null: there was none
  std::uint16_t attempt = 1;                  ///< the highest of its members
  timestamp started;
  protocol::exchange_result exchange;
};

} // namespace fanfare
