// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// How far something got, drawn over itself on standard error; nothing is drawn
/// if that is no terminal.

#include <cstdint>
#include <string>

namespace fanfare::cli {

class progress_bar {
public:
  /// Draws `done` of `total`, with a few words behind it.
  void show(std::uint64_t done, std::uint64_t total, const std::string& words);
  /// Leaves what was drawn and begins a new line.
  void finish();

private:
  bool drawn_ = false;
};

/// The bar itself: "[#######-----]  58 %", about `width` columns.
[[nodiscard]] std::string render_bar(std::uint64_t done, std::uint64_t total,
                                     std::size_t width);

} // namespace fanfare::cli
