// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The filters of the call log, read from a query.

#include "fanfare/types.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/query.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

struct call_filter {
  std::optional<bool> success;
  std::optional<position> subject;
  std::optional<timestamp> since; ///< the first moment that counts
  std::optional<timestamp>
    until;            ///< the first moment that does not count any more
  std::string action; ///< empty: any

  /// `errors` gets what cannot be read.
  [[nodiscard]] static call_filter read(const query& q, field_errors& errors);

  /// All but the action, which is with the notification.
  [[nodiscard]] bool takes(const call& c) const;
  [[nodiscard]] bool takes_action(std::string_view concrete) const;
  /// Whether no older call can count. Calls are in the order in which they
  /// ended, so that times are only roughly in order.
  [[nodiscard]] bool is_past(const call& c) const;
};

} // namespace fanfare::protocol::rest
