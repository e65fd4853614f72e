// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/table.hpp"

#include "cli/client/terminal_text.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace fanfare::cli {

namespace {

constexpr std::size_t rows_looked_at = 200;
constexpr std::size_t gap = 2;
/// No column shrinks below this.
constexpr std::size_t narrowest_column = 6;

} // namespace

table::table(std::ostream& out, std::vector<column> columns, std::size_t width,
             bool bold)
  : out_{out},
    columns_{std::move(columns)},
    width_{width},
    bold_{bold} {}

void table::add(row cells) {
  cells.resize(columns_.size());
  for (auto& cell : cells)
    cell = printable(cell);
  if (!widths_.empty())
    return print(cells, false);
  waiting_.push_back(std::move(cells));
  if (waiting_.size() >= rows_looked_at)
    flush();
}

void table::flush() {
  if (widths_.empty()) {
    settle_widths();
    row titles;
    for (const auto& c : columns_)
      titles.push_back(c.title);
    print(titles, true);
  }
  for (const auto& cells : waiting_)
    print(cells, false);
  waiting_.clear();
  out_.flush();
}

void table::settle_widths() {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto width = std::max(display_width(columns_[i].title), columns_[i].least);
    for (const auto& cells : waiting_)
      width = std::max(width, display_width(cells[i]));
    widths_.push_back(width);
  }
  if (width_ == 0 || widths_.empty())
    return;
  const auto used = [this] {
    return std::accumulate(widths_.begin(), widths_.end(), std::size_t{0})
         + gap * (widths_.size() - 1);
  };
  for (auto over = used(); over > width_; over = used()) {
    const auto widest = widest_column();
    if (widths_[widest] <= narrowest_column)
      return; // lines will wrap
    --widths_[widest];
  }
}

std::size_t table::widest_column() const {
  std::size_t widest = 0;
  const auto is_soft = [this](std::size_t i) {
    return !columns_[i].firm && widths_[i] > narrowest_column;
  };
  for (std::size_t i = 1; i < widths_.size(); ++i)
    if (is_soft(i) != is_soft(widest) ? is_soft(i)
                                      : widths_[i] > widths_[widest])
      widest = i;
  return widest;
}

void table::print(const row& cells, bool header) {
  std::string line;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool last = i + 1 == columns_.size();
    // The last column may be wider than in the first rows, if there is room.
    const auto room = last && width_ == 0 ? cells[i].size() : widths_[i];
    auto shown = cut(cells[i], room);
    const auto used = display_width(shown);
    if (bold_ && !header
        && std::ranges::find(columns_[i].red, cells[i])
             != columns_[i].red.end())
      shown = "\x1b[31m" + shown + "\x1b[0m";
    const std::string fill(widths_[i] > used ? widths_[i] - used : 0, ' ');
    if (columns_[i].align == column::side::right)
      line += fill + shown;
    else
      line += last ? shown : shown + fill;
    if (!last)
      line.append(gap, ' ');
  }
  while (line.ends_with(' '))
    line.pop_back();
  if (header && bold_)
    line = "\x1b[1m" + line + "\x1b[0m";
  out_ << line << '\n';
}

} // namespace fanfare::cli
