// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/output.hpp"

#include "cli/client/terminal.hpp"
#include "cli/client/terminal_text.hpp"
#include "cli/client/time_text.hpp"
#include "cli/client/yaml.hpp"
#include "protocol/payload/json_slices.hpp"
#include "protocol/payload/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <utility>

namespace fanfare::cli {

namespace {

format by_default() {
  return is_terminal(standard_stream::out) ? format::table : format::json;
}

std::string in_red(const std::string& text) {
  return "\x1b[31m" + text + "\x1b[0m";
}

/// Printable text in lines of at most `width` columns, broken at spaces where
/// there are any.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> out;
  std::string line;
  const auto add = [&](std::string_view word) {
    const bool fits = line.empty()
                   || display_width(line) + 1 + display_width(word) <= width;
    if (!fits)
      out.push_back(std::exchange(line, {}));
    line += (line.empty() ? "" : " ") + cut(word, width);
  };
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end != 0)
      add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!line.empty())
    out.push_back(std::move(line));
  return out;
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

std::string number_and_name(const boost::json::object& hook) {
  const auto name = cell_of(hook, "name");
  return cell_of(hook, "id") + (is_told(name) ? " (" + name + ")" : "");
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

list_column list_column::time(std::string title, std::string key) {
  return {{.title = std::move(title)},
          [key = std::move(key)](const boost::json::object& item) {
            return short_time(cell_of(item, key), time_now());
          }};
}

list_column list_column::ago(std::string title, std::string key) {
  return {{.title = std::move(title)},
          [key = std::move(key)](const boost::json::object& item) {
            return relative_time(cell_of(item, key), time_now());
          }};
}

list_column list_column::red(std::vector<std::string> cells) && {
  look.red = std::move(cells);
  return std::move(*this);
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
  if (format_ == format::yaml) {
    std::cout << to_yaml(boost::json::parse(text)) << std::flush;
    return;
  }
  // ASCII only: terminal escapes become \u001b.
  const unsigned indent = is_terminal(standard_stream::out) ? 2 : 0;
  std::cout << protocol::ascii_json(text, {.spaces = indent}) << std::endl;
}

void output::line(const boost::json::value& value) {
  if (format_ == format::yaml) {
    std::cout << to_yaml_item(value);
    return;
  }
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

void output::figures(const std::vector<field>& fields) {
  std::size_t widest = 0;
  for (const auto& one : fields)
    widest = std::max(widest, one.value.empty() ? 0 : one.name.size());
  for (const auto& one : fields) {
    if (one.value.empty())
      continue;
    const auto lines = wrapped(printable(one.value), text_width(widest + 2));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto& name = i == 0 ? one.name : std::string{};
      std::cout << name << std::string(widest - name.size() + 2, ' ')
                << (one.bad && bold_ ? in_red(lines[i]) : lines[i]) << '\n';
    }
  }
}

void output::heading(std::string_view word, std::string_view about, bool bad) {
  const auto shown = printable(word);
  const auto room = text_width(display_width(shown) + 2);
  std::cout << (!bold_ ? shown
                : bad  ? in_red(shown)
                       : "\x1b[1m" + shown + "\x1b[0m")
            << "  " << cut(printable(about), room) << '\n';
}

void output::paragraph(std::string_view text, std::size_t indent) {
  for (const auto& line : wrapped(printable(text), text_width(indent)))
    std::cout << std::string(indent, ' ') << line << '\n';
}

void output::blank() {
  std::cout << '\n';
}

void output::clear_screen() {
  if (!json() && is_terminal(standard_stream::out))
    std::cout << "\x1b[H\x1b[2J\x1b[3J";
}

std::size_t output::text_width(std::size_t indent) const {
  constexpr std::size_t usual = 80;
  constexpr std::size_t narrowest = 20;
  const auto width = width_ == 0 ? usual : width_;
  return width > indent + narrowest ? width - indent : narrowest;
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
