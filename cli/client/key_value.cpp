// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/key_value.hpp"

#include "cli/client/exit_code.hpp"

#include <boost/json/parse.hpp>

namespace fanfare::cli {

boost::json::object read_key_values(const std::string& option,
                                    const std::vector<std::string>& texts) {
  boost::json::object out;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw command_error{exit_code::usage,
                          option + ": \"" + text + "\" is not KEY=VALUE"};
    const auto value = text.substr(equals + 1);
    boost::json::error_code no_json;
    auto parsed = boost::json::parse(value, no_json);
    if (no_json)
      parsed = boost::json::string(value);
    out[text.substr(0, equals)] = std::move(parsed);
  }
  return out;
}

} // namespace fanfare::cli
