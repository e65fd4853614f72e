// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/messages/text_field.hpp"

#include "protocol/text.hpp"

#include <boost/json/string.hpp>

#include <utility>

namespace fanfare::protocol::rest {

std::string read_text(const boost::json::object& json, std::string_view field,
                      std::size_t limit, field_errors& errors) {
  const auto fault = [&](std::string sentence) {
    errors.add(field, std::move(sentence));
    return std::string{};
  };
  const auto* value = json.if_contains({field.data(), field.size()});
  if (value == nullptr)
    return fault("This field is required.");
  if (value->is_null())
    return fault("This field may not be null.");
  if (!value->is_string())
    return fault("Not a valid string.");
  const auto text = trim(
    {value->get_string().data(), value->get_string().size()});
  if (text.empty())
    return fault("This field may not be blank.");
  if (text.find('\0') != std::string_view::npos)
    return fault("Null characters are not allowed.");
  if (count_code_points(text) > limit)
    return fault("Ensure this field has no more than " + std::to_string(limit)
                 + " characters.");
  return std::string{text};
}

} // namespace fanfare::protocol::rest
