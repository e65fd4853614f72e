// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/yaml.hpp"

#include "protocol/payload/json_slices.hpp"
#include "protocol/payload/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <string_view>

namespace fanfare::cli {

namespace {

constexpr std::size_t indent_width = 2;

/// A text that YAML takes for itself without quotes, and for no other kind of
/// value.
bool is_plain(std::string_view text) {
  static constexpr std::string_view others[] = {
    "true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (text.empty() || text.size() > 60 || !is_letter(text.front()))
    return false;
  if (!std::ranges::all_of(text, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'
            || c == '.';
      }))
    return false;
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::find(others, std::string_view{lower}) == std::end(others);
}

std::string scalar(const boost::json::value& value) {
  if (const auto* text = value.if_string();
      text != nullptr && is_plain({text->data(), text->size()}))
    return {text->data(), text->size()};
  // A string of JSON in ASCII is one of YAML, too.
  return protocol::ascii_json(protocol::to_json_text(value));
}

std::string key_text(std::string_view key) {
  return is_plain(key) ? std::string{key} : protocol::json_quoted(key);
}

bool is_block(const boost::json::value& value) {
  return (value.is_object() && !value.get_object().empty())
      || (value.is_array() && !value.get_array().empty());
}

void append(std::string& out, const boost::json::value& value,
            std::size_t indent, bool first_is_placed);

void append_members(std::string& out, const boost::json::object& object,
                    std::size_t indent, bool placed) {
  for (const auto& item : object) {
    if (!placed)
      out.append(indent, ' ');
    placed = false;
    out += key_text({item.key().data(), item.key().size()}) + ':';
    if (!is_block(item.value())) {
      out += ' ' + scalar(item.value()) + '\n';
      continue;
    }
    out += '\n';
    append(out, item.value(), indent + indent_width, false);
  }
}

void append(std::string& out, const boost::json::value& value,
            std::size_t indent, bool first_is_placed) {
  if (!is_block(value)) {
    if (!first_is_placed)
      out.append(indent, ' ');
    out += scalar(value) + '\n';
    return;
  }
  if (const auto* object = value.if_object())
    return append_members(out, *object, indent, first_is_placed);
  for (const auto& item : value.get_array()) {
    if (!first_is_placed)
      out.append(indent, ' ');
    first_is_placed = false;
    out += "- ";
    append(out, item, indent + indent_width, true);
  }
}

} // namespace

std::string to_yaml(const boost::json::value& value) {
  std::string out;
  append(out, value, 0, false);
  return out;
}

std::string to_yaml_item(const boost::json::value& value) {
  std::string out = "- ";
  append(out, value, indent_width, true);
  return out;
}

} // namespace fanfare::cli
