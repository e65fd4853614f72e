// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A table for people: aligned columns under a header. It can be as long as it
/// likes, as only its first rows are kept until the widths are known.

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace fanfare::cli {

struct column {
  std::string title;
  enum class side { left, right } align = side::left;
  /// What it is never narrower than.
  std::size_t least = 0;
};

class table {
public:
  using row = std::vector<std::string>;

  /// Lines take at most `width` columns of the terminal, 0: any number. The
  /// widest columns give way first. Titles are bold if `bold`.
  table(std::ostream& out, std::vector<column> columns, std::size_t width,
        bool bold);

  /// Adds a row, one cell for each column; what a terminal must not see in
  /// them is escaped.
  void add(row cells);

  /// Prints what waits. Rows that come later are fitted to the same widths.
  void flush();

private:
  void settle_widths();
  void print(const row& cells, bool header);

  std::ostream& out_;
  std::vector<column> columns_;
  std::size_t width_;
  bool bold_;
  std::vector<row> waiting_;
  std::vector<std::size_t> widths_; ///< empty until the first flush
};

} // namespace fanfare::cli
