// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/stream/message.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace fanfare::protocol::rest {

namespace {

/// Decimal, but for the run.
struct part {
  std::uint64_t* value;
  int base;
};

std::array<part, 4> parts_of(feed_place& place) {
  return {{{&place.call, 10},
           {&place.notification, 10},
           {&place.change, 10},
           {&place.run, 16}}};
}

} // namespace

std::string to_text(const feed_place& place) {
  auto copy = place;
  std::string out;
  for (const auto& [value, base] : parts_of(copy)) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   *value, base)
                       .ptr;
    if (!out.empty())
      out += '.';
    out.append(digits.data(), end);
  }
  return out;
}

std::optional<feed_place> read_place(std::string_view text) {
  feed_place out;
  const auto* at = text.data();
  const auto* const end = at + text.size();
  bool first = true;
  for (const auto& [value, base] : parts_of(out)) {
    if (!first && (at == end || *at++ != '.'))
      return std::nullopt;
    first = false;
    const auto read = std::from_chars(at, end, *value, base);
    if (read.ec != std::errc{})
      return std::nullopt;
    at = read.ptr;
  }
  if (at != end)
    return std::nullopt;
  return out;
}

void append_message(std::string& to, std::string_view type, std::string_view id,
                    std::string_view data) {
  if (!id.empty())
    to.append("id: ").append(id).append("\n");
  to.append("event: ").append(type).append("\ndata: ").append(data);
  to.append("\n\n");
}

void append_id(std::string& to, std::string_view id) {
  to.append("id: ").append(id).append("\n\n");
}

void append_comment(std::string& to, std::string_view text) {
  to.append(": ").append(text).append("\n");
}

} // namespace fanfare::protocol::rest
