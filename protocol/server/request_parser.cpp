// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/request_parser.hpp"

#include "protocol/ascii.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>

namespace fanfare::protocol::server {

namespace {

namespace http = boost::beast::http;

constexpr std::size_t field_limit = 200;
/// A length is easily claimed: room for more comes with the body itself.
constexpr std::size_t first_reservation = 64 * 1024;

} // namespace

void request_parser::refuse(error_code& ec, std::uint16_t status,
                            std::string_view detail) {
  refusal_ = {status, detail};
  ec = http::error::bad_value;
}

refusal request_parser::why(const error_code& ec) const {
  if (refusal_.status != 0)
    return refusal_;
  if (ec.category() == make_error_code(http::error::bad_field).category())
    switch (static_cast<http::error>(ec.value())) {
      case http::error::body_limit:
        return {413, "the request body is too large"};
      case http::error::bad_method: return {400, "malformed request method"};
      case http::error::bad_target: return {400, "malformed request target"};
      case http::error::bad_version: return {400, "malformed request line"};
      case http::error::bad_content_length:
        return {400, "bad or conflicting Content-Length"};
      case http::error::multiple_content_length:
        return {400, "the Content-Length headers differ"};
      case http::error::bad_transfer_encoding:
        return {400, "bad or conflicting Transfer-Encoding"};
      case http::error::bad_chunk:
      case http::error::bad_chunk_extension:
        return {400, "malformed chunked request body"};
      default: break;
    }
  return {400, "malformed request header"};
}

void request_parser::on_request_impl(verb, text method, text target,
                                     int version, error_code& ec) {
  ec = {};
  request.method.assign(method.data(), method.size());
  request.target.assign(target.data(), target.size());
  http11 = version >= 11;
}

void request_parser::on_field_impl(field name, text name_text, text value,
                                   error_code& ec) {
  ec = {};
  if (in_body_)
    return; // a trailer must not pass for a header that was checked
  if (request.headers.size() == field_limit)
    return refuse(ec, 431, "too many request headers");
  switch (name) {
    case field::host:
      if (++hosts_ > 1)
        return refuse(ec, 400, "more than one Host header");
      if (value.find_first_of(" \t/?#@\\") != text::npos)
        return refuse(ec, 400, "malformed Host header");
      break;
    case field::transfer_encoding:
      if (!http11)
        return refuse(ec, 400, "Transfer-Encoding is not part of HTTP/1.0");
      if (!equals_lower({value.data(), value.size()}, "chunked"))
        return refuse(ec, 501,
                      "the only supported Transfer-Encoding is chunked");
      break;
    case field::expect:
      if (!http11)
        break; // RFC 9110, 10.1.1: to be ignored
      if (!equals_lower({value.data(), value.size()}, "100-continue"))
        return refuse(ec, 417,
                      "the only supported expectation is 100-continue");
      expects_continue = true;
      break;
    default: break;
  }
  auto& [key, text_of] = request.headers.emplace_back();
  key.resize(name_text.size());
  std::transform(name_text.begin(), name_text.end(), key.begin(), ascii_lower);
  text_of.assign(value.data(), value.size());
}

void request_parser::on_header_impl(error_code& ec) {
  ec = {};
  in_body_ = true;
  if (http11 && hosts_ == 0)
    refuse(ec, 400, "the Host header is missing");
}

void request_parser::on_body_init_impl(
  const boost::optional<std::uint64_t>& length, error_code& ec) {
  ec = {};
  if (length)
    request.body.reserve(std::min<std::size_t>(*length, first_reservation));
}

std::size_t request_parser::on_body_impl(text body, error_code& ec) {
  ec = {};
  request.body.append(body.data(), body.size());
  return body.size();
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, text body,
                                               error_code& ec) {
  ec = {};
  request.body.append(body.data(), body.size());
  return body.size();
}

} // namespace fanfare::protocol::server
