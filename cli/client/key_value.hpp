// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Members of JSON objects as people write them on a command line.

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace fanfare::cli {

/// Reads "key=value" texts; the value is JSON if it parses, else text. Of equal
/// keys the last counts. Throws a `command_error` that names `option` if
/// there is no "=" or no key.
[[nodiscard]] boost::json::object
read_key_values(const std::string& option,
                const std::vector<std::string>& texts);

} // namespace fanfare::cli
