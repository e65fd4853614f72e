// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a search for notifications asks for, read from its query.

#include "model/search.hpp"
#include "protocol/rest/exchange.hpp"
#include "protocol/rest/messages/answers.hpp"

#include <string_view>
#include <vector>

namespace fanfare::protocol::rest {

/// Whether a concrete action is the one asked for, or below it if that is
/// `a.b.*`. Nothing asked for: any is.
[[nodiscard]] bool is_action(std::string_view asked, std::string_view concrete);

/// The registered types that notifications of the action may have; sorted.
[[nodiscard]] std::vector<action_type_id>
types_of_action(std::string_view action, const std::vector<action_type>& all);

/// From `action` (exact, or `a.b.*`; `action_type` means the same), `event`,
/// `since`, `until`, `filter` (payload_filter.hpp), `cursor` and `page_size`.
/// Every other name is a key of the body, "a.b" one within an object: it must
/// have one of the values given, as a text, or as a number, true, false or null
/// that is written so. `errors` gets the faults.
[[nodiscard]] notification_search read_notification_query(const exchange& x,
                                                          field_errors& errors);

} // namespace fanfare::protocol::rest
