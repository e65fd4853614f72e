// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/description/html.hpp"

#include "protocol/rest/description/openapi.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/negotiation.hpp"
#include "protocol/security/credentials.hpp"

#include <openssl/evp.h>

#include <array>

namespace fanfare::protocol::rest {

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text)
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  return out;
}

std::string page_head(std::string_view title, std::string_view style) {
  std::string
    out = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width, "
          "initial-scale=1\"><title>";
  out += escape_html(title);
  out += "</title><style>";
  out += style;
  out += "</style></head>\n<body>\n";
  return out;
}

std::string page_policy(std::string_view style) {
  const auto hash = hash_token_key(style); // SHA-256
  std::array<unsigned char, 64> encoded;
  const auto size = EVP_EncodeBlock(
    encoded.data(), reinterpret_cast<const unsigned char*>(hash.data()),
    static_cast<int>(hash.size()));
  return "default-src 'none'; style-src 'sha256-"
       + std::string{encoded.begin(), encoded.begin() + size}
       + "'; img-src 'none'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'";
}

http_response page_answer(const exchange& x, std::string_view page,
                          std::string_view policy) {
  if (!accepts(accept_header(x.request), "text", "html"))
    return refusal(x, 406, "Could not satisfy the request Accept header.");
  auto out = cached_answer(x, "text/html; charset=utf-8", page);
  out.headers.emplace_back("Content-Security-Policy", policy);
  out.headers.emplace_back("X-Content-Type-Options", "nosniff");
  out.headers.emplace_back("Referrer-Policy", "no-referrer");
  return out;
}

} // namespace fanfare::protocol::rest
