// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/messages/request_body.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/negotiation.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace fanfare::protocol::rest {

namespace {

enum class sent_as : std::uint8_t { json, form, other };

sent_as type_of(const exchange& x) {
  const media_type type{x.request.header("content-type")};
  if (type.covers("application", "json"))
    return sent_as::json;
  if (type.covers("application", "x-www-form-urlencoded"))
    return sent_as::form;
  return sent_as::other;
}

http_response unsupported(const exchange& x) {
  return refusal(x, 415,
                 "Unsupported media type \""
                   + std::string{x.request.header("content-type")}
                   + "\" in request.");
}

/// Whether Python's repr() escapes it, up to U+00FF.
bool is_invisible(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD;
}

std::string quoted(std::string_view text) {
  const bool doubles = text.find('\'') != std::string_view::npos
                    && text.find('"') == std::string_view::npos;
  const char quote = doubles ? '"' : '\'';
  std::string out{quote};
  while (!text.empty()) {
    const auto c = first_code_point(text);
    if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (is_invisible(c.value)) {
      static constexpr char digits[] = "0123456789abcdef";
      out += "\\x";
      out += digits[c.value >> 4];
      out += digits[c.value & 15];
    } else {
      if (text.front() == quote || text.front() == '\\')
        out += '\\';
      out += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
  return out + quote;
}

/// As Python writes it: "1e+16", "1.0".
std::string float_text(double value) {
  if (std::isinf(value))
    return value > 0 ? "inf" : "-inf";
  const double size = std::fabs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 fixed ? std::chars_format::fixed
                                       : std::chars_format::scientific)
                     .ptr;
  std::string out{text.data(), end};
  if (fixed && out.find('.') == std::string::npos)
    out += ".0";
  return out;
}

std::string representation(const boost::json::value& json) {
  if (json.is_string())
    return quoted({json.get_string().data(), json.get_string().size()});
  return as_text(json);
}

} // namespace

std::string_view kind_name(const boost::json::value& json) {
  switch (json.kind()) {
    case boost::json::kind::null: return "NoneType";
    case boost::json::kind::bool_: return "bool";
    case boost::json::kind::int64:
    case boost::json::kind::uint64: return "int";
    case boost::json::kind::double_: return "float";
    case boost::json::kind::string: return "str";
    case boost::json::kind::array: return "list";
    case boost::json::kind::object: return "dict";
  }
  return {};
}

std::string as_text(const boost::json::value& json) {
  std::string out;
  switch (json.kind()) {
    case boost::json::kind::null: return "None";
    case boost::json::kind::bool_: return json.get_bool() ? "True" : "False";
    case boost::json::kind::int64: return std::to_string(json.get_int64());
    case boost::json::kind::uint64: return std::to_string(json.get_uint64());
    case boost::json::kind::double_: return float_text(json.get_double());
    case boost::json::kind::string:
      return {json.get_string().data(), json.get_string().size()};
    case boost::json::kind::array:
      for (const auto& item : json.get_array())
        out += (out.empty() ? "" : ", ") + representation(item);
      return '[' + out + ']';
    case boost::json::kind::object:
      for (const auto& item : json.get_object())
        out += (out.empty() ? "" : ", ")
             + quoted({item.key().data(), item.key().size()}) + ": "
             + representation(item.value());
      return '{' + out + '}';
  }
  return out;
}

std::optional<http_response> read_body(const exchange& x, body_kind kinds,
                                       request_body& out) {
  auto type = type_of(x);
  const bool empty = x.request.body.empty();
  if (kinds == body_kind::json_only
      && (type == sent_as::form || x.request.header("content-type").empty()))
    type = type == sent_as::form ? sent_as::other : sent_as::json;
  if (type == sent_as::form) {
    out.form.emplace(x.request.body);
    return std::nullopt;
  }
  if (empty) {
    out.json = boost::json::object{};
    return std::nullopt;
  }
  if (type == sent_as::other)
    return unsupported(x);
  boost::json::error_code failure;
  out.json = boost::json::parse({x.request.body.data(), x.request.body.size()},
                                failure);
  if (failure)
    return refusal(x, 400, "JSON parse error - " + failure.message());
  return std::nullopt;
}

std::optional<http_response> require_object(const exchange& x,
                                            const boost::json::value& json) {
  if (json.is_object())
    return std::nullopt;
  field_errors errors;
  errors.add("non_field_errors",
             json.is_null() ? "No data provided"
                            : "Invalid data. Expected a dictionary, but got "
                                + std::string{kind_name(json)} + ".");
  return errors.answer(x);
}

std::optional<http_response> read_object(const exchange& x,
                                         boost::json::object& out) {
  request_body body;
  if (auto failure = read_body(x, body_kind::json_only, body))
    return failure;
  if (auto failure = require_object(x, body.json))
    return failure;
  out = std::move(body.json.get_object());
  return std::nullopt;
}

std::optional<http_response> read_nothing(const exchange& x) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return failure;
  field_errors errors;
  for (const auto& item : json)
    errors.add({item.key().data(), item.key().size()}, "Unknown key.");
  return errors.empty() ? std::nullopt : std::optional{errors.answer(x)};
}

std::optional<http_response> check_json_type(const exchange& x) {
  if (type_of(x) == sent_as::json || x.request.header("content-type").empty())
    return std::nullopt;
  return unsupported(x);
}

} // namespace fanfare::protocol::rest
