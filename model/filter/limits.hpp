// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The limits of filters, which bound the time and memory that one can take.

#include <cstddef>

namespace fanfare::filter {

/// Bytes of a filter's JSON text.
inline constexpr std::size_t text_limit = std::size_t{16} * 1024;
/// Conditions: each key, operator and list member counts.
inline constexpr std::size_t size_limit = 512;
/// Objects within each other. Each dot of a key is one more object, and so is
/// a list in a value that is compared with.
inline constexpr std::size_t depth_limit = 16;
/// Levels of a notification's body, the same as for publishing one.
inline constexpr std::size_t body_depth_limit = 32;

} // namespace fanfare::filter
