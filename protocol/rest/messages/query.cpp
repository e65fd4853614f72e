// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/messages/query.hpp"

#include "protocol/text.hpp"

#include <algorithm>

namespace fanfare::protocol::rest {

query::query(std::string_view raw) {
  while (!raw.empty()) {
    const auto end = raw.find('&');
    const auto pair = raw.substr(0, end);
    raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
    if (pair.empty())
      continue;
    const auto equals = pair.find('=');
    const auto value = equals == std::string_view::npos
                       ? std::string_view{}
                       : pair.substr(equals + 1);
    items_.emplace_back(
      to_valid_utf8(percent_decode(pair.substr(0, equals), true)),
      to_valid_utf8(percent_decode(value, true)));
  }
}

std::optional<std::string_view> query::last(std::string_view name) const {
  for (auto i = items_.rbegin(); i != items_.rend(); ++i)
    if (i->first == name)
      return i->second;
  return std::nullopt;
}

std::vector<std::string_view> query::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : items_)
    if (key == name)
      values.emplace_back(value);
  return values;
}

std::vector<std::string_view> query::names() const {
  std::vector<std::string_view> out;
  for (const auto& [name, value] : items_)
    out.emplace_back(name);
  std::ranges::sort(out);
  const auto twice = std::ranges::unique(out);
  out.erase(twice.begin(), twice.end());
  return out;
}

void query::set(std::string_view name, std::string_view value) {
  remove(name);
  items_.emplace_back(name, value);
}

void query::remove(std::string_view name) {
  std::erase_if(items_,
                [name](const auto& item) { return item.first == name; });
}

std::string query::text() const {
  auto sorted = items_;
  std::ranges::stable_sort(
    sorted, {}, [](const auto& item) -> const auto& { return item.first; });
  std::string out;
  for (const auto& [name, value] : sorted) {
    if (!out.empty())
      out += '&';
    out += percent_encode(name) + '=' + percent_encode(value);
  }
  return out;
}

} // namespace fanfare::protocol::rest
