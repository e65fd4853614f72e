// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/output.hpp"

#include "cli/client/terminal.hpp"
#include "cli/client/terminal_text.hpp"
#include "protocol/payload/json_slices.hpp"
#include "protocol/payload/json_text.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace fanfare::cli {

namespace {

format by_default() {
  return is_terminal(standard_stream::out) ? format::table : format::json;
}

std::vector<column> looks(const std::vector<list_column>& columns) {
  std::vector<column> out;
  for (const auto& c : columns)
    out.push_back(c.look);
  return out;
}

} // namespace

std::string cell_text(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: return "-";
    case boost::json::kind::bool_: return value.get_bool() ? "yes" : "no";
    case boost::json::kind::string:
      return {value.get_string().data(), value.get_string().size()};
    case boost::json::kind::array: {
      std::string out;
      for (const auto& item : value.get_array())
        out += (out.empty() ? "" : ", ") + cell_text(item);
      return out.empty() ? "-" : out;
    }
    case boost::json::kind::double_: {
      char text[32];
      std::snprintf(text, sizeof text, "%.6g", value.get_double());
      return text;
    }
    default: return protocol::to_json_text(value);
  }
}

std::string cell_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  return value ? cell_text(*value) : "";
}

list_column list_column::of(std::string title, std::string key) {
  return {{.title = std::move(title)},
          [key = std::move(key)](const boost::json::object& item) {
            return cell_of(item, key);
          }};
}

list_column list_column::number(std::string title, std::string key) {
  auto out = of(std::move(title), std::move(key));
  out.look.align = column::side::right;
  return out;
}

output::output(std::optional<format> wanted)
  : format_{wanted.value_or(by_default())},
    width_{terminal_width(standard_stream::out)} {
  const char* plain = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  bold_ = is_terminal(standard_stream::out)
       && (plain == nullptr || *plain == '\0')
       && (kind == nullptr || std::string_view{kind} != "dumb");
}

bool output::shows_progress() {
  return is_terminal(standard_stream::err);
}

void output::document(const boost::json::value& value) {
  document_text(protocol::to_json_text(value));
}

void output::document_text(std::string_view text) {
  // ASCII only: terminal escapes become \u001b.
  const unsigned indent = is_terminal(standard_stream::out) ? 2 : 0;
  std::cout << protocol::ascii_json(text, {.spaces = indent}) << std::endl;
}

void output::line(const boost::json::value& value) {
  std::cout << protocol::to_json_text(value) << '\n';
}

void output::fields(
  const std::vector<std::pair<std::string, std::string>>& fields) {
  std::size_t widest = 0;
  for (const auto& [name, value] : fields)
    widest = std::max(widest, name.size());
  for (const auto& [name, value] : fields)
    if (!value.empty())
      std::cout << name << std::string(widest - name.size() + 2, ' ')
                << printable(value) << '\n';
  std::cout.flush();
}

void output::section(std::string_view title, std::string_view text) {
  std::cout << '\n' << title << '\n';
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::cout << "  " << printable_lines(text.substr(0, end)) << '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::cout.flush();
}

table output::make_table(std::vector<column> columns) const {
  return {std::cout, std::move(columns), width_, bold_};
}

void output::note(std::string_view sentence) {
  std::cerr << printable_lines(sentence) << std::endl;
}

list_printer::list_printer(output& out, std::vector<list_column> columns)
  : out_{out},
    columns_{std::move(columns)},
    table_{out.make_table(looks(columns_))} {}

void list_printer::add(const boost::json::object& item) {
  if (out_.json())
    return out_.line(item);
  table::row cells;
  for (const auto& c : columns_)
    cells.push_back(c.value(item));
  table_.add(std::move(cells));
}

void list_printer::flush() {
  if (out_.json())
    std::cout.flush();
  else
    table_.flush();
}

} // namespace fanfare::cli
