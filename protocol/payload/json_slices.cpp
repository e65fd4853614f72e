// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/json_slices.hpp"

#include "protocol/payload/json_text.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstddef>

namespace fanfare::protocol {

namespace {

constexpr std::string_view white = " \t\r\n";

/// Behind the quote that ends the string which begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at)
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  return text.size();
}

/// Takes one piece after the other from the front of a text.
class slicer {
public:
  explicit slicer(std::string_view text) : rest_{text} {}

  /// The next character that is no white space, if it is this one.
  bool take(char wanted) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(white), rest_.size()));
    if (!rest_.starts_with(wanted))
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A whole value; empty at the end of the text.
  std::string_view value() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(white), rest_.size()));
    std::size_t depth = 0;
    std::size_t at = 0;
    while (at < rest_.size()) {
      const char c = rest_[at];
      if (c == '"') {
        at = end_of_string(rest_, at);
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at;
      } else if (c == '}' || c == ']' || c == ',' || c == ':') {
        if (depth == 0)
          break;
        if (c == '}' || c == ']')
          --depth;
        ++at;
      } else {
        ++at;
      }
    }
    auto found = rest_.substr(0, at);
    rest_.remove_prefix(at);
    found.remove_suffix(
      found.size() - std::min(found.find_last_not_of(white) + 1, found.size()));
    return found;
  }

private:
  std::string_view rest_;
};

std::string unescaped(std::string_view quoted) {
  if (quoted.size() < 2)
    return {};
  const auto inside = quoted.substr(1, quoted.size() - 2);
  if (inside.find('\\') == std::string_view::npos)
    return std::string{inside};
  boost::json::error_code failed;
  const auto text = boost::json::parse({quoted.data(), quoted.size()}, failed);
  if (failed || !text.is_string())
    return {};
  return {text.get_string().data(), text.get_string().size()};
}

/// Calls `each(key, value)` for each member, the key with its quotes.
template <class Each>
void each_member(std::string_view object, Each each) {
  slicer from{object};
  if (!from.take('{'))
    return;
  do {
    const auto key = from.value();
    if (!from.take(':'))
      return;
    each(key, from.value());
  } while (from.take(','));
}

} // namespace

std::string ascii_json(std::string_view text, json_indent how) {
  std::string out;
  out.reserve(text.size());
  std::size_t level = how.level;
  const auto line = [&] {
    if (how.spaces > 0)
      out.append(1, '\n').append(how.spaces * level, ' ');
  };
  bool open = false; // the last one was { or [
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (white.find(c) != std::string_view::npos) {
      ++at;
      continue;
    }
    const bool closes = c == '}' || c == ']';
    if (closes && level > how.level)
      --level;
    if (open != closes)
      line();
    open = c == '{' || c == '[';
    if (c == '"') {
      const auto end = end_of_string(text, at);
      append_json_string(out, unescaped(text.substr(at, end - at)));
      at = end;
      continue;
    }
    out += c;
    ++at;
    if (open)
      ++level;
    else if (c == ',')
      line();
    else if (c == ':' && how.spaces > 0)
      out += ' ';
  }
  return out;
}

std::vector<json_member> members_of(std::string_view object) {
  std::vector<json_member> out;
  each_member(object, [&out](std::string_view key, std::string_view value) {
    out.push_back({unescaped(key), value});
  });
  return out;
}

std::vector<std::string_view> items_of(std::string_view array) {
  std::vector<std::string_view> out;
  slicer from{array};
  if (!from.take('['))
    return out;
  do {
    const auto item = from.value();
    if (item.empty())
      break;
    out.push_back(item);
  } while (from.take(','));
  return out;
}

std::optional<std::string_view> member_of(std::string_view object,
                                          std::string_view key) {
  std::optional<std::string_view> found;
  each_member(object, [&](std::string_view name, std::string_view value) {
    if (unescaped(name) == key)
      found = value;
  });
  return found;
}

} // namespace fanfare::protocol
