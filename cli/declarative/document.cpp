// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/declarative/document.hpp"

#include "protocol/payload/json_text.hpp"

#include <boost/json/parse.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <utility>

namespace fanfare::cli::declarative {

namespace {

constexpr std::size_t most_nodes = 200'000;
constexpr std::size_t most_depth = 32;

place place_of(const YAML::Mark& mark) {
  return {.line = mark.line + 1, .column = mark.column + 1};
}

class converter {
public:
  explicit converter(const std::string& file) : file_(file) {}

  node convert(const YAML::Node& from, std::size_t depth) {
    const auto at = place_of(from.Mark());
    if (++count_ > most_nodes)
      throw fault_at(file_, at, "The document has too many parts.");
    if (depth > most_depth)
      throw fault_at(file_, at, "This is nested too deeply.");
    node out;
    out.at = at;
    switch (from.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: break;
      case YAML::NodeType::Scalar:
        out.what = node::kind::scalar;
        out.text = from.Scalar();
        out.quoted = from.Tag() == "!"; // as yaml-cpp marks quotes
        break;
      case YAML::NodeType::Sequence:
        out.what = node::kind::list;
        for (const auto& item : from)
          out.items.push_back(convert(item, depth + 1));
        break;
      case YAML::NodeType::Map: convert_map(from, depth, out); break;
    }
    return out;
  }

private:
  void convert_map(const YAML::Node& from, std::size_t depth, node& to) {
    to.what = node::kind::map;
    for (const auto& item : from) {
      const auto at = place_of(item.first.Mark());
      if (!item.first.IsScalar())
        throw fault_at(file_, at, "A key must be a text.");
      const auto& key = item.first.Scalar();
      if (to.find(key) != nullptr)
        throw fault_at(file_, at, "\"" + key + "\" is there twice.");
      to.members.push_back(
        {.key = key, .at = at, .value = convert(item.second, depth + 1)});
    }
  }

  const std::string& file_;
  std::size_t count_ = 0;
};

/// What JSON takes for a number, true, false or null.
bool is_json_literal(std::string_view text) {
  boost::json::error_code failed;
  const auto value = boost::json::parse({text.data(), text.size()}, failed);
  return !failed && !value.is_string() && !value.is_structured()
      && text.find_first_of(" \t\r\n") == text.npos;
}

void append(std::string& out, const node& of) {
  switch (of.what) {
    case node::kind::null: out += "null"; return;
    case node::kind::scalar:
      out += !of.quoted && is_json_literal(of.text)
             ? of.text
             : protocol::json_quoted(of.text);
      return;
    case node::kind::list: {
      out += '[';
      for (const auto& item : of.items) {
        out += out.ends_with('[') ? "" : ",";
        append(out, item);
      }
      out += ']';
      return;
    }
    case node::kind::map: {
      out += '{';
      bool first = true;
      for (const auto& [key, at, value] : of.members) {
        out += std::exchange(first, false) ? "" : ",";
        out += protocol::json_quoted(key) + ':';
        append(out, value);
      }
      out += '}';
      return;
    }
  }
}

} // namespace

const member* node::find(std::string_view key) const {
  const auto i = std::ranges::find(members, key, &member::key);
  return i == members.end() ? nullptr : &*i;
}

std::string node::json() const {
  std::string out;
  append(out, *this);
  return out;
}

command_error fault_at(const std::string& file, place at,
                       const std::string& sentence) {
  return {exit_code::usage, file + ':' + std::to_string(at.line) + ':'
                              + std::to_string(at.column) + ": " + sentence};
}

node read_document(const std::string& text, const std::string& file) {
  try {
    auto documents = YAML::LoadAll(text);
    if (documents.size() > 1)
      throw fault_at(file, place_of(documents[1].Mark()),
                     "Only one document is taken.");
    if (documents.empty())
      return {};
    return converter{file}.convert(documents.front(), 0);
  } catch (const YAML::Exception& e) {
    throw fault_at(file, e.mark.is_null() ? place{} : place_of(e.mark),
                   e.msg + '.');
  }
}

} // namespace fanfare::cli::declarative
