// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a backup or a data directory holds, for people and for programs.

#include "fanfare/backup.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::cli {

/// "12.3 MiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

[[nodiscard]] boost::json::value text_value(std::string_view text);
[[nodiscard]] boost::json::object summary_json(const data_summary& found);
/// Names and values.
[[nodiscard]] std::vector<std::pair<std::string, std::string>>
summary_fields(const data_summary& found);

} // namespace fanfare::cli
