// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/router.hpp"

#include "protocol/rest/resource_table.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

constexpr std::string_view root = "/api/v1/";

bool is_pattern(const resource& r) {
  return r.path.starts_with(root) && r.path.ends_with('/');
}

/// The part of a pattern below the root, without its last slash.
std::string_view pattern_of(const resource& r) {
  return r.path.substr(root.size(), r.path.size() - root.size() - 1);
}

using segments = std::vector<std::string_view>;

segments split(std::string_view path) {
  segments parts;
  for (;;) {
    const auto slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos)
      return parts;
    path.remove_prefix(slash + 1);
  }
}

/// Fills in the parameters of `found`; they are of no use if it does not match.
bool match(std::string_view pattern, const segments& parts, route& found) {
  std::size_t i = 0;
  for (bool more = true; more; ++i) {
    if (i == parts.size())
      return false;
    const auto slash = pattern.find('/');
    const auto want = pattern.substr(0, slash);
    more = slash != std::string_view::npos;
    if (more)
      pattern.remove_prefix(slash + 1);
    const auto part = parts[i];
    if (!want.starts_with('{')) {
      if (want != part)
        return false;
      continue;
    }
    const bool is_slug = want == "{organizer}" || want == "{event}";
    // A dot in an id is where a format begins.
    if (part.empty() || (!is_slug && part.find('.') != part.npos))
      return false;
    auto& place = want == "{organizer}" ? found.organizer
                : want == "{call}"      ? found.call
                                        : found.id;
    place = percent_decode(part, false);
  }
  return i == parts.size();
}

std::optional<route> match_any(const segments& parts) {
  for (const auto& row : resource_table()) {
    route found;
    if (is_pattern(row) && match(pattern_of(row), parts, found)) {
      found.outcome = route::verdict::found;
      found.what = &row;
      return found;
    }
  }
  return std::nullopt;
}

bool is_format(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

/// Whether a parameter may be missing.
enum class parameters : std::uint8_t { all_there, some_missing };

/// The same as match() without a look at the parameters.
bool fits(std::string_view pattern, std::string_view path,
          parameters how = parameters::all_there) {
  while (!pattern.empty() && !path.empty()) {
    if (pattern.front() == '{') {
      const auto length = std::min(path.find('/'), path.size());
      if (length == 0 && how == parameters::all_there)
        return false;
      path.remove_prefix(length);
      pattern.remove_prefix(pattern.find('}') + 1);
    } else if (pattern.front() == path.front()) {
      path.remove_prefix(1);
      pattern.remove_prefix(1);
    } else {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

/// "/api/docs" is missing the slash of "/api/docs/".
bool lacks_slash(std::string_view path, std::string_view of) {
  return !path.empty() && of.ends_with('/')
      && path == of.substr(0, of.size() - 1);
}

} // namespace

route find_route(std::string_view path) {
  route found;
  for (const auto& row : resource_table())
    if (!is_pattern(row) && (path == row.path || lacks_slash(path, row.path))) {
      found.outcome = path == row.path ? route::verdict::found
                                       : route::verdict::slash_missing;
      found.what = &row;
      return found;
    }
  if (path.starts_with("/api/"))
    found.outcome = route::verdict::unknown_api;
  if (!path.starts_with(root))
    return found;
  path.remove_prefix(root.size());
  const bool slash = path.ends_with('/');
  if (slash)
    path.remove_suffix(1);
  auto parts = split(path);
  if (auto plain = match_any(parts)) {
    if (!slash)
      plain->outcome = route::verdict::slash_missing;
    return *plain;
  }
  auto& name = parts.back();
  if (const auto dot = name.rfind('.');
      dot != name.npos && is_format(name.substr(dot + 1))) {
    const auto format = name.substr(dot + 1);
    name = name.substr(0, dot);
    if (auto suffixed = match_any(parts)) {
      suffixed->format = format;
      return *suffixed;
    }
  }
  return found;
}

std::string path_with_right_slashes(std::string_view path) {
  // Two slashes in a row, where a parameter has its place: that is missing, and
  // without them the path would be another one's.
  if (std::ranges::any_of(resource_table(), [path](const resource& row) {
        return fits(row.path, path, parameters::some_missing);
      }))
    return {};
  std::string meant;
  for (const char c : path)
    if (c != '/' || !meant.ends_with('/'))
      meant += c;
  auto verdict = find_route(meant).outcome;
  if (verdict == route::verdict::slash_missing) {
    meant += '/';
    verdict = route::verdict::found;
  } else if (verdict != route::verdict::found && meant.ends_with('/')) {
    meant.pop_back();
    verdict = find_route(meant).outcome;
  }
  return verdict == route::verdict::found && meant != path ? meant : "";
}

bool keeps_order(std::string_view path) {
  return std::ranges::any_of(resource_table(), [path](const resource& row) {
    return row.ordered && fits(row.path, path);
  });
}

} // namespace fanfare::protocol::rest
