// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What one publish request holds, and its limits.

#include "fanfare/publication.hpp"

#include <cstddef>
#include <vector>

namespace fanfare::protocol {

/// Most notifications in one request.
inline constexpr std::size_t publications_limit = 1'000;
/// Longest rendered body of one notification, with the longest possible id.
inline constexpr std::size_t notification_body_limit = 1024 * 1024;
/// Deepest nesting of one notification, its own braces included.
inline constexpr std::size_t publication_depth_limit = 32;

struct publications {
  std::vector<publication> items;
  bool list = false; ///< an array was sent, so an array is to be answered
};

} // namespace fanfare::protocol
