// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The description of the API as an HTML page, rendered from openapi.json. The
/// page loads nothing and runs no scripts. Any thread.

#include "protocol/rest/exchange.hpp"

#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

/// The text of api_docs.css.
extern const std::string_view api_docs_css;

/// The page, rendered at the first call.
[[nodiscard]] const std::string& api_docs_page();

/// /api/docs/: GET.
[[nodiscard]] http_response serve_api_docs(const exchange& x);

} // namespace fanfare::protocol::rest
