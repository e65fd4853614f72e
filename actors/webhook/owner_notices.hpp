// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Decides which notices the owner of a webhook gets about it, and how often.
/// It neither publishes nor looks at the clock. Not thread-safe.

#include "actors/certificates.hpp"
#include "actors/webhook/alarm.hpp"
#include "fanfare/types.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// A notification about a webhook: its action type ("fanfare.webhook.disabled")
/// and the members of its JSON object from the second one on.
struct owner_notice {
  std::string_view action;
  std::string members;
};

class owner_notices {
public:
  /// The breaker has closed again after failures since then. None if the last
  /// such notice is less than a minute old: a receiver that fails at each
  /// notice first would be called for ever.
  std::optional<owner_notice> recovered(timestamp failing_since, timestamp now);

  /// Counts a notification of this action that is given up for a later notice,
  /// unless it is one of the engine's own: there would be no end to it.
  void note_given_up(position subject, std::string_view action = {});
  /// About all those that were counted; at most once a minute.
  struct loss {
    owner_notice notice;
    std::string sentence; ///< for the operator's log, about the webhook
  };
  std::optional<loss> given_up(timestamp now);
  /// Whether there are some that no notice was about, or a notice that the next
  /// one must not follow too soon.
  [[nodiscard]] bool remembers(timestamp now) const;
  /// Adds when given_up() has something to say, and when there is nothing to
  /// remember.
  void add_due(earliest_after& to) const;

  /// A handshake showed a certificate that is valid until then. A notice once a
  /// day from 14 days before.
  static std::optional<owner_notice>
  certificate_seen(certificates& known, const webhook_record& by,
                   timestamp expires, timestamp now);

  /// The webhook was disabled by a call about `action`, which says `why`, and
  /// what it missed was published after `since`.
  static owner_notice disabled(const call& last, std::string_view action,
                               std::string_view why, timestamp since);
  /// The same for the operator's log, about the webhook.
  static std::string
  disabled_sentence(const call& last, std::string_view action, timestamp since);

private:
  timestamp recovery_announced_{};
  struct {
    std::size_t count = 0;
    position first = 0;
    position last = 0;
    timestamp announced{};
  } given_up_;
};

} // namespace fanfare
