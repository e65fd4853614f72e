// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// JSON as it goes over the wire: ASCII only, everything else as \uXXXX.
/// Reading JSON is left to Boost.JSON. All functions: any thread.

#include "fanfare/types.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// Renders the inside of one JSON string whose UTF-8 arrives in pieces. A piece
/// may end within a character. Bytes that are not UTF-8 come out as U+FFFD.
class json_escaper {
public:
  void append(std::string& out, std::string_view part);
  /// Ends the string; the next append() begins another one.
  void finish(std::string& out);

private:
  void byte(std::string& out, unsigned char c);

  std::uint32_t code_ = 0;
  std::uint32_t least_ = 0; ///< smallest code point that needs this many bytes
  int missing_ = 0;         ///< continuation bytes to come
};

/// Appends `text` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

/// Appends a whole value. `indent`: spaces per level; 0: compact, no spaces.
void append_json(std::string& out, const boost::json::value& value,
                 unsigned indent = 0);

[[nodiscard]] inline std::string to_json_text(const boost::json::value& value,
                                              unsigned indent = 0) {
  std::string out;
  append_json(out, value, indent);
  return out;
}

/// The text as a JSON string with its quotes.
[[nodiscard]] inline std::string json_quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// "2026-11-23T10:00:00.000Z"
[[nodiscard]] std::string to_iso8601(timestamp t);
/// The same with quotes.
[[nodiscard]] inline std::string json_time(timestamp t) {
  return '"' + to_iso8601(t) + '"';
}

} // namespace fanfare::protocol
