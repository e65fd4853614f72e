// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Progress, redrawn in place on standard error if that is a terminal.

#include <cstdint>
#include <string>

namespace fanfare::cli {

class progress_bar {
public:
  /// Draws `done` of `total`, followed by a few words.
  void show(std::uint64_t done, std::uint64_t total, const std::string& words);
  /// Keeps what was drawn and begins a new line.
  void finish();

private:
  bool drawn_ = false;
};

/// The bar itself: "[#######-----]  58 %", about `width` columns.
[[nodiscard]] std::string render_bar(std::uint64_t done, std::uint64_t total,
                                     std::size_t width);

} // namespace fanfare::cli
