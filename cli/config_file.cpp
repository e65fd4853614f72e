// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/config_file.hpp"

#include <toml.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <tuple>
#include <utility>

namespace fanfare::cli {

namespace {

// Of std::map: an error that several keys could cause names always the same.
using toml_value = toml::basic_value<toml::discard_comments, std::map>;

std::string place_of(const std::string& file, std::size_t line,
                     std::size_t column) {
  return file + ':' + std::to_string(line) + ':' + std::to_string(column);
}

std::string place_of(const std::string& file, const toml_value& value) {
  const auto where = value.location();
  return place_of(file, where.line(), where.column());
}

error wrong(const std::string& place, const std::string& why,
            const std::string& line = {}) {
  auto text = place + ": " + why;
  // The URL of a proxy may hold a password, and headers are made of secrets:
  // not for logs.
  if (!line.empty() && line.find('@') == std::string::npos
      && line.find("header") == std::string::npos)
    text += "\n  " + line;
  return {ec::invalid_argument, std::move(text)};
}

error wrong_value(const std::string& file, const toml_value& value,
                  const std::string& why) {
  return wrong(place_of(file, value), why, value.location().line_str());
}

// -- what is no TOML ----------------------------------------------------------

/// The library says where in a drawing of the line; its own location is that of
/// the line's beginning.
struct drawing {
  std::string cause;
  std::size_t line = 0;
  std::size_t column = 0;
  std::string text;
};

/// What follows "[error] toml::some_function: ".
std::string cause_of(std::string text) {
  for (const std::string_view front : {"[error] ", "toml::"})
    if (text.starts_with(front)) {
      text.erase(0, front.size());
      if (front == "toml::")
        text.erase(0, std::min(text.size(), text.find(": ") + 2));
    }
  return text;
}

std::optional<drawing> read_drawing(const std::string& message) {
  drawing out;
  std::istringstream lines{message};
  std::string line;
  std::getline(lines, line);
  out.cause = cause_of(line);
  std::optional<drawing> last;
  while (std::getline(lines, line)) {
    const auto bar = line.find('|');
    if (bar == std::string::npos || bar + 2 > line.size())
      continue;
    const auto digits = line.find_first_of("0123456789");
    if (digits < bar) {
      std::from_chars(line.data() + digits, line.data() + bar, out.line);
      out.text = line.substr(bar + 2);
    } else if (const auto mark = line.find_first_of("^~", bar);
               mark != std::string::npos && out.line != 0) {
      out.column = mark - bar - 1;
      // The last one is where reading ended, those before explain it.
      last = out;
    }
  }
  return last;
}

error no_toml(const std::string& file, const toml::exception& e) {
  if (const auto found = read_drawing(e.what()))
    return wrong(place_of(file, found->line, found->column),
                 found->cause + " (the file has to be TOML)",
                 found->text + "\n  " + std::string(found->column - 1, ' ')
                   + '^');
  const auto& where = e.location();
  const std::string_view message = e.what();
  return wrong(place_of(file, where.line(), where.column()),
               cause_of(std::string{message.substr(0, message.find('\n'))}),
               where.line_str());
}

// -- values -------------------------------------------------------------------

/// A number as it is written.
std::string text_of(const toml_value& value) {
  const auto where = value.location();
  auto written = where.line_str().substr(
    std::min<std::size_t>(where.column() - 1, where.line_str().size()),
    where.region());
  std::erase(written, '_');
  return written;
}

/// The digits of a whole number, also if the library has cut it off.
std::optional<std::string> digits_of(const toml_value& value) {
  const auto written = text_of(value);
  std::string_view text = written;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+'))
    text.remove_prefix(1);
  int base = 10;
  for (const auto& [prefix, of] : {std::pair{"0x", 16}, {"0o", 8}, {"0b", 2}})
    if (text.starts_with(prefix)) {
      base = of;
      text.remove_prefix(2);
    }
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number, base);
  if (failed != std::errc{} || stop != end || text.empty())
    return std::nullopt;
  return (negative ? "-" : "") + std::to_string(number);
}

/// Adds one text, number or truth value.
result<void> add_value(config_entry& to, const std::string& file,
                       const toml_value& value) {
  if (value.is_string()) {
    to.values.push_back(value.as_string().str);
    return {};
  }
  if (value.is_boolean()) {
    to.truth = true;
    to.values.emplace_back(value.as_boolean() ? "true" : "false");
    return {};
  }
  if (value.is_floating()) {
    to.numbers = true;
    to.values.push_back(text_of(value));
    return {};
  }
  if (!value.is_integer())
    return wrong_value(file, value,
                       "the value of \"" + to.name
                         + "\" has to be a text in quotes, a number, true, "
                           "false or an array of these");
  auto digits = digits_of(value);
  if (!digits)
    return wrong_value(file, value,
                       "the number of \"" + to.name
                         + "\" does not fit into 64 bits");
  to.numbers = true;
  to.values.push_back(std::move(*digits));
  return {};
}

result<config_entry> read_entry(const std::string& file, std::string section,
                                std::string name, const toml_value& value) {
  config_entry out{.section = std::move(section),
                   .name = std::move(name),
                   .list = value.is_array(),
                   .place = place_of(file, value)};
  if (!out.list) {
    if (auto added = add_value(out, file, value); !added)
      return added.error();
    return out;
  }
  for (const auto& one : value.as_array())
    if (auto added = add_value(out, file, one); !added)
      return added.error();
  return out;
}

result<std::vector<config_entry>> read_entries(const std::string& file,
                                               const toml_value& all) {
  std::vector<std::pair<std::tuple<std::size_t, std::size_t>, config_entry>>
    found;
  const auto add = [&](const std::string& section, const std::string& name,
                       const toml_value& value) -> result<void> {
    auto entry = read_entry(file, section, name, value);
    if (!entry)
      return entry.error();
    const auto where = value.location();
    found.emplace_back(std::tuple{where.line(), where.column()},
                       std::move(*entry));
    return {};
  };
  for (const auto& [name, value] : all.as_table()) {
    if (!value.is_table()) {
      if (auto added = add("", name, value); !added)
        return added.error();
      continue;
    }
    for (const auto& [inner, one] : value.as_table())
      if (auto added = add(name, inner, one); !added)
        return added.error();
  }
  std::ranges::stable_sort(found, {},
                           [](const auto& one) { return one.first; });
  std::vector<config_entry> out;
  out.reserve(found.size());
  for (auto& [where, entry] : found)
    out.push_back(std::move(entry));
  return out;
}

} // namespace

result<std::vector<config_entry>> read_config_file(const std::string& file) {
  std::error_code failed;
  std::ifstream in;
  if (std::filesystem::is_regular_file(file, failed))
    in.open(file, std::ios::binary);
  if (!in.is_open() || !in)
    return error{ec::io_error, file + ": the file is missing or not readable"};
  // From here on the library reads from memory: its own reading of a stream
  // takes a file that shrinks meanwhile for one with zero bytes.
  std::ostringstream bytes;
  bytes << in.rdbuf();
  if (in.bad())
    return error{ec::io_error, file + ": the file could not be read"};
  std::istringstream text{bytes.str()};
  try {
    return read_entries(
      file, toml::parse<toml::discard_comments, std::map>(text, file));
  } catch (const toml::exception& e) {
    return no_toml(file, e);
  }
}

} // namespace fanfare::cli
