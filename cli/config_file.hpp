// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A configuration file in TOML (https://toml.io/en/v1.0.0): its options as
/// texts, with their places. It interprets no option.

#include "fanfare/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fanfare::cli {

struct config_entry {
  std::string section; ///< "serve" of [serve]; empty at the top
  std::string name;
  /// Texts as they are, whole numbers in decimal digits, others as they are
  /// written, "true" or "false".
  std::vector<std::string> values;
  bool list = false;    ///< it was written as an array
  bool numbers = false; ///< at least one is a number
  bool truth = false;   ///< at least one is true or false
  std::string place;    ///< "FILE:LINE:COLUMN" of the value
};

/// In the order of the file. Texts, numbers, true, false and arrays of
/// these are values. Fails with invalid_argument and a message that begins with
/// file, line and column and shows the line unless it may hold a password: what
/// is no TOML, other values, a number that does not fit into 64 bits, tables in
/// tables. A file that cannot be read: io_error.
[[nodiscard]] result<std::vector<config_entry>>
read_config_file(const std::string& file);

} // namespace fanfare::cli
