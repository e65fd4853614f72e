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

enum class format { table, json };

/// A value as a cell shows it: "-" for null, yes or no, items joined by commas,
/// anything else as JSON.
[[nodiscard]] std::string cell_text(const boost::json::value& value);
/// The same for a member; empty if there is none.
[[nodiscard]] std::string cell_of(const boost::json::object& object,
                                  std::string_view key);

/// A column of a list, and the text of its cells.
struct list_column {
  column look;
  std::function<std::string(const boost::json::object&)> value;

  /// Shows the member `key`.
  static list_column of(std::string title, std::string key);
  /// The same for a number, aligned to the right.
  static list_column number(std::string title, std::string key);
};

class output {
public:
  /// By default tables on a terminal, JSON elsewhere.
  explicit output(std::optional<format> wanted);

  [[nodiscard]] bool json() const noexcept {
    return format_ == format::json;
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
  /// A title with lines of text below.
  void section(std::string_view title, std::string_view text);
  [[nodiscard]] table make_table(std::vector<column> columns) const;

  /// A sentence for people, on standard error.
  static void note(std::string_view sentence);

private:
  format format_;
  std::size_t width_; ///< 0: not limited
  bool bold_;
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
