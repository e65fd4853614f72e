// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// JSON values as YAML 1.2.

#include <boost/json/value.hpp>

#include <string>

namespace fanfare::cli {

/// Block style, two spaces an indent; ends with a line's end.
[[nodiscard]] std::string to_yaml(const boost::json::value& value);
/// The value as an entry of a sequence.
[[nodiscard]] std::string to_yaml_item(const boost::json::value& value);

} // namespace fanfare::cli
