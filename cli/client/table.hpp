// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A table for people: aligned columns under a header. It may be endless: only
/// the first rows are kept, until the widths are known.

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace fanfare::cli {

struct column {
  std::string title;
  enum class side { left, right } align = side::left;
  /// Its least width.
  std::size_t least = 0;
  /// It keeps its width while others can shrink.
  bool firm = false;
  /// Cells that are shown in red, where there are colours.
  std::vector<std::string> red = {};
};

class table {
public:
  using row = std::vector<std::string>;

  /// Lines are at most `width` columns long, 0: no limit; the widest columns
  /// shrink first. Titles are bold, and some cells red, if `bold`.
  table(std::ostream& out, std::vector<column> columns, std::size_t width,
        bool bold);

  /// Adds a row, one cell per column; what a terminal must not see is escaped.
  void add(row cells);

  /// Prints the rows kept so far. Later rows get the same widths.
  void flush();

private:
  void settle_widths();
  /// That may shrink next: a firm one only if no other can.
  [[nodiscard]] std::size_t widest_column() const;
  void print(const row& cells, bool header);

  std::ostream& out_;
  std::vector<column> columns_;
  std::size_t width_;
  bool bold_;
  std::vector<row> waiting_;
  std::vector<std::size_t> widths_; ///< empty until the first flush
};

} // namespace fanfare::cli
