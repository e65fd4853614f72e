// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The body of a request, read by its media type. Any thread.

#include "fanfare/error.hpp"
#include "protocol/rest/exchange.hpp"
#include "protocol/rest/messages/query.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>

namespace fanfare::protocol::rest {

struct request_body {
  boost::json::value json;   ///< `{}` if nothing was sent
  std::optional<query> form; ///< set instead for a form-encoded body
};

/// Whether a form is accepted in place of JSON.
enum class body_kind : std::uint8_t { json_only, json_or_form };

/// Reads the body. On failure returns the 415 or 400. With `json_only` a
/// missing Content-Type counts as JSON.
[[nodiscard]] std::optional<http_response>
read_body(const exchange& x, body_kind kinds, request_body& out);

/// The same for a body that must be a JSON object.
[[nodiscard]] std::optional<http_response>
read_object(const exchange& x, boost::json::object& out);

/// For a request without fields: no body, or `{}`. On failure returns the 415
/// or 400.
[[nodiscard]] std::optional<http_response> read_nothing(const exchange& x);

/// The 400 for a body that is not an object; nothing if it is one.
[[nodiscard]] std::optional<http_response>
require_object(const exchange& x, const boost::json::value& json);

/// Checks only the media type. On failure returns the 415.
[[nodiscard]] std::optional<http_response> check_json_type(const exchange& x);

/// "int", "str", "list"…: the name of the value's kind in the compatible API.
[[nodiscard]] std::string_view kind_name(const boost::json::value& json);
/// The value as text: a string unchanged, others as Python writes them ("True",
/// "None", "['a']").
[[nodiscard]] std::string as_text(const boost::json::value& json);

} // namespace fanfare::protocol::rest
