// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The address that clients reach the server by, if it is not the one that it
/// listens on.

#include "fanfare/error.hpp"

#include <string>
#include <string_view>

namespace fanfare::cli {

/// "https://hooks.example.com/fanfare", without slashes at the end.
/// invalid_argument (field "public_url"): not http or https, no host, or with
/// more than a host, a port and a path.
[[nodiscard]] result<std::string> parse_public_url(std::string_view text);

} // namespace fanfare::cli
