// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/header_rules.hpp"

#include "protocol/text.hpp"

#include <algorithm>
#include <array>

namespace fanfare::protocol {

namespace {

/// Of the message's framing, of the connection, or written by Fanfare.
constexpr std::array<std::string_view, 19> reserved{
  "accept",
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "traceparent",
  "tracestate",
  "upgrade",
  "user-agent",
  "via",
  "http2-settings",
};

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || std::string_view{"!#$%&'*+-.^_`|~"}.find(c)
             != std::string_view::npos;
  });
}

} // namespace

bool is_header_text(std::string_view text) {
  return std::ranges::all_of(
    text, [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; });
}

std::optional<std::string> header_name_fault(std::string_view name) {
  if (name.size() > header_name_limit) // too long to be repeated
    return "The name of a header must have at most "
         + std::to_string(header_name_limit) + " characters.";
  if (!is_token(name))
    return "\"" + std::string{name}
         + "\" is no name of a header: use letters, digits and hyphens.";
  const auto lower = to_lower(name);
  if (std::ranges::find(reserved, lower) != reserved.end()
      || lower.starts_with("webhook-") || lower.starts_with("proxy-"))
    return "The header \"" + std::string{name}
         + "\" is reserved: Fanfare sets it, or it must not be set.";
  return std::nullopt;
}

std::optional<std::string> header_fault(std::string_view name,
                                        std::string_view value) {
  if (auto fault = header_name_fault(name))
    return fault;
  if (value.size() > header_value_limit)
    return "The value of \"" + std::string{name} + "\" must have at most "
         + std::to_string(header_value_limit) + " characters.";
  if (!is_header_text(value))
    return "The value of \"" + std::string{name}
         + "\" must be visible ASCII characters, spaces and tabs.";
  if (value.starts_with(' ') || value.starts_with('\t') || value.ends_with(' ')
      || value.ends_with('\t'))
    return "The value of \"" + std::string{name}
         + "\" must not begin or end with a space.";
  return std::nullopt;
}

} // namespace fanfare::protocol
