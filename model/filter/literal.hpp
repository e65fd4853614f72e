// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The values that a filter compares with, and how a JSON value compares with
/// them. Nothing here allocates while it compares.

#include "model/filter/decimal.hpp"
#include "model/filter/number.hpp"

#include <boost/json/value.hpp>

#include <cmath>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::filter {

[[nodiscard]] inline std::string_view view(boost::json::string_view text) {
  return {text.data(), text.size()};
}

/// In the order in which scalars of different kinds are sorted.
enum class kind : std::uint8_t {
  null,
  boolean,
  number,
  text,
  list,
  object,
  nothing, ///< NaN, which only a program can make: equals no literal
};

/// The content of a value unless it is a list or an object. Owns nothing.
struct scalar {
  kind what = kind::null;
  filter::number value{};  ///< of numbers; 0 or 1 for booleans
  std::string_view text{}; ///< of numbers with digits: as encoded
};

[[nodiscard]] inline scalar scalar_of(const boost::json::value& v) {
  switch (v.kind()) {
    case boost::json::kind::null: break;
    case boost::json::kind::bool_:
      return {kind::boolean, make_number(std::uint64_t{v.get_bool()})};
    case boost::json::kind::int64:
      return {kind::number, make_number(v.get_int64())};
    case boost::json::kind::uint64:
      return {kind::number, make_number(v.get_uint64())};
    case boost::json::kind::double_:
      if (std::isnan(v.get_double()))
        return {kind::nothing};
      return {kind::number, make_number(v.get_double())};
    case boost::json::kind::string: {
      const auto text = view(v.get_string());
      if (is_encoded(text)) [[unlikely]]
        return {kind::number, decode(text), text};
      return {kind::text, {}, text};
    }
    case boost::json::kind::array: return {kind::list};
    case boost::json::kind::object: return {kind::object};
  }
  return {};
}

/// The text of a value; null if it is none.
[[nodiscard]] inline const boost::json::string*
text_of(const boost::json::value& v) {
  const auto* text = v.if_string();
  return text != nullptr && !is_encoded(view(*text)) ? text : nullptr;
}

/// A total order of scalars: by kind, then by value. All lists are equivalent
/// in it, and so are all objects.
[[nodiscard]] inline std::strong_ordering compare(const scalar& a,
                                                  const scalar& b) {
  if (a.what != b.what)
    return a.what <=> b.what;
  switch (a.what) {
    case kind::boolean:
    case kind::number:
      if (a.value.digits || b.value.digits) [[unlikely]]
        return compare_digits(a.value, a.text, b.value, b.text);
      return compare(a.value, b.value);
    // UTF-8 sorts by code point as long as its bytes compare as unsigned,
    // which char_traits guarantees.
    case kind::text: return a.text <=> b.text;
    default: return std::strong_ordering::equal;
  }
}

/// A value that a filter compares with.
struct literal {
  kind what = kind::null;
  filter::number value{};
  std::string text{};
  std::vector<literal> items{};    ///< of a list, or of an object by `keys`
  std::vector<std::string> keys{}; ///< sorted

  [[nodiscard]] scalar as_scalar() const {
    return {what, value, text};
  }
  [[nodiscard]] bool is_scalar() const {
    return what != kind::list && what != kind::object;
  }
};

/// Looks at no more of `v` than `l` is large and recurses no deeper than `l`
/// is nested.
[[nodiscard]] bool equal(const literal& l, const boost::json::value& v);

} // namespace fanfare::filter
