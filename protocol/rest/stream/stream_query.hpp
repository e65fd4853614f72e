// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a stream shows, read from its query.

#include "model/feed.hpp"
#include "protocol/rest/exchange.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol::rest {

/// A condition holds for the kinds of messages that it is about; others pass.
struct stream_query {
  organizer_id owner = 0;
  bool calls = true;
  bool notifications = true;
  bool changes = true;             ///< of webhooks
  std::vector<webhook_id> hooks{}; ///< sorted; empty: of all
  std::optional<event_id> event{};
  std::string action{}; ///< exact, or `a.b.*`; empty: any
  std::optional<bool> success{};
  std::optional<timestamp> since{};
  bool call_payloads = false; ///< and the answers
  bool notification_payloads = true;
  /// Streams with the same text show the same.
  std::string text{};

  [[nodiscard]] bool takes(const call& c) const;
  [[nodiscard]] bool takes(const notification& n) const;
  [[nodiscard]] bool takes(const webhook_change& c) const;
  /// Whether it depends on the notification of a call.
  [[nodiscard]] bool asks_for_subject() const {
    return event || !action.empty();
  }
};

/// Reads it; may wait for the disk. The answer to a wrong one: 400, or 403 if
/// the token may not see what is asked for.
[[nodiscard]] std::optional<http_response> read_stream_query(const exchange& x,
                                                             stream_query& out);

} // namespace fanfare::protocol::rest
