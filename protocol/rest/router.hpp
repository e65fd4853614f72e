// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which resource a path names. It knows nothing of methods or of what exists.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol::rest {

enum class resource : std::uint8_t {
  organizers,
  networks,
  events,
  tokens,
  token,
  action_types,
  webhooks,
  webhook,
  delivery,
  filter_preview,
  secret,
  rotate_secret,
  calls,
  call,
  resend,
  retries,
  expedite,
  drop,
  test,
  replay,
  health,
  idempotency_query,
  notifications,
  notification,
  healthz,
  readyz,
  openapi,
  docs,
};

struct route {
  enum class verdict : std::uint8_t {
    found,
    slash_missing, ///< found with a slash at the end
    unknown_api,   ///< nothing, under /api/
    unknown,       ///< nothing, elsewhere
  };
  verdict outcome = verdict::unknown;
  resource what = resource::healthz;
  std::string organizer; ///< slug, as given
  std::string id;        ///< of the token, webhook or notification, as given
  std::string call;      ///< as given
  std::string format;    ///< "json" of "webhooks.json"
};

/// `path` is a target's path, percent-encoded as sent. Any thread.
[[nodiscard]] route find_route(std::string_view path);

struct known_path {
  std::string path; ///< "/api/v1/organizers/{organizer}/webhooks/{id}/"
  resource what;
};
/// All paths, with the places of their parameters in braces.
[[nodiscard]] std::vector<known_path> known_paths();

} // namespace fanfare::protocol::rest
