// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Members of JSON objects as people write them on a command line.

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::cli {

/// The members of a JSON object, their values as JSON text: what is written
/// digit by digit is sent digit by digit.
class json_members {
public:
  /// Of equal keys the last value counts, at the place of the first.
  void put(std::string_view key, std::string json);
  void put(const boost::json::object& members);
  [[nodiscard]] bool contains(std::string_view key) const;
  [[nodiscard]] bool empty() const {
    return members_.empty();
  }
  /// The object.
  [[nodiscard]] std::string text() const;

private:
  std::vector<std::pair<std::string, std::string>> members_;
};

/// A text as JSON.
[[nodiscard]] std::string json_of(std::string_view text);

/// Reads "key=value" texts; the value is JSON if it parses, else text. Throws a
/// `command_error` that names `option` if there is no "=" or no key.
[[nodiscard]] json_members
read_key_values(const std::string& option,
                const std::vector<std::string>& texts);

} // namespace fanfare::cli
