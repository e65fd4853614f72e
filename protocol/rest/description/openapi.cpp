// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/description/openapi.hpp"

#include "fanfare/version.hpp"
#include "protocol/payload/json_text.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/negotiation.hpp"
#include "protocol/security/credentials.hpp"
#include "protocol/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <array>
#include <cstdio>
#include <string>

namespace fanfare::protocol::rest {

namespace {

std::string entity_tag(std::string_view body) {
  const auto hash = hash_token_key(body); // SHA-256
  std::string tag{'"'};
  for (const char c : hash.substr(0, 16)) {
    std::array<char, 3> hex;
    std::snprintf(hex.data(), hex.size(), "%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    tag += hex.data();
  }
  return tag + '"';
}

/// Whether an If-None-Match header has this tag. Weak tags match too (RFC 9110,
/// 13.1.2).
bool names_tag(std::string_view header, std::string_view tag) {
  while (!header.empty()) {
    const auto end = header.find(',');
    auto one = trim(header.substr(0, end));
    if (one.starts_with("W/"))
      one.remove_prefix(2);
    if (one == tag || one == "*")
      return true;
    header.remove_prefix(end == std::string_view::npos ? header.size()
                                                       : end + 1);
  }
  return false;
}

} // namespace

const boost::json::value& openapi_document() {
  static const boost::json::value document = [] {
    auto parsed = boost::json::parse(
      {openapi_json.data(), openapi_json.size()});
    parsed.at("info").as_object()["version"] = json_string(version);
    return parsed;
  }();
  return document;
}

http_response cached_answer(const exchange& x, std::string_view media_type,
                            std::string_view body) {
  http_response out;
  auto tag = entity_tag(body);
  const bool known = names_tag(x.request.header("if-none-match"), tag);
  out.status = known ? 304 : 200;
  out.headers.emplace_back("ETag", std::move(tag));
  out.headers.emplace_back("Cache-Control", "no-cache");
  out.headers.emplace_back("Vary", "Accept");
  if (!known) {
    out.headers.emplace_back("Content-Type", media_type);
    out.body = body;
  }
  return out;
}

http_response serve_openapi(const exchange& x) {
  const auto indent = accept_json(accept_header(x.request));
  if (!indent)
    return refusal(x, 406, "Could not satisfy the request Accept header.");
  static const auto compact = to_json_text(openapi_document());
  if (*indent == 0)
    return cached_answer(x, "application/json", compact);
  return cached_answer(x, "application/json",
                       to_json_text(openapi_document(), *indent));
}

} // namespace fanfare::protocol::rest
