// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/progress_bar.hpp"

#include "cli/client/output.hpp"
#include "cli/client/terminal.hpp"
#include "cli/client/terminal_text.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace fanfare::cli {

namespace {

constexpr std::size_t fewest_cells = 10;
constexpr std::size_t widest = 50;
constexpr std::size_t usual_terminal = 80;

} // namespace

std::string render_bar(std::uint64_t done, std::uint64_t total,
                       std::size_t width) {
  constexpr std::size_t around = 8; // brackets and the percentage
  const auto cells = std::clamp(width > around ? width - around : 0,
                                fewest_cells, widest);
  const double part = total == 0
                      ? 1.0
                      : std::min(1.0, static_cast<double>(done)
                                        / static_cast<double>(total));
  const auto full = static_cast<std::size_t>(part * static_cast<double>(cells));
  // 100 % only at the end.
  const auto percent = static_cast<int>(part * 100);
  char number[16];
  std::snprintf(number, sizeof number, " %3d %%", percent);
  return "[" + std::string(full, '#') + std::string(cells - full, '-') + "]"
       + number;
}

void progress_bar::show(std::uint64_t done, std::uint64_t total,
                        const std::string& words) {
  if (!output::shows_progress())
    return;
  auto width = terminal_width(standard_stream::err);
  if (width == 0)
    width = usual_terminal;
  const auto line = render_bar(done, total, width / 2) + "  " + words;
  // One column stays free, since a full line would wrap; the rest is blanked.
  std::cerr << '\r' << cut(line, width - 1) << "\x1b[K" << std::flush;
  drawn_ = true;
}

void progress_bar::finish() {
  if (drawn_)
    std::cerr << std::endl;
  drawn_ = false;
}

} // namespace fanfare::cli
