// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The description of the API as a page for people, made of the document that
/// openapi.hpp gives. It loads nothing and runs nothing. Any thread.

#include "protocol/rest/exchange.hpp"

#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

/// The text of api_docs.css.
extern const std::string_view api_docs_css;

/// The page, made at the first call and kept.
[[nodiscard]] const std::string& api_docs_page();

/// /api/docs/: GET.
[[nodiscard]] http_response serve_api_docs(const exchange& x);

} // namespace fanfare::protocol::rest
