// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/messages/answers.hpp"

#include "protocol/payload/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace fanfare::protocol::rest {

http_response text_answer(std::uint16_t status, std::string json) {
  http_response out;
  out.status = status;
  out.headers.emplace_back("Content-Type", "application/json");
  out.body = std::move(json);
  return out;
}

http_response json_answer(const exchange& x, std::uint16_t status,
                          const boost::json::value& body) {
  return text_answer(status, to_json_text(body, x.indent));
}

http_response empty_answer(std::uint16_t status) {
  http_response out;
  out.status = status;
  return out;
}

http_response html_not_found() {
  http_response out;
  out.status = 404;
  out.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  out.body = "<!doctype html>\n<html lang=\"en\">\n<head><title>Not "
             "Found</title></head>\n"
             "<body><h1>Not Found</h1>"
             "<p>The requested resource was not found on this "
             "server.</p></body>\n</html>\n";
  return out;
}

http_response refusal(const exchange& x, std::uint16_t status,
                      std::string_view detail) {
  return json_answer(x, status,
                     boost::json::object{{"detail", json_string(detail)}});
}

http_response not_found(const exchange& x) {
  return refusal(x, 404, "Not found.");
}

void field_errors::add(std::string_view field, std::string sentence) {
  for (auto& [name, sentences] : fields_)
    if (name == field) {
      sentences.push_back(std::move(sentence));
      return;
    }
  fields_.emplace_back(field, std::vector{std::move(sentence)});
}

http_response field_errors::answer(const exchange& x) const {
  boost::json::object body;
  for (const auto& [name, sentences] : fields_) {
    boost::json::array list;
    for (const auto& sentence : sentences)
      list.push_back(json_string(sentence));
    body.emplace(name, std::move(list));
  }
  return json_answer(x, 400, body);
}

http_response answer_to(const exchange& x, const error& e) {
  switch (e.code) {
    case ec::stopping: return refusal(x, 503, e.detail);
    case ec::overloaded: {
      auto out = refusal(x, 503, e.detail);
      out.headers.emplace_back("Retry-After", "1");
      return out;
    }
    case ec::store_full: return refusal(x, 507, e.detail);
    case ec::too_large: return refusal(x, 413, e.detail);
    case ec::forbidden: return refusal(x, 403, e.detail);
    case ec::not_found:
      return refusal(x, 404, e.detail.empty() ? "Not found." : e.detail);
    case ec::conflict: return refusal(x, 409, e.detail);
    case ec::invalid_argument:
    case ec::already_exists: {
      if (e.field.empty())
        return refusal(x, 400, e.detail);
      field_errors errors;
      errors.add(e.field, e.detail);
      return errors.answer(x);
    }
    case ec::ok:
    case ec::store_locked:
    case ec::store_foreign:
    case ec::store_newer:
    case ec::store_damaged:
    case ec::io_error:
    case ec::bind_failed:
    case ec::internal: break;
  }
  return refusal(x, 500, "The request failed on the server: " + e.detail);
}

boost::json::value json_string(std::string_view text) {
  return boost::json::string{text.data(), text.size()};
}

} // namespace fanfare::protocol::rest
