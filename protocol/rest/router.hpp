// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Finds the resource that a path names. It knows nothing of methods, nor of
/// what exists.

#include "protocol/rest/route.hpp"

#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

/// `path` is a target's path, percent-encoded as sent. Any thread.
[[nodiscard]] route find_route(std::string_view path);

/// The path that was probably meant, with a slash at its end, without one, or
/// without doubled ones; empty: `path` is right, or no resource is named so
/// either. Any thread.
[[nodiscard]] std::string path_with_right_slashes(std::string_view path);

/// Whether the path names a resource whose posts keep their order
/// (resource::ordered). Quicker than find_route(), since it is asked for every
/// request; false for a path with a format. Any thread.
[[nodiscard]] bool keeps_order(std::string_view path);

} // namespace fanfare::protocol::rest
