// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/head_scanner.hpp"

#include "protocol/ascii.hpp"

#include <algorithm>
#include <cstring>

namespace fanfare::protocol::server {

namespace {

/// Room in a request line for the method, the version and the spaces.
constexpr std::size_t line_overhead = 64;

bool is_token_char(char c) {
  return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z')
      || (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

/// The parser would call both faults malformed.
std::optional<refusal> check_request_line(std::string_view line,
                                          const http_server_options& limits) {
  const auto target = line.find(' ');
  const auto version = line.rfind(' ');
  if (target != std::string_view::npos
      && version - target > limits.target_limit + 1)
    return refusal{414, "the request target is too long"};
  const auto text = line.substr(version + 1);
  if (text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5])
      && text[6] == '.' && is_digit(text[7]) && text != "HTTP/1.1"
      && text != "HTTP/1.0")
    return refusal{505, "the supported versions are HTTP/1.1 and HTTP/1.0"};
  return std::nullopt;
}

} // namespace

std::optional<refusal> head_scanner::scan(std::string_view bytes,
                                          const http_server_options& limits) {
  if (scanned_ == 0) {
    if (bytes == "\r")
      return std::nullopt; // half of an empty line, which is to be skipped
    // Usually a TLS ClientHello: refuse it now instead of timing out.
    if (!is_token_char(bytes.front()))
      return refusal{400, "this is not an HTTP request"};
  }
  if (const auto why = find_end(bytes, limits))
    return why;
  const auto line_limit = std::min(limits.target_limit + line_overhead,
                                   limits.head_limit);
  if (line_ == 0 && bytes.size() > line_limit)
    return refusal{414, "the request line is too long"};
  if (size_ > limits.head_limit
      || (size_ == 0 && bytes.size() >= limits.head_limit))
    return refusal{431, "the request head is too large"};
  return std::nullopt;
}

std::optional<refusal>
head_scanner::find_end(std::string_view bytes,
                       const http_server_options& limits) {
  while (size_ == 0) {
    const auto at = bytes.find('\n', scanned_);
    if (at == std::string_view::npos) {
      scanned_ = bytes.size();
      break;
    }
    if (at == line_ || bytes[at - 1] != '\r')
      return refusal{400, "lines must end with CR LF"};
    const auto line = bytes.substr(line_, at - 1 - line_);
    if (line_ == 0) {
      if (const auto why = check_request_line(line, limits))
        return why;
    } else if (line.empty()) {
      size_ = at + 1;
    } else if (line.front() == ' ' || line.front() == '\t') {
      return refusal{400, "folded headers are not supported"};
    }
    line_ = scanned_ = at + 1;
  }
  return std::nullopt;
}

} // namespace fanfare::protocol::server
