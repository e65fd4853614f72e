// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a server has, read over its API.

#include "cli/client/api.hpp"
#include "cli/declarative/state.hpp"

#include <string>
#include <vector>

namespace fanfare::cli::declarative {

/// As much of it as a file speaks of. Throws like `api`.
[[nodiscard]] found_state read_found(api& server, const wanted_state& wanted);

/// All of these organizers, and all action types; without keys.
[[nodiscard]] found_state read_all(api& server,
                                   const std::vector<std::string>& organizers);

/// The slugs of all organizers of the server.
[[nodiscard]] std::vector<std::string> list_organizers(api& server);

} // namespace fanfare::cli::declarative
