// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the server shows to people who open its address in a browser. Any
/// thread.

#include "protocol/rest/exchange.hpp"

#include <string_view>

namespace fanfare::protocol::rest {

/// The text of start_page.css.
extern const std::string_view start_page_css;

/// /: GET. What this is, its version, and where the API is described.
[[nodiscard]] http_response serve_start_page(const exchange& x);

} // namespace fanfare::protocol::rest
