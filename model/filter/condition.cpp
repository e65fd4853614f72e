// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/filter/condition.hpp"

#include "model/filter/text_search.hpp"

#include <algorithm>
#include <compare>
#include <string_view>

namespace fanfare::filter {

namespace json = boost::json;

namespace {

/// The value of a key with dots, null if there is none.
const json::value* find(const json::value* from, std::string_view name) {
  while (from != nullptr && from->is_object()) {
    const auto& object = from->get_object();
    if (const auto* whole = object.if_contains(name))
      return whole;
    const auto dot = name.find('.');
    if (dot == std::string_view::npos)
      return nullptr;
    from = object.if_contains(name.substr(0, dot));
    name.remove_prefix(dot + 1);
  }
  return nullptr;
}

bool is_in(const condition& c, const json::value& seen) {
  const auto middle = c.operands.begin() + c.scalars;
  if (seen.is_structured())
    return std::any_of(middle, c.operands.end(),
                       [&](const auto& l) { return equal(l, seen); });
  const auto wanted = scalar_of(seen);
  const auto at = std::lower_bound(
    c.operands.begin(), middle, wanted, [](const literal& l, const scalar& s) {
      return std::is_lt(compare(l.as_scalar(), s));
    });
  return at != middle && std::is_eq(compare(at->as_scalar(), wanted));
}

bool contains(const condition& c, const json::value& seen) {
  const auto& wanted = c.operands.front();
  if (const auto* list = seen.if_array())
    return std::any_of(list->begin(), list->end(),
                       [&](const auto& v) { return equal(wanted, v); });
  const auto* text = text_of(seen);
  return text != nullptr && wanted.what == kind::text
      && has_text(view(*text), wanted.text, c.borders);
}

/// How the value is ordered relative to the operand; unordered if the kinds
/// differ.
std::partial_ordering order(const json::value& seen, const condition& c) {
  const auto found = scalar_of(seen);
  const auto wanted = c.operands.front().as_scalar();
  if (found.what != wanted.what)
    return std::partial_ordering::unordered;
  return compare(found, wanted);
}

} // namespace

bool holds(const condition& c, const json::value* seen) {
  static const json::value missing;
  const auto& value = seen != nullptr ? *seen : missing;
  const auto all = [&c](const json::value* at) {
    return std::all_of(c.children.begin(), c.children.end(),
                       [at](const auto& child) { return holds(child, at); });
  };
  const auto test = [&] {
    switch (c.what) {
      case op::all: return all(seen);
      case op::any:
        return std::any_of(c.children.begin(), c.children.end(),
                           [&](const auto& each) { return holds(each, seen); });
      case op::key: return all(find(seen, c.name));
      case op::equal: return equal(c.operands.front(), value);
      case op::in: return is_in(c, value);
      case op::less: return std::is_lt(order(value, c));
      case op::less_equal: return std::is_lteq(order(value, c));
      case op::greater: return std::is_gt(order(value, c));
      case op::greater_equal: return std::is_gteq(order(value, c));
      case op::starts_with: {
        const auto* text = text_of(value);
        return text != nullptr
            && view(*text).starts_with(c.operands.front().text);
      }
      case op::ends_with: {
        const auto* text = text_of(value);
        return text != nullptr
            && view(*text).ends_with(c.operands.front().text);
      }
      case op::contains: return contains(c, value);
      case op::exists: return seen != nullptr;
    }
    return false;
  };
  return test() != c.negated;
}

} // namespace fanfare::filter
