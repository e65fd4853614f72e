// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The filters of the call log, read from a query.

#include "fanfare/types.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/query.hpp"

#include <optional>
#include <string>

namespace fanfare::protocol::rest {

struct call_filter {
  std::optional<bool> success;
  std::optional<position> subject;
  std::optional<timestamp> since; ///< from this moment on
  std::optional<timestamp> until; ///< before this moment
  std::string action;             ///< empty: any

  /// `errors` gets the faults.
  [[nodiscard]] static call_filter read(const query& q, field_errors& errors);

  /// Checks everything but the action, which the notification has.
  [[nodiscard]] bool takes(const call& c) const;
  /// Whether no call before one of that time can match. Calls are in the order
  /// of their ends, so their times are only roughly in order.
  [[nodiscard]] bool is_past(timestamp time) const;
};

} // namespace fanfare::protocol::rest
