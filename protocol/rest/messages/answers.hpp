// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The answers that all resources share. Any thread.

#include "fanfare/error.hpp"
#include "protocol/payload/json_text.hpp"
#include "protocol/rest/exchange.hpp"
#include "protocol/server/http_handler.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

[[nodiscard]] http_response json_answer(const exchange& x, std::uint16_t status,
                                        const boost::json::value& body);
/// JSON that is already rendered.
[[nodiscard]] http_response text_answer(std::uint16_t status, std::string json);
[[nodiscard]] http_response empty_answer(std::uint16_t status);
[[nodiscard]] http_response html_not_found();

/// {"detail": …}
[[nodiscard]] http_response refusal(const exchange& x, std::uint16_t status,
                                    std::string_view detail);
/// 404 {"detail": "Not found."}
[[nodiscard]] http_response not_found(const exchange& x);

/// Sentences by field, in the order of addition.
class field_errors {
public:
  void add(std::string_view field, std::string sentence);
  [[nodiscard]] bool empty() const {
    return fields_.empty();
  }
  /// 400 {"field": ["…"]}
  [[nodiscard]] http_response answer(const exchange& x) const;

private:
  std::vector<std::pair<std::string, std::vector<std::string>>> fields_;
};

/// The answer for an error of the engine.
[[nodiscard]] http_response answer_to(const exchange& x, const error& e);

/// A JSON string of any bytes; invalid UTF-8 becomes U+FFFD when rendered.
[[nodiscard]] boost::json::value json_string(std::string_view text);
using protocol::to_iso8601;

} // namespace fanfare::protocol::rest
