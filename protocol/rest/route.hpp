// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The resource that a path names, with the parameters in it.

#include <cstdint>
#include <string>

namespace fanfare::protocol::rest {

struct resource;

struct route {
  enum class verdict : std::uint8_t {
    found,
    slash_missing, ///< it is found with a slash appended
    unknown_api,   ///< nothing, below /api/
    unknown,       ///< nothing, elsewhere
  };
  verdict outcome = verdict::unknown;
  const resource* what = nullptr; ///< null if unknown
  // The path's parameters, decoded.
  std::string organizer; ///< slug
  std::string id;        ///< of the token, webhook, notification or event
  std::string call;
  std::string format; ///< "json" of "webhooks.json"
};

} // namespace fanfare::protocol::rest
