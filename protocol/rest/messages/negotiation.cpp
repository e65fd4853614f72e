// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/messages/negotiation.hpp"

#include "protocol/text.hpp"

#include <algorithm>
#include <cstdint>

namespace fanfare::protocol::rest {

media_type::media_type(std::string_view text) {
  bool first = true;
  while (first || !text.empty()) {
    const auto end = text.find(';');
    const auto part = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (first) {
      const auto slash = part.find('/');
      main = to_lower(part.substr(0, slash));
      sub = slash == std::string_view::npos ? ""
                                            : to_lower(part.substr(slash + 1));
      first = false;
    } else if (const auto equals = part.find('=');
               equals != std::string_view::npos) {
      auto value = trim(part.substr(equals + 1));
      if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
        value = value.substr(1, value.size() - 2);
      parameters.emplace_back(to_lower(trim(part.substr(0, equals))), value);
    }
  }
}

bool media_type::covers(std::string_view main_name,
                        std::string_view sub_name) const {
  return (sub == "*" || sub == sub_name) && (main == "*" || main == main_name);
}

const std::string* media_type::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name)
      return &value;
  return nullptr;
}

std::string_view accept_header(const http_request& request) {
  std::string_view accept = "*/*";
  for (const auto& [name, value] : request.headers)
    if (name == "accept")
      accept = value;
  return accept;
}

bool accepts(std::string_view accept, std::string_view main_name,
             std::string_view sub_name) {
  for (;;) {
    const auto end = accept.find(',');
    if (media_type{trim(accept.substr(0, end))}.covers(main_name, sub_name))
      return true;
    if (end == std::string_view::npos)
      return false;
    accept.remove_prefix(end + 1);
  }
}

std::optional<unsigned> accept_json(std::string_view accept) {
  std::optional<media_type> best;
  int best_rank = -1;
  for (bool more = true; more;) {
    const auto end = accept.find(',');
    media_type type{trim(accept.substr(0, end))};
    more = end != std::string_view::npos;
    if (more)
      accept.remove_prefix(end + 1);
    if (!type.covers("application", "json"))
      continue;
    // The most specific one decides, not the first nor the one of highest
    // quality.
    const int rank = type.main == "*"        ? 0
                   : type.sub == "*"         ? 1
                   : type.parameters.empty() ? 2
                                             : 3;
    if (rank > best_rank) {
      best_rank = rank;
      best = std::move(type);
    }
  }
  if (!best)
    return std::nullopt;
  const auto* indent = best->parameter("indent");
  const auto spaces = indent == nullptr ? std::nullopt : to_integer(*indent);
  return static_cast<unsigned>(
    std::clamp<std::int64_t>(spaces.value_or(0), 0, 8));
}

} // namespace fanfare::protocol::rest
