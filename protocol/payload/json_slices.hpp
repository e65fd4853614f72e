// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Parts of a JSON text as they are written. The values of Boost.JSON keep
/// neither the digits of all numbers nor keys that an object has twice. All
/// texts have to be JSON, which these functions do not check: of others they
/// give some parts, and read nothing that is not in the text. Any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

struct json_member {
  std::string key;        ///< without escapes
  std::string_view value; ///< into the text, without white space around it
};

/// The members of an object, in order, repeats kept. Nothing if the text is no
/// object.
[[nodiscard]] std::vector<json_member> members_of(std::string_view object);

/// The members of an array, in order. Nothing if the text is no array.
[[nodiscard]] std::vector<std::string_view> items_of(std::string_view array);

/// The last member of that key, which is the one that counts; none if there is
/// none or the text is no object.
[[nodiscard]] std::optional<std::string_view> member_of(std::string_view object,
                                                        std::string_view key);

/// How much JSON is indented.
struct json_indent {
  unsigned spaces = 0; ///< per level; 0: compact, no spaces
  unsigned level = 0;  ///< that the text is put into
};

/// The same text in ASCII, spaced as append_json() does: its numbers stay as
/// they are written, its strings are rendered as append_json_string() does.
[[nodiscard]] std::string ascii_json(std::string_view text,
                                     json_indent how = {});

} // namespace fanfare::protocol
