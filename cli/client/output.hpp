// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What commands print: tables for people, JSON for programs, on standard
/// output; messages go to standard error.

#include "cli/client/table.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::cli {

enum class format { table, json, yaml };

/// A value as a cell shows it: "-" for null, yes or no, items joined by commas,
/// anything else as JSON.
[[nodiscard]] std::string cell_text(const boost::json::value& value);
/// Whether a cell says anything.
[[nodiscard]] inline bool is_told(std::string_view cell) {
  return !cell.empty() && cell != "-";
}
/// The same for a member; empty if there is none.
[[nodiscard]] std::string cell_of(const boost::json::object& object,
                                  std::string_view key);

/// "7 (billing)" of a webhook that has a name, else "7".
[[nodiscard]] std::string number_and_name(const boost::json::object& hook);

/// A column of a list, and the text of its cells.
struct list_column {
  column look;
  std::function<std::string(const boost::json::object&)> value;

  /// Shows the member `key`.
  static list_column of(std::string title, std::string key);
  /// The same for a number, aligned to the right.
  static list_column number(std::string title, std::string key);
  /// The same for a time: of lists, as short_time() has it.
  static list_column time(std::string title, std::string key);
  /// The same, "3 min ago" or "in 40 s".
  static list_column ago(std::string title, std::string key);
  /// Those of its cells are shown in red.
  list_column red(std::vector<std::string> cells) &&;
};

class output {
public:
  /// By default tables on a terminal, JSON elsewhere.
  explicit output(std::optional<format> wanted);

  /// For programs: JSON, or YAML, which the functions for JSON then print.
  [[nodiscard]] bool json() const noexcept {
    return format_ != format::table;
  }

  /// Whether progress may be drawn: standard error is a terminal.
  [[nodiscard]] static bool shows_progress();

  /// One document: indented on a terminal, else on one line.
  void document(const boost::json::value& value);
  /// The same of JSON text, whose numbers stay as they are written.
  void document_text(std::string_view text);
  /// One line of JSON.
  void line(const boost::json::value& value);
  /// Names and values, one pair per line; empty values are left out.
  void fields(const std::vector<std::pair<std::string, std::string>>& fields);
  struct field {
    std::string name;
    std::string value;
    bool bad = false; ///< in red
  };
  /// The same; long values go on below themselves.
  void figures(const std::vector<field>& fields);
  /// A word, bold or red if `bad`, and what it is about, on a line.
  void heading(std::string_view word, std::string_view about, bool bad = true);
  /// Text of at most the terminal's width, or 80 columns, indented; nothing if
  /// it is empty.
  void paragraph(std::string_view text, std::size_t indent);
  void blank();
  /// On a terminal, unless this is for programs.
  void clear_screen();
  /// A title with lines of text below.
  void section(std::string_view title, std::string_view text);
  [[nodiscard]] table make_table(std::vector<column> columns) const;

  /// A sentence for people, on standard error.
  static void note(std::string_view sentence);

private:
  /// Columns for text behind so many.
  [[nodiscard]] std::size_t text_width(std::size_t indent) const;

  format format_;
  std::size_t width_; ///< 0: not limited
  bool bold_;         ///< and colours
};

/// A list as lines of JSON or as a table.
class list_printer {
public:
  list_printer(output& out, std::vector<list_column> columns);

  void add(const boost::json::object& item);
  /// Prints what was added. Call it at the end at the latest.
  void flush();

private:
  output& out_;
  std::vector<list_column> columns_;
  table table_;
};

} // namespace fanfare::cli
