// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Times as clients send and get them. `to_iso8601` is in
/// protocol/payload/json_text.hpp.

#include "fanfare/types.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string_view>

namespace fanfare::protocol::rest {

/// "2026-11-23T10:00:00.5+01:00" (ISO 8601); seconds and their fraction may be
/// left out, the zone may not. Any thread.
[[nodiscard]] std::optional<timestamp> from_iso8601(std::string_view text);

/// As `to_iso8601` writes it, or null. Any thread.
[[nodiscard]] boost::json::value
time_or_null(const std::optional<timestamp>& t);

} // namespace fanfare::protocol::rest
