// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Parses filters and the bodies that they are matched with. Numbers are read
/// exactly, unlike by boost::json::parse: those that need their digits become
/// what model/filter/decimal.hpp says, so the values are for this folder only.

#include "fanfare/error.hpp"

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string_view>

namespace fanfare::filter {

/// The value of a filter's JSON text. Refuses what is not JSON, has too many
/// members, or an object with the same key twice.
[[nodiscard]] result<boost::json::value> read_filter(std::string_view text);

/// The value of a filter's text with the nearest doubles, for everybody; null
/// if it is none.
[[nodiscard]] boost::json::value show_filter(std::string_view text);

/// The value of a notification's body; none if it is not JSON or nested deeper
/// than `body_depth_limit`. Its memory comes from `storage`.
[[nodiscard]] std::optional<boost::json::value>
read_body(std::string_view body, boost::json::storage_ptr storage);

} // namespace fanfare::filter
