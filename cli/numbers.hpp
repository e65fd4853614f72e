// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whole numbers as written on a command line.

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>

namespace fanfare::cli {

/// For `CLI::Option::transform`, before any check: digits only; leading zeros
/// mean nothing. CLI11 by itself takes 012 for ten and 0xC for twelve.
inline CLI::Validator decimal() {
  CLI::Validator digits{
    [](std::string& text) -> std::string {
      const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
        return c >= '0' && c <= '9';
      });
      if (!plain)
        return '"' + text + "\" is no whole number in decimal digits";
      text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
      return {};
    },
    ""};
  return digits;
}

} // namespace fanfare::cli
