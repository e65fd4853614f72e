// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/failure_kind.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

namespace {

std::size_t place_of_kind(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(failure_kinds, name)
                                  - failure_kinds.begin());
}

/// Of a call without an answer, by the first words of its reason.
std::string_view kind_of_reason(std::string_view reason) {
  const auto words = reason.substr(0, reason.find(':'));
  constexpr std::pair<std::string_view, std::string_view> longer[] = {
    {"malformed answer", "malformed"}, {"too large", "too_large"}};
  for (const auto& [text, kind] : longer)
    if (words == text)
      return kind;
  constexpr std::size_t spelled_alike = 11; // up to "internal"
  const auto* end = failure_kinds.begin() + spelled_alike;
  return std::find(failure_kinds.begin(), end, words) != end ? words
                                                             : "unsendable";
}

std::string_view kind_of_status(std::uint16_t status) {
  switch (status) {
    case 410: return "http_410";
    case 429: return "http_429";
    default: break;
  }
  if (status < 400)
    return "http_3xx";
  return status < 500 ? "http_4xx" : "http_5xx";
}

} // namespace

std::optional<std::size_t> failure_kind_of(const call& entry) {
  if (entry.status >= 200 && entry.status <= 299)
    return std::nullopt;
  if (entry.unsent)
    return place_of_kind("unsent");
  return place_of_kind(entry.status == 0 ? kind_of_reason(entry.reason)
                                         : kind_of_status(entry.status));
}

} // namespace fanfare
