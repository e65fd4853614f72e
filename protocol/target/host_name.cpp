// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/host_name.hpp"

#include "protocol/ascii.hpp"

#include <idn2.h>

#include <algorithm>
#include <utility>

namespace fanfare::protocol {

namespace {

error bad_name(std::string why) {
  return {ec::invalid_argument, std::move(why), "target_url"};
}

/// The name in its ASCII form; what is ASCII already stays as it is.
result<std::string> ascii_form(const std::string& name) {
  if (std::ranges::none_of(
        name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return name;
  char* converted = nullptr;
  const int code = idn2_to_ascii_8z(name.c_str(), &converted,
                                    IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
  if (code != IDN2_OK)
    return bad_name(
      "the host name of the URL is not a valid international name: "
      + std::string{idn2_strerror(code)});
  std::string out{converted};
  idn2_free(converted);
  return out;
}

/// Letters, digits, hyphens and underscores in labels of 1 to 63 characters.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253)
    return false;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0)
        return false;
      label = 0;
      continue;
    }
    const char l = ascii_lower(c);
    if (!((l >= 'a' && l <= 'z') || is_digit(c) || c == '-' || c == '_')
        || ++label > 63)
      return false;
  }
  return label != 0;
}

} // namespace

result<std::string> to_ascii_name(std::string_view name) {
  auto out = ascii_form(std::string{name});
  if (!out)
    return out;
  std::ranges::transform(*out, out->begin(), ascii_lower);
  if (out->ends_with('.'))
    out->pop_back();
  if (!is_host_name(*out))
    return bad_name("the host name of the URL is malformed");
  return out;
}

} // namespace fanfare::protocol
