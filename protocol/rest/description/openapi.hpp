// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The description of the API (OpenAPI 3.1), written by hand in openapi.json
/// and embedded by the build. Any thread.

#include "protocol/rest/exchange.hpp"

#include <boost/json/value.hpp>

#include <string_view>

namespace fanfare::protocol::rest {

/// The text of openapi.json, without the version of the program.
extern const std::string_view openapi_json;

/// The document, parsed at the first call.
[[nodiscard]] const boost::json::value& openapi_document();

/// /api/v1/openapi.json: GET.
[[nodiscard]] http_response serve_openapi(const exchange& x);

/// An answer that clients may cache but must revalidate, or the 304 if their
/// copy is current.
[[nodiscard]] http_response cached_answer(const exchange& x,
                                          std::string_view media_type,
                                          std::string_view body);

} // namespace fanfare::protocol::rest
