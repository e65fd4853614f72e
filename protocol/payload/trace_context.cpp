// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/trace_context.hpp"

#include "protocol/rules/header_rules.hpp"

#include <algorithm>

namespace fanfare::protocol {

namespace {

constexpr std::size_t size_of_first_version = 55;
constexpr std::size_t parent_limit = 128;
constexpr std::size_t state_limit = 512;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == text.npos;
}

} // namespace

bool is_traceparent(std::string_view text) {
  constexpr auto size = size_of_first_version;
  if (text.size() < size || text.size() > parent_limit || !is_header_text(text))
    return false;
  const auto version = text.substr(0, 2);
  const auto trace = text.substr(3, 32);
  const auto parent = text.substr(36, 16);
  return text[2] == '-' && text[35] == '-' && text[52] == '-' && is_hex(version)
      && is_hex(trace) && is_hex(parent) && is_hex(text.substr(53, 2))
      && !is_zero(trace) && !is_zero(parent) && version != "ff"
      && (text.size() == size || (version != "00" && text[size] == '-'));
}

bool is_tracestate(std::string_view text) {
  return !text.empty() && text.size() <= state_limit && is_header_text(text);
}

bool is_trace(std::string_view text) {
  const auto line = text.find('\n');
  return is_traceparent(text.substr(0, line))
      && (line == text.npos || is_tracestate(text.substr(line + 1)));
}

} // namespace fanfare::protocol
