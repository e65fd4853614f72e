// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The description of the API in the form of OpenAPI 3.1. It is written by hand
/// in openapi.json, which the build puts into the program. Any thread.

#include "protocol/rest/exchange.hpp"

#include <boost/json/value.hpp>

#include <string_view>

namespace fanfare::protocol::rest {

/// The text of openapi.json, without the version of the program.
extern const std::string_view openapi_json;

/// The document, read at the first call and kept.
[[nodiscard]] const boost::json::value& openapi_document();

/// /api/v1/openapi.json: GET.
[[nodiscard]] http_response serve_openapi(const exchange& x);

/// An answer that clients may keep but have to ask about each time, or the 304
/// if they have it already.
[[nodiscard]] http_response cached_answer(const exchange& x,
                                          std::string_view media_type,
                                          std::string_view body);

} // namespace fanfare::protocol::rest
