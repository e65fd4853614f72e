// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Required texts among the members of a request body. Any thread.

#include "protocol/rest/messages/answers.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

/// Code points of the name of an organizer, an event or a token.
inline constexpr std::size_t name_limit = 200;

/// The text without surrounding spaces, 1 to `limit` code points. Otherwise
/// `errors` gets the fault, and it is empty.
[[nodiscard]] std::string read_text(const boost::json::object& json,
                                    std::string_view field, std::size_t limit,
                                    field_errors& errors);

} // namespace fanfare::protocol::rest
