// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/trace_context.hpp"

#include "protocol/ascii.hpp"
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

/// Of digits that is_hex() has seen.
std::uint64_t number_of(std::string_view digits) {
  std::uint64_t out = 0;
  for (const char c : digits)
    out = out << 4 | static_cast<std::uint64_t>(hex_value(c));
  return out;
}

void append_hex(std::string& to, std::uint64_t number, std::size_t digits) {
  constexpr std::string_view all = "0123456789abcdef";
  while (digits-- > 0)
    to += all[number >> (4 * digits) & 15];
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

std::optional<trace_context> read_trace(std::string_view text) {
  if (!is_trace(text))
    return std::nullopt;
  const auto line = text.find('\n');
  const auto parent = text.substr(0, line);
  trace_context out;
  out.trace = {number_of(parent.substr(3, 16)),
               number_of(parent.substr(19, 16))};
  out.span = number_of(parent.substr(36, 16));
  out.flags = static_cast<std::uint8_t>(number_of(parent.substr(53, 2)));
  if (!parent.starts_with("00"))
    out.flags &= trace_context::sampled_flag;
  if (line != text.npos)
    out.state = text.substr(line + 1);
  return out;
}

std::string write_trace(const trace_context& from) {
  std::string out = "00-";
  out.reserve(size_of_first_version + 1 + from.state.size());
  append_hex(out, from.trace.high, 16);
  append_hex(out, from.trace.low, 16);
  out += '-';
  append_hex(out, from.span, 16);
  out += '-';
  append_hex(out, from.flags, 2);
  if (!from.state.empty())
    out.append(1, '\n').append(from.state);
  return out;
}

} // namespace fanfare::protocol
