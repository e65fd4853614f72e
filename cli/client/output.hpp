// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What commands print: tables for people, JSON for programs. Both go to
/// standard output; words about it go to standard error.

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

/// What a cell shows of a value: "-" for null, yes and no, items joined by
/// commas, all else as JSON.
[[nodiscard]] std::string cell_text(const boost::json::value& value);
/// The same of a member; empty if there is none.
[[nodiscard]] std::string cell_of(const boost::json::object& object,
                                  std::string_view key);

/// One column of a list, and what stands in it.
struct list_column {
  column look;
  std::function<std::string(const boost::json::object&)> value;

  /// What the member `key` holds.
  static list_column of(std::string title, std::string key);
  /// The same for a number: aligned to the right.
  static list_column number(std::string title, std::string key);
};

class output {
public:
  /// Whether standard output is a terminal decides, unless told.
  explicit output(std::optional<format> wanted);

  [[nodiscard]] bool json() const noexcept {
    return format_ == format::json;
  }

  /// Standard error is a terminal: progress may be drawn there.
  [[nodiscard]] static bool shows_progress();

  /// One document: indented on a terminal, else on one line.
  void document(const boost::json::value& value);
  /// One line of JSON.
  void line(const boost::json::value& value);
  /// Names and values below each other; empty values are left out.
  void fields(const std::vector<std::pair<std::string, std::string>>& fields);
  /// A title and text of several lines under it.
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
  /// To be called at the end, and whenever what was added should be seen.
  void flush();

private:
  output& out_;
  std::vector<list_column> columns_;
  table table_;
};

} // namespace fanfare::cli
