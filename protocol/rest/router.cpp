// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/router.hpp"

#include "protocol/text.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

struct pattern {
  std::string_view path; ///< below /api/v1/; O: organizer, I: id, C: call
  resource what;
};

constexpr pattern patterns[] = {
  {"organizers/O/notifications", resource::notifications}, // the busiest first
  {"organizers", resource::organizers},
  {"organizers/O/networks", resource::networks},
  {"organizers/O/events", resource::events},
  {"organizers/O/tokens", resource::tokens},
  {"organizers/O/tokens/I", resource::token},
  {"organizers/O/webhooks", resource::webhooks},
  {"organizers/O/webhooks/I", resource::webhook},
  {"organizers/O/webhooks/I/delivery", resource::delivery},
  {"organizers/O/webhooks/I/filter/preview", resource::filter_preview},
  {"organizers/O/webhooks/I/secret", resource::secret},
  {"organizers/O/webhooks/I/secret/rotate", resource::rotate_secret},
  {"organizers/O/webhooks/I/calls", resource::calls},
  {"organizers/O/webhooks/I/calls/C", resource::call},
  {"organizers/O/webhooks/I/calls/C/resend", resource::resend},
  {"organizers/O/webhooks/I/retries", resource::retries},
  {"organizers/O/webhooks/I/retries/expedite", resource::expedite},
  {"organizers/O/webhooks/I/retries/drop", resource::drop},
  {"organizers/O/webhooks/I/test", resource::test},
  {"organizers/O/webhooks/I/replay", resource::replay},
  {"organizers/O/webhooks/I/health", resource::health},
  {"organizers/O/notifications/I", resource::notification},
  {"action-types", resource::action_types},
};

/// Paths that are taken as they are.
constexpr pattern fixed_paths[] = {
  {"/healthz", resource::healthz},
  {"/readyz", resource::readyz},
  {"/api/v1/idempotency_query", resource::idempotency_query},
  {"/api/v1/openapi.json", resource::openapi},
  {"/api/docs/", resource::docs},
};

constexpr std::string_view root = "/api/v1/";

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

bool match(std::string_view pattern_path, const segments& parts, route& found) {
  std::size_t i = 0;
  for (bool more = true; more; ++i) {
    if (i == parts.size())
      return false;
    const auto slash = pattern_path.find('/');
    const auto want = pattern_path.substr(0, slash);
    more = slash != std::string_view::npos;
    if (more)
      pattern_path.remove_prefix(slash + 1);
    const auto part = parts[i];
    if (want == "O" || want == "I" || want == "C") {
      // A dot in an id would be the beginning of a format.
      if (part.empty()
          || (want != "O" && part.find('.') != std::string_view::npos))
        return false;
      auto& place = want == "O" ? found.organizer
                  : want == "I" ? found.id
                                : found.call;
      place = percent_decode(part, false);
    } else if (want != part) {
      return false;
    }
  }
  return i == parts.size();
}

std::optional<route> match_any(const segments& parts) {
  for (const auto& [path, what] : patterns) {
    route found;
    if (match(path, parts, found)) {
      found.outcome = route::verdict::found;
      found.what = what;
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

} // namespace

route find_route(std::string_view path) {
  route found;
  for (const auto& [fixed, what] : fixed_paths)
    if (path == fixed
        || (fixed.ends_with('/')
            && path == fixed.substr(0, fixed.size() - 1))) {
      found.outcome = path == fixed ? route::verdict::found
                                    : route::verdict::slash_missing;
      found.what = what;
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
      dot != std::string_view::npos && is_format(name.substr(dot + 1))) {
    const auto format = name.substr(dot + 1);
    name = name.substr(0, dot);
    if (auto suffixed = match_any(parts)) {
      suffixed->format = format;
      return *suffixed;
    }
  }
  return found;
}

std::vector<known_path> known_paths() {
  std::vector<known_path> all;
  for (const auto& [path, what] : patterns) {
    std::string shown{root};
    for (const auto part : split(path)) {
      shown += part == "O" ? "{organizer}"
             : part == "I" ? "{id}"
             : part == "C" ? "{call}"
                           : std::string{part};
      shown += '/';
    }
    all.push_back({std::move(shown), what});
  }
  for (const auto& [path, what] : fixed_paths)
    all.push_back({std::string{path}, what});
  return all;
}

} // namespace fanfare::protocol::rest
