// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/key_value.hpp"

#include "cli/client/exit_code.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>

namespace fanfare::cli {

void json_members::put(std::string_view key, std::string json) {
  const auto known = std::ranges::find(members_, key, [](const auto& member) {
    return std::string_view{member.first};
  });
  if (known != members_.end())
    known->second = std::move(json);
  else
    members_.emplace_back(key, std::move(json));
}

void json_members::put(const boost::json::object& members) {
  for (const auto& member : members)
    put({member.key().data(), member.key().size()},
        boost::json::serialize(member.value()));
}

bool json_members::contains(std::string_view key) const {
  return std::ranges::any_of(
    members_, [key](const auto& member) { return member.first == key; });
}

std::string json_members::text() const {
  std::string out = "{";
  for (const auto& [key, value] : members_) {
    if (out.size() > 1)
      out += ',';
    out += json_of(key) + ':' + value;
  }
  return out + '}';
}

std::string json_of(std::string_view text) {
  return boost::json::serialize(
    boost::json::string_view{text.data(), text.size()});
}

json_members read_key_values(const std::string& option,
                             const std::vector<std::string>& texts) {
  json_members out;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw command_error{exit_code::usage,
                          option + ": \"" + text + "\" is not KEY=VALUE"};
    auto value = text.substr(equals + 1);
    boost::json::error_code no_json;
    boost::json::parse(value, no_json);
    if (no_json)
      value = json_of(value);
    out.put(text.substr(0, equals), std::move(value));
  }
  return out;
}

} // namespace fanfare::cli
