// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is wrong with a webhook in words, and the command that helps.

#include "fanfare/reports.hpp"
#include "fanfare/status.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

struct advice {
  std::string sentence; ///< empty: nothing is to be done
  std::string command;  ///< of this program
};

/// About what holds a webhook; empty for what passes by itself.
[[nodiscard]] advice advice_on(hold_reason why, webhook_id hook);
/// About what is wrong with it. `everywhere`: the reader sees webhooks of all
/// organizers, so commands name the organizer.
[[nodiscard]] advice advice_on(const troubled_webhook& of, bool everywhere);

/// Null for an empty text.
[[nodiscard]] boost::json::value text_or_null(std::string_view text);

/// "failing", "disabled", …
[[nodiscard]] std::string_view trouble_name(troubled_webhook::trouble what);

} // namespace fanfare::protocol::rest
